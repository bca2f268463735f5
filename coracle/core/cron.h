// SPDX-License-Identifier: Apache-2.0
// Cron: moments that repeat by the calendar, from a line of crontab(5).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace coracle {

// Five fields: minute (0-59), hour (0-23), day of the month (1-31), month (1-12 or JAN-DEC), day of
// the week (0-7 or SUN-SAT; 0 and 7 are Sunday), as POSIX crontab has them, with steps (*/5,
// 8-18/2) and the words @hourly, @daily, @weekly, @monthly, @yearly. When both day fields are
// restricted a day that matches either counts. All in UTC: no hour is missing or comes twice.
//
//   auto nightly = Cron::parse("30 3 * * MON-FRI");
//   auto at = nightly.next(std::chrono::system_clock::now());
class Cron {
  public:
    static constexpr std::size_t length_max = 256;

    // Empty when the line is no schedule, or longer than length_max.
    static std::optional<Cron> try_parse(std::string_view line);
    // Throws Error, which names the line.
    static Cron parse(std::string_view line);

    // The first moment after `after`; empty when there is none, as for the 30th of February.
    std::optional<std::chrono::sys_seconds> next(std::chrono::system_clock::time_point after) const;

  private:
    Cron() noexcept = default;
    bool matches_day(std::chrono::sys_days day) const noexcept;

    std::uint64_t minutes_ = 0;  // one bit for each value that matches
    std::uint32_t hours_ = 0;
    std::uint32_t days_ = 0;
    std::uint16_t months_ = 0;
    std::uint8_t weekdays_ = 0;
    bool either_day_ = false;
};

}  // namespace coracle
