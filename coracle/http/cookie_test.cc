// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/cookie.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace coracle::http {
namespace {

std::string joined(const Cookies& cookies) {
    std::string text;
    for (Cookies::Cookie cookie : cookies)
        text += "[" + std::string(cookie.name) + "|" + std::string(cookie.value) + "]";
    return text;
}

TEST(Cookies, AreReadFromAnything) {
    struct Row {
        std::string_view field;
        std::string_view expected;
    };
    for (Row row : std::vector<Row>{
             {"a=1; b=2", "[a|1][b|2]"},
             {"a=1;b=2;", "[a|1][b|2]"},
             {" a = 1 ;;\t; b=\"2 3\"", "[a|1][b|2 3]"},
             {"{a}=1; b[0]=2; c,d=3", "[{a}|1][b[0]|2][c,d|3]"},  // C103
             {"a=b=c==; d=", "[a|b=c==][d|]"},
             {"nothing; =x; a=\"; b=\"", "[a|\"][b|\"]"},
             {"a=1; a=2", "[a|1][a|2]"},
             {"\xD0\x9F=\xFF", "[\xD0\x9F|\xFF]"},
             {"", ""},
             {"=;=;=", ""},
         })
        EXPECT_EQ(joined(Cookies::parse(row.field)), row.expected) << row.field;
}

TEST(Cookies, ComeFromAllCookieFields) {
    Headers headers{{"Cookie", "a=1; b=2"}, {"Host", "x"}, {"cookie", "c=3"}};
    Cookies cookies(headers);
    EXPECT_EQ(joined(cookies), "[a|1][b|2][c|3]");
    EXPECT_EQ(cookies.get("c"), "3");
    EXPECT_EQ(cookies.get("C", "none"), "none");
    EXPECT_FALSE(cookies.contains("d"));
    EXPECT_TRUE(Cookies(Headers()).empty());
}

TEST(Cookies, AreBounded) {
    std::string field;
    for (int i = 0; i < 1500; ++i) field += "a=1;";
    EXPECT_EQ(Cookies::parse(field).size(), 1000u);
}

TEST(SetCookie, IsWrittenWithItsAttributes) {
    using namespace std::chrono;
    EXPECT_EQ(SetCookie("a", "1").str(), "a=1; Path=/");
    EXPECT_EQ(SetCookie("a", "").path("").str(), "a=");
    SetCookie cookie("session", "x_y-z!");
    cookie.domain("example.org")
        .path("/app")
        .max_age(minutes(2))
        .expires(sys_seconds(seconds(784111777)));
    cookie.secure().http_only().same_site(SameSite::lax).partitioned();
    EXPECT_EQ(cookie.str(),
              "session=x_y-z!; Domain=example.org; Expires=Sun, 06 Nov 1994 08:49:37 GMT; "
              "Max-Age=120; Path=/app; "
              "Secure; HttpOnly; SameSite=Lax; Partitioned");
    EXPECT_EQ(SetCookie("a", "1").same_site(SameSite::strict).str(),
              "a=1; Path=/; SameSite=Strict");
    EXPECT_EQ(SetCookie("a", "1").same_site(SameSite::none).secure().str(),
              "a=1; Path=/; Secure; SameSite=None");
    Headers headers;
    headers.add("Set-Cookie", cookie.str());
}

// C098
TEST(SetCookie, IsDeletedByAnExpiredOne) {
    EXPECT_EQ(SetCookie::expired("a").str(),
              "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/");
}

TEST(SetCookie, RefusesWhatWouldSplitIt) {
    for (const char* name : {"", "a b", "a;b", "a=b", "a\r\n", "{a}", "\xC3\xA9"})
        EXPECT_THROW(SetCookie(name, "1"), InvalidCookie) << name;
    for (const char* value :
         {"a b", "a;b", "a,b", "\"a\"", "a\\b", "a\r\nSet-Cookie: b=1", "\x01", "\x7F", "\xFF"})
        EXPECT_THROW(SetCookie("a", value), InvalidCookie) << value;
    EXPECT_THROW(SetCookie("a", std::string_view("\0", 1)), InvalidCookie);
    for (const char* value : {"/;Secure", "/\r\n", "/a b"}) {
        EXPECT_THROW(SetCookie("a", "1").path(value), InvalidCookie) << value;
        EXPECT_THROW(SetCookie("a", "1").domain(value), InvalidCookie) << value;
    }
    try {
        SetCookie("token", "se cret");
        FAIL();
    } catch (const InvalidCookie& error) {
        EXPECT_EQ(std::string(error.what()).find("cret"), std::string::npos);
    }
}

TEST(SetCookie, RefusesWhatBrowsersIgnore) {
    EXPECT_THROW(SetCookie("a", "1").same_site(SameSite::none).str(), InvalidCookie);
    EXPECT_THROW(SetCookie("a", "1").partitioned().str(), InvalidCookie);
    EXPECT_THROW(SetCookie("__Secure-a", "1").str(), InvalidCookie);
    EXPECT_THROW(SetCookie("__host-a", "1").str(), InvalidCookie);
    EXPECT_THROW(SetCookie("__Host-a", "1").secure().path("/x").str(), InvalidCookie);
    EXPECT_THROW(SetCookie("__Host-a", "1").secure().domain("x").str(), InvalidCookie);
    EXPECT_EQ(SetCookie("__Host-a", "1").secure().str(), "__Host-a=1; Path=/; Secure");
}

}  // namespace
}  // namespace coracle::http
