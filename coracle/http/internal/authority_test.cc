// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/internal/authority.h>

#include <gtest/gtest.h>

#include <string>

namespace coracle::http::internal {
namespace {

TEST(Authority, IsSplitAtThePort) {
    Authority parts;
    ASSERT_TRUE(split_authority("example.org:8080", parts));
    EXPECT_EQ(parts.host, "example.org");
    EXPECT_EQ(parts.port, "8080");
    ASSERT_TRUE(split_authority("[2001:db8::1]", parts));
    EXPECT_EQ(parts.host, "[2001:db8::1]");
    EXPECT_FALSE(parts.has_port);
    ASSERT_TRUE(split_authority("a:", parts));
    EXPECT_TRUE(parts.has_port);
    EXPECT_EQ(parts.port, "");
}

TEST(Authority, IsJudgedTheSameWithAndWithoutItsParts) {
    struct Row {
        std::string_view text;
        bool good;
    };
    for (Row row : {Row{"a", true},
                    {"a.b-c.d_e~f", true},
                    {"127.0.0.1:80", true},
                    {"a:", true},
                    {"a:65535", true},
                    {"a:0", true},
                    {"a%20b", true},
                    {"%C3%A9.org:1", true},
                    {"!$&'()*+;=", true},
                    {"[::1]:1", true},
                    {"[::ffff:127.0.0.1]", true},
                    {"a-rather-long-name.that-needs.several-vectors.example.org:12345", true},
                    {"", false},
                    {":80", false},
                    {"a:65536", false},
                    {"a:99999999999999999999", false},
                    {"a:8o", false},
                    {"a:+1", false},
                    {"a:1:2", false},
                    {"a,b", false},
                    {"a b", false},
                    {"a/b", false},
                    {"u@a", false},
                    {"a?", false},
                    {"a#", false},
                    {"a\\b", false},
                    {"a%4", false},
                    {"a%zz", false},
                    {"\xC3\xA9", false},
                    {"[::1", false},
                    {"[]", false},
                    {"[1]", false},
                    {"[::g]", false},
                    {"[::1]x", false},
                    {"[v1.a]", false},
                    {"[fe80::1%25eth0]", false},
                    {"::1", false}}) {
        std::string buffer = "Host: xxxxxxxxxxxxxxxx" + std::string(row.text);
        std::string_view inside = std::string_view(buffer).substr(buffer.size() - row.text.size());
        Authority parts;
        EXPECT_EQ(split_authority(row.text, parts), row.good) << row.text;
        EXPECT_EQ(is_authority(buffer.data(), inside), row.good) << row.text;
        std::string copy(row.text);
        EXPECT_EQ(is_authority(copy.data(), copy), row.good) << row.text;
    }
}

}  // namespace
}  // namespace coracle::http::internal
