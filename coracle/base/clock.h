// SPDX-License-Identifier: Apache-2.0
// Time as the loop sees it: monotonic nanoseconds, from the system or from a test.
#pragma once

#include <chrono>

namespace coracle {

using namespace std::chrono_literals;

// A span of time, in nanoseconds. `5s`, `250ms` and the other std::chrono literals convert.
using Duration = std::chrono::nanoseconds;

// A moment on the monotonic clock. Compare only moments of one clock.
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

// No deadline: later than every moment.
inline constexpr TimePoint no_deadline = TimePoint::max();

// `start` plus `span`, held at no_deadline instead of overflowing (a "sleep for ever" is
// hours::max()).
constexpr TimePoint saturating_add(TimePoint start, Duration span) {
    if (span > Duration::zero() && start > no_deadline - span) return no_deadline;
    return start + span;
}

// Converts any std::chrono duration to Duration; a span too large for 64-bit nanoseconds (292
// years) becomes Duration::max() rather than overflowing.
template <class Rep, class Period>
constexpr Duration to_duration(std::chrono::duration<Rep, Period> span) {
    using Seconds = std::chrono::duration<long double>;
    if (Seconds(span) >= Seconds(Duration::max())) return Duration::max();
    if (Seconds(span) <= Seconds(Duration::min())) return Duration::min();
    return std::chrono::duration_cast<Duration>(span);
}

// Where a loop reads the time. The system's clock is the default; tests hand in one that jumps.
class ClockSource {
  public:
    virtual ~ClockSource() = default;
    virtual TimePoint now() = 0;
};

// The process's monotonic clock (CLOCK_MONOTONIC), shared by all loops; thread-safe.
ClockSource& system_clock_source();

}  // namespace coracle
