// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/mime.h>

#include <gtest/gtest.h>

#include <string>

namespace coracle::http {
namespace {

TEST(Mime, KnowsTypesByExtension) {
    EXPECT_EQ(mime_type("index.html"), "text/html");
    EXPECT_EQ(mime_type("a.b/C.JS"), "text/javascript");
    EXPECT_EQ(mime_type("x.tar.gz"), "application/gzip");
    EXPECT_EQ(mime_type(".svg"), "image/svg+xml");
    for (const char* name :
         {"", "html", "a.html/b", "a.", "a.unknown", "a.averyveryverylongextension"})
        EXPECT_EQ(mime_type(name), "application/octet-stream") << name;
    EXPECT_TRUE(is_text_type("text/css"));
    EXPECT_TRUE(is_text_type("image/svg+xml"));
    EXPECT_FALSE(is_text_type("image/png"));
}

TEST(ContentType, IsTakenApart) {
    auto type = parse_content_type("Text/HTML; Charset=\"UTF-8\" ;boundary=a'b; x=\"a;\\\"b\"");
    ASSERT_TRUE(type);
    EXPECT_EQ(type->type, "text/html");
    EXPECT_EQ(type->charset(), "utf-8");
    EXPECT_EQ(type->parameter("boundary"), "a'b");
    EXPECT_EQ(type->parameter("x"), "a;\"b");
    EXPECT_EQ(type->parameter("y", "none"), "none");
    EXPECT_EQ(parse_content_type("a/b;;")->type, "a/b");
    EXPECT_EQ(parse_content_type("application/json")->charset(), "");
}

TEST(ContentType, RefusesWhatIsNone) {
    for (const char* value :
         {"", "text", "text/", "/html", "text html", "a/b c", "a/b; x", "a/b; =y",
          "a/b; x=", "a/b; x=\"y", "a/b; x=\"y\\", "a/b; x=\"y\"z", "a/b, c/d", "a/b; x y=z"})
        EXPECT_FALSE(parse_content_type(value)) << value;
    std::string many = "a/b";
    for (int i = 0; i < 32; ++i) many += ";x=y";
    EXPECT_TRUE(parse_content_type(many));
    EXPECT_FALSE(parse_content_type(many + ";x=y"));
}

}  // namespace
}  // namespace coracle::http
