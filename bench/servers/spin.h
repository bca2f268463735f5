// SPDX-License-Identifier: Apache-2.0
// Work that only burns CPU, the same wherever we compare servers that have to do it.
#pragma once

#include <time.h>

#include <chrono>
#include <cstdint>

namespace bench {

// About ten microseconds of dependent multiplications; the result only keeps them from being
// removed.
inline std::uint64_t churn(std::uint64_t value) {
    for (int round = 0; round < 8000; ++round)
        value = value * 6364136223846793005u + 1442695040888963407u;
    return value;
}

// Burns `cpu` of the calling thread's own CPU time, however long that takes beside others.
inline std::uint64_t spin_for(std::chrono::nanoseconds cpu) {
    auto on_cpu = [] {
        timespec now;
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
    };
    std::uint64_t value = 1;
    for (auto end = on_cpu() + cpu; on_cpu() < end;) value = churn(value);
    return value;
}

}  // namespace bench
