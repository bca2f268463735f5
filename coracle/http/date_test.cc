// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/date.h>

#include <gtest/gtest.h>

#include <string>

namespace coracle::http {
namespace {

using namespace std::chrono;

sys_seconds at(long long seconds_since_1970) { return sys_seconds(seconds(seconds_since_1970)); }

TEST(Date, IsFormatted) {
    EXPECT_EQ(format_date(at(784111777)), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(format_date(at(0)), "Thu, 01 Jan 1970 00:00:00 GMT");
    EXPECT_EQ(format_date(at(-1)), "Wed, 31 Dec 1969 23:59:59 GMT");
    EXPECT_EQ(format_date(at(951827696)), "Tue, 29 Feb 2000 12:34:56 GMT");
    EXPECT_EQ(format_date(sys_seconds::max()), "Fri, 31 Dec 9999 23:59:59 GMT");
    EXPECT_EQ(format_date(sys_seconds::min()), "Sat, 01 Jan 0000 00:00:00 GMT");
}

TEST(Date, IsReadInAllThreeForms) {
    EXPECT_EQ(parse_date("Sun, 06 Nov 1994 08:49:37 GMT"), at(784111777));
    EXPECT_EQ(parse_date("Sunday, 06-Nov-94 08:49:37 GMT"), at(784111777));
    EXPECT_EQ(parse_date("Sun Nov  6 08:49:37 1994"), at(784111777));
    EXPECT_EQ(parse_date("Tue Feb 29 12:34:56 2000"), at(951827696));
    EXPECT_EQ(parse_date("Sat, 31 Dec 2016 23:59:60 GMT"), at(1483228800));
    for (long long moment = -62135596800; moment < 253402300800; moment += 9876543210 / 3)
        EXPECT_EQ(parse_date(format_date(at(moment))), at(moment)) << moment;
}

// C112 and the rule that a recipient ignores what is no date.
TEST(Date, IsReadStrictly) {
    for (const char* text : {"",
                             "0",
                             "Sun, 06 Nov 1994 08:49:37",
                             "Sun, 06 Nov 1994 08:49:37 UTC",
                             "Sun, 06 Nov 1994 08:49:37 GMT ",
                             " Sun, 06 Nov 1994 08:49:37 GMT",
                             "sun, 06 nov 1994 08:49:37 gmt",
                             "Sun,  6 Nov 1994 08:49:37 GMT",
                             "Mon, 06 Nov 1994 08:49:37 GMT",
                             "Sun, 6 Nov 1994 08:49:37 GMT",
                             "Tue, 29 Feb 2001 00:00:00 GMT",
                             "Sun, 06 Nov 1994 24:00:00 GMT",
                             "Sun, 06 Nov 1994 08:60:00 GMT",
                             "Sun, 06 Nov 1994 08:49:61 GMT",
                             "Sun, 06 Nov 1994 8:49:37 GMT",
                             "Sun, 00 Nov 1994 08:49:37 GMT",
                             "Sun, 06 Nob 1994 08:49:37 GMT",
                             "Sun, +6 Nov 1994 08:49:37 GMT",
                             "Sun, 06-Nov-94 08:49:37 GMT",
                             "Sun Nov 6 08:49:37 1994",
                             "\xFF"})
        EXPECT_EQ(parse_date(text), std::nullopt) << text;
}

}  // namespace
}  // namespace coracle::http
