// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/url.h>

#include <coracle/http/request_head.h>

#include <gtest/gtest.h>

#include <string>

namespace coracle::http {
namespace {

TEST(Url, TakesAbsoluteUrlsApart) {
    Url url = Url::parse("HTTPS://me:secret@Example.ORG:8443/a%20b/c+d?x=1&y=a+b#top");
    EXPECT_TRUE(url.is_absolute());
    EXPECT_EQ(url.scheme(), "https");
    EXPECT_EQ(url.user_info(), "me:secret");
    EXPECT_EQ(url.host(), "example.org");
    EXPECT_EQ(url.port(), 8443);
    EXPECT_EQ(url.authority(), "example.org:8443");
    EXPECT_EQ(url.raw_path(), "/a%20b/c+d");
    EXPECT_EQ(url.path(), "/a b/c+d");
    EXPECT_EQ(url.query_string(), "x=1&y=a+b");
    EXPECT_EQ(url.path_qs(), "/a%20b/c+d?x=1&y=a+b");
    EXPECT_EQ(url.fragment(), "top");
    EXPECT_EQ(url.try_query()->get("y"), "a b");
    EXPECT_EQ(url.str(), "https://me:secret@example.org:8443/a%20b/c+d?x=1&y=a+b#top");
}

TEST(Url, FillsInDefaults) {
    EXPECT_EQ(Url::parse("http://a").port(), 80);
    EXPECT_EQ(Url::parse("https://a:").port(), 443);
    EXPECT_EQ(Url::parse("wss://a").port(), 443);
    EXPECT_EQ(Url::parse("http://a?x").raw_path(), "/");
    EXPECT_EQ(Url::parse("http://a?x").path_qs(), "/?x");
    EXPECT_EQ(Url::parse("http://a/?").path_qs(), "/?");
    EXPECT_EQ(Url::parse("http://[2001:DB8::1]:81/").host(), "2001:db8::1");
    EXPECT_EQ(Url::parse("http://[::1]/").authority(), "[::1]");
    EXPECT_EQ(Url::parse("/a?b#c").fragment(), "c");
    EXPECT_EQ(Url::parse("?b").query_string(), "b");
    EXPECT_EQ(Url().raw_path(), "/");
    EXPECT_EQ(default_port("HTTPS"), 443);
    EXPECT_EQ(default_port("ftp"), 0);
}

TEST(Url, RefusesWhatIsNone) {
    for (std::string_view text : {"",
                                  "a",
                                  "a.org/x",
                                  "ftp://a/",
                                  "http:/a",
                                  "http://",
                                  "http:///x",
                                  "http://:80/",
                                  "http://a:65536/",
                                  "http://a:1x/",
                                  "http://a b/",
                                  "http://a/b c",
                                  "http://a/\n",
                                  "http://a/\xC3\xA9",
                                  "http://[::1/",
                                  "http://u@/",
                                  "http://a,b/",
                                  "//a/b",
                                  "/a%00",
                                  "http://a/%00x",
                                  "/a\x7F"}) {
        EXPECT_FALSE(Url::try_parse(text)) << text;
        EXPECT_THROW(Url::parse(text), InvalidUrl) << text;
    }
    EXPECT_FALSE(Url::try_parse(std::string_view("/\0", 2)));
    EXPECT_FALSE(Url::try_parse("/" + std::string(65535, 'a')));
    EXPECT_TRUE(Url::try_parse("/" + std::string(65534, 'a')));
}

TEST(Url, ReadsEveryFormOfTarget) {
    EXPECT_EQ(Url::try_parse_target("//path")->path(), "//path");  // C038
    EXPECT_EQ(Url::try_parse_target("//path")->host(), "");
    EXPECT_EQ(Url::try_parse_target("/path%2523frag")->path(), "/path%23frag");  // C040
    EXPECT_EQ(Url::try_parse_target("/get/1.0+test")->path(), "/get/1.0+test");  // C127
    EXPECT_EQ(Url::try_parse_target("/a%2Fb/c")->raw_path(), "/a%2Fb/c");        // C128
    EXPECT_EQ(Url::try_parse_target("/a%252Fb")->path(), "/a%2Fb");              // C128
    EXPECT_EQ(Url::try_parse_target("/a%zz%4")->path(), "/a%zz%4");
    EXPECT_EQ(Url::try_parse_target("*")->raw_path(), "*");                      // C037
    EXPECT_EQ(Url::try_parse_target("example.org:443")->host(), "example.org");  // C035
    EXPECT_EQ(Url::try_parse_target("example.org:443")->port(), 443);
    EXPECT_EQ(Url::try_parse_target("http://a:81/x?y")->port(), 81);
    EXPECT_EQ(Url::try_parse_target("http://a:81/x?y")->path_qs(), "/x?y");
    for (std::string_view target : {"", "/a#b", "http://u@a/", "/a%00b", "/a b", "/\xFF"})
        EXPECT_FALSE(Url::try_parse_target(target)) << target;
}

TEST(Url, IsBuiltFromARequest) {
    Headers headers{{"Host", "a.example:8080"}};
    RequestParts parts;
    parts.target = "//x?y=z";
    parts.headers = &headers;
    std::string storage;
    RequestHead head;
    ASSERT_TRUE(build_request_head(parts, storage, head));
    EXPECT_EQ(Url::try_from(head)->str(), "http://a.example:8080//x?y=z");
    EXPECT_EQ(Url::try_from(head)->path(), "//x");
    head.set_secure(true);
    EXPECT_EQ(Url::try_from(head)->scheme(), "https");
    // CVE-2026-111748
    head.set_secure(false);
    parts.target = "https://b.example/x";
    ASSERT_TRUE(build_request_head(parts, storage, head));
    EXPECT_EQ(Url::try_from(head)->str(), "http://b.example/x");
    parts.headers = nullptr;
    parts.target = "/only";
    ASSERT_TRUE(build_request_head(parts, storage, head));
    EXPECT_FALSE(Url::try_from(head)->is_absolute());
}

}  // namespace
}  // namespace coracle::http
