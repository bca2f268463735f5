// SPDX-License-Identifier: Apache-2.0
// The monotonic clock of the last tick.
#pragma once

#include <coracle/base/clock.h>

#include <chrono>
#include <ctime>

namespace coracle::internal {

// A few milliseconds of resolution for a few nanoseconds: enough to see a slow step.
inline Duration coarse_now() noexcept {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace coracle::internal
