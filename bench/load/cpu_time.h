// SPDX-License-Identifier: Apache-2.0
// How long other processes have been on a CPU, from /proc.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

// "12,13" -> {"12", "13"}; empty for an empty text.
std::vector<std::string> split_pids(const std::string& text);

// Nanoseconds on a CPU of all living threads of `pids`, user and system together.
//
// Source: first field of /proc/PID/task/TID/schedstat. The kernel brings a running thread's figure
// up to date at its next tick, so a window's two ends are each up to one tick (4 ms) stale.
std::uint64_t cpu_ns(const std::vector<std::string>& pids);

}  // namespace bench
