// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/method.h>

#include <coracle/http/version.h>

#include <gtest/gtest.h>

#include <string>

namespace coracle::http {
namespace {

TEST(Method, HasItsWireSpelling) {
    for (Method method :
         {Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE,
          Method::OPTIONS, Method::CONNECT, Method::TRACE, Method::QUERY}) {
        EXPECT_EQ(parse_method(method_name(method)), method);
        EXPECT_TRUE(is_method(method_name(method)));
    }
    EXPECT_EQ(method_name(Method::DELETE), "DELETE");
    EXPECT_EQ(parse_method("get"), Method::other);
    EXPECT_EQ(parse_method("GETX"), Method::other);
    EXPECT_EQ(parse_method(""), Method::other);
    EXPECT_TRUE(is_method("M-SEARCH"));
    EXPECT_TRUE(is_method(std::string(32, 'A')));
    for (const char* text : {"", "GET1", "GE T", "G/T", "GET\n"})
        EXPECT_FALSE(is_method(text)) << text;
    EXPECT_FALSE(is_method(std::string(33, 'A')));
}

TEST(Version, IsNamedAsLogsWriteIt) {
    EXPECT_EQ(version_name(Version::http_1_0), "HTTP/1.0");
    EXPECT_EQ(version_name(Version::http_2), "HTTP/2");
}

}  // namespace
}  // namespace coracle::http
