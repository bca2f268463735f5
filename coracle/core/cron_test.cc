// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/cron.h>

#include <coracle/base/error.h>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <string>

namespace coracle {
namespace {

using std::chrono::sys_seconds;

sys_seconds at(int year, unsigned month, unsigned day, int hour = 0, int minute = 0,
               int second = 0) {
    using namespace std::chrono;
    return sys_days(year_month_day(std::chrono::year(year), std::chrono::month(month),
                                   std::chrono::day(day))) +
           hours(hour) + minutes(minute) + seconds(second);
}

std::string text_of(sys_seconds moment) {
    auto day = std::chrono::floor<std::chrono::days>(moment);
    std::chrono::year_month_day date(day);
    std::chrono::hh_mm_ss time(moment - day);
    char text[64];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u %02d:%02d", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()));
    return text;
}

TEST(Cron, FindsTheNextMoment) {
    struct Row {
        const char* line;
        sys_seconds after;
        const char* next;
    };
    const Row rows[] = {
        {"* * * * *", at(2026, 1, 1, 10, 0, 30), "2026-01-01 10:01"},
        {"* * * * *", at(2026, 1, 1, 10, 1), "2026-01-01 10:02"},  // strictly after
        {"*/15 * * * *", at(2026, 1, 1, 10, 50), "2026-01-01 11:00"},
        {"10-20/5,40 * * * *", at(2026, 1, 1, 10, 20), "2026-01-01 10:40"},
        {"0 3 * * *", at(2026, 1, 1, 3, 0), "2026-01-02 03:00"},
        {"59 23 31 12 *", at(2026, 1, 1), "2026-12-31 23:59"},
        {"0 0 31 * *", at(2026, 4, 1), "2026-05-31 00:00"},
        {"0 0 29 2 *", at(2026, 1, 1), "2028-02-29 00:00"},
        {"0 0 29 feb *", at(2096, 3, 1), "2104-02-29 00:00"},           // 2100 has none
        {"0 9 * * MON-FRI", at(2026, 1, 2, 9, 0), "2026-01-05 09:00"},  // a Friday
        {"0 9 * * 0", at(2026, 1, 1), "2026-01-04 09:00"},
        {"0 9 * * 7", at(2026, 1, 1), "2026-01-04 09:00"},
        {"0 0 13 * FRI", at(2026, 1, 3), "2026-01-09 00:00"},   // either day counts
        {"0 0 */2 * FRI", at(2026, 1, 1), "2026-01-09 00:00"},  // both do: the field begins with *
        {"@hourly", at(2026, 1, 1, 10, 0), "2026-01-01 11:00"},
        {"@weekly", at(2026, 1, 1), "2026-01-04 00:00"},
        {"@yearly", at(2026, 1, 1), "2027-01-01 00:00"},
        {"  5\t4  *   * * ", at(2026, 1, 1), "2026-01-01 04:05"},
    };
    for (const Row& row : rows) {
        auto next = Cron::parse(row.line).next(row.after);
        ASSERT_TRUE(next.has_value()) << row.line;
        EXPECT_EQ(text_of(*next), row.next) << row.line;
    }
    EXPECT_FALSE(Cron::parse("0 0 30 2 *").next(at(2026, 1, 1)).has_value());
}

TEST(Cron, RefusesWhatIsNoSchedule) {
    for (const char* line : {"",
                             "* * * *",
                             "* * * * * *",
                             "60 * * * *",
                             "* 24 * * *",
                             "* * 0 * *",
                             "* * 32 * *",
                             "* * * 13 *",
                             "* * * * 8",
                             "5-1 * * * *",
                             "*/0 * * * *",
                             "*/61 * * * *",
                             "5/10 * * * *",
                             "a * * * *",
                             "1,,2 * * * *",
                             "1, * * * *",
                             "-1 * * * *",
                             "+1 * * * *",
                             "1- * * * *",
                             "* * * JANUARY *",
                             "@often",
                             "* * * * FRI-MON"}) {
        EXPECT_FALSE(Cron::try_parse(line).has_value()) << line;
    }
    EXPECT_FALSE(Cron::try_parse("* * * * *" + std::string(300, ' ')).has_value());
    EXPECT_THROW(Cron::parse("x"), Error);
}

}  // namespace
}  // namespace coracle
