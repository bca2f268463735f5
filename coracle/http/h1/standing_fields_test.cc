// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/h1/standing_fields.h>

#include <coracle/http/headers.h>

#include <gtest/gtest.h>

#include <string>

namespace coracle::http::h1 {
namespace {

TEST(StandingFields, AreTheServerAndTheDateOfThisSecond) {
    using std::chrono::seconds;
    std::chrono::sys_seconds then(seconds(784111777));
    StandingFields fields("coracle");
    EXPECT_EQ(fields.lines(), "Server: coracle\r\n");
    EXPECT_EQ(fields.date_line(), "");
    for (int i = 0; i < 2; ++i) {
        fields.set_time(then);
        EXPECT_EQ(fields.lines(), "Server: coracle\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    }
    fields.set_time(then + seconds(1));
    EXPECT_EQ(fields.server_line(), "Server: coracle\r\n");
    EXPECT_EQ(fields.date_line(), "Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n");
    fields.set_time(then);  // a clock that was set back
    EXPECT_EQ(fields.date_line(), "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
}

TEST(StandingFields, MayLackAServerButNotHoldABadOne) {
    StandingFields fields("");
    fields.set_time(std::chrono::sys_seconds());
    EXPECT_EQ(fields.lines(), "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
    for (std::string_view name : {std::string_view("a\r\nX: y"), std::string_view("a\0b", 3)}) {
        EXPECT_THROW(StandingFields{name}, InvalidHeader) << name;
    }
}

}  // namespace
}  // namespace coracle::http::h1
