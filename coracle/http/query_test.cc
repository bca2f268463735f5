// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/query.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace coracle::http {
namespace {

std::string joined(const Query& query) {
    std::string text;
    for (Query::Parameter parameter : query)
        text += "[" + std::string(parameter.name) + "|" + std::string(parameter.value) + "]";
    return text;
}

TEST(Query, ReadsPairsInOrder) {
    struct Row {
        std::string_view text;
        std::string_view expected;
    };
    for (Row row : std::vector<Row>{
             {"", ""},
             {"a=1&b=2&a=3", "[a|1][b|2][a|3]"},
             {"arg", "[arg|]"},   // C089
             {"arg=", "[arg|]"},  // C089
             {"&&a&&", "[a|]"},
             {"=x&=", "[|x][|]"},
             {"a=b=c", "[a|b=c]"},
             {"a;b=c", "[a;b|c]"},
             {"a+b=c+d%2B&%26=%3D", "[a b|c d+][&|=]"},
             {"a=%2541&b=%zz&c=%", "[a|%41][b|%zz][c|%]"},
             {"n=%00%FF", std::string_view("[n|\0\xFF]", 6)},
         }) {
        auto query = Query::try_parse(row.text);
        ASSERT_TRUE(query);
        EXPECT_EQ(joined(*query), row.expected) << row.text;
    }
}

TEST(Query, FindsByName) {
    auto query = Query::try_parse("a=1&b=2&a=3&A=4");
    EXPECT_EQ(query->get("a"), "1");
    EXPECT_EQ(query->get("A"), "4");
    EXPECT_EQ(query->get("c"), std::nullopt);
    EXPECT_EQ(query->get("c", "none"), "none");
    EXPECT_EQ(query->get_all("a"), (std::vector<std::string_view>{"1", "3"}));
    EXPECT_TRUE(query->contains("b"));
}

TEST(Query, IsBounded) {
    QueryLimits limits;
    limits.parameters_count_max = 3;
    EXPECT_TRUE(Query::try_parse("a&b&c&&&", limits));
    EXPECT_FALSE(Query::try_parse("a&b&c&d", limits));
    std::string many = "a";
    for (int i = 1; i < 1000; ++i) many += "&a";
    EXPECT_TRUE(Query::try_parse(many));
    EXPECT_FALSE(Query::try_parse(many + "&a"));
}

TEST(Query, IsBuiltAndWrittenAgain) {
    Query query;
    query.add("a b", "c&d=e+f");
    query.add("x", "");
    query.add("y", *query.get("a b"));
    EXPECT_EQ(query.str(), "a+b=c%26d%3De%2Bf&x=&y=c%26d%3De%2Bf");
    EXPECT_EQ(joined(*Query::try_parse(query.str())), joined(query));
}

}  // namespace
}  // namespace coracle::http
