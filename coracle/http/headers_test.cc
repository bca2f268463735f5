// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/headers.h>

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace coracle::http {
namespace {

std::string joined(HeaderView headers) {
    std::string text;
    for (HeaderView::Field field : headers)
        text += std::string(field.name) + "=" + std::string(field.value) + ";";
    return text;
}

TEST(Headers, KeepOrderAndSpellingAndIgnoreCase) {
    Headers headers;
    EXPECT_TRUE(headers.empty());
    EXPECT_EQ(headers.get("a"), std::nullopt);
    headers.add("Set-Cookie", "a=1");
    headers.add("X-One", "1");
    headers.add("set-cookie", "b=2");
    EXPECT_EQ(joined(headers), "Set-Cookie=a=1;X-One=1;set-cookie=b=2;");
    EXPECT_EQ(headers.get("SET-COOKIE"), "a=1");
    EXPECT_EQ(headers.get_all("Set-Cookie"), (std::vector<std::string_view>{"a=1", "b=2"}));
    EXPECT_TRUE(headers.contains("x-one"));
    EXPECT_EQ(headers.get("x-two", "none"), "none");
    EXPECT_EQ(headers[1].name, "X-One");
    EXPECT_EQ(headers.wire_bytes(), "Set-Cookie: a=1\r\nX-One: 1\r\nset-cookie: b=2\r\n");
}

TEST(Headers, SetReplacesAllInThePlaceOfTheFirst) {
    Headers headers;
    headers.set("A", "1");
    headers.add("B", "2");
    headers.add("a", "3");
    headers.add("C", "4");
    headers.set("a", "a longer value than before");
    EXPECT_EQ(joined(headers), "a=a longer value than before;B=2;C=4;");
    headers.set("D", "5");
    EXPECT_EQ(headers.size(), 4u);
    EXPECT_TRUE(headers.set_default("E", "6"));
    EXPECT_FALSE(headers.set_default("e", "7"));
    EXPECT_EQ(headers.get("E"), "6");
}

TEST(Headers, RemoveTellsHowMany) {
    Headers headers{{"A", "1"}, {"Content-Type", "a/b"}, {"a", "2"}, {"B", "3"}};
    EXPECT_EQ(headers.remove("a"), 2u);
    EXPECT_EQ(headers.remove("a"), 0u);
    EXPECT_EQ(headers.get(KnownHeader::content_type), "a/b");
    EXPECT_EQ(headers.remove("CONTENT-TYPE"), 1u);
    EXPECT_FALSE(headers.contains(KnownHeader::content_type));
    EXPECT_EQ(joined(headers), "B=3;");
    headers.clear();
    EXPECT_TRUE(headers.empty());
    EXPECT_EQ(headers.wire_bytes(), "");
}

TEST(Headers, AcceptViewsOfThemselves) {
    Headers headers{{"A", "a value long enough to live on the heap and to move with it"}};
    for (int i = 0; i < 20; ++i) headers.add("B", headers.get("A", ""));
    for (std::string_view value : headers.get_all("b")) EXPECT_EQ(value, headers.get("A"));
    headers.set("B", headers.get("B", ""));
    EXPECT_EQ(headers.get_all("b").size(), 1u);
    EXPECT_EQ(headers.get("B"), headers.get("A"));
    headers.set(headers[0].name, "short");
    EXPECT_EQ(headers.get("A"), "short");
}

TEST(Headers, CopyAndMoveKeepTheirOwnBytes) {
    Headers headers;
    for (int i = 0; i < 40; ++i) headers.add("X-" + std::to_string(i), std::to_string(i));
    headers.add("Host", "a");
    Headers copy = headers;
    headers.set("X-7", "changed");
    EXPECT_EQ(copy.get("x-7"), "7");
    EXPECT_EQ(copy.get(KnownHeader::host), "a");
    Headers moved = std::move(copy);
    EXPECT_EQ(moved.size(), 41u);
    EXPECT_EQ(moved.get("x-39"), "39");
    copy = Headers{{"A", "1"}};
    EXPECT_EQ(copy.size(), 1u);
    copy = moved;
    EXPECT_EQ(copy.size(), 41u);
    copy = Headers(moved.view());
    EXPECT_EQ(joined(copy), joined(moved));
}

// C097, CVE-2023-49081: refused when set, by every way to set.
TEST(Headers, RefuseWhatCouldBreakAMessage) {
    Headers headers{{"A", "1"}};
    auto refuses = [&](std::string_view name, std::string_view value) {
        EXPECT_THROW(headers.set(name, value), InvalidHeader);
        EXPECT_THROW(headers.add(name, value), InvalidHeader);
        EXPECT_THROW(headers.set_default(name, value), InvalidHeader);
        EXPECT_THROW((Headers{{name, value}}), InvalidHeader);
        EXPECT_EQ(joined(headers), "A=1;");
    };
    for (unsigned byte = 0; byte < 256; ++byte) {
        char character = static_cast<char>(byte);
        std::string value = std::string("va") + character + "lue";
        if (byte != '\t' && (byte < 0x20 || byte == 0x7F)) {
            refuses("Name", value);
        } else {
            Headers allowed;
            allowed.set("Name", value);
            EXPECT_EQ(allowed.get("name"), value);
        }
        std::string name = std::string("Na") + character + "me";
        if (!is_token(name)) refuses(name, "value");
    }
    refuses("", "value");
    refuses("Name:", "value");
    refuses("Name", "value\r\nSet-Cookie: a=b");
    refuses("Name", std::string(65536, 'v'));
    try {
        headers.set("X-Token", "secret\r\n");
        FAIL();
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "set header \"X-Token\": byte 0x0D at offset 6 of the value");
    }
}

TEST(Headers, HoldABoundedNumberOfFields) {
    Headers headers;
    for (int i = 0; i < 65534; ++i) headers.add("N", "");
    EXPECT_THROW(headers.add("N", ""), InvalidHeader);
    EXPECT_EQ(headers.size(), 65534u);
}

TEST(KnownHeader, IsFoundByItsNameInAnyCaseAndByNoOther) {
    for (std::size_t i = 1; i < known_header_count; ++i) {
        auto header = static_cast<KnownHeader>(i);
        std::string name(known_header_name(header));
        EXPECT_EQ(known_header(name), header) << name;
        for (char& byte : name) byte = static_cast<char>(std::tolower(byte));
        EXPECT_EQ(known_header(name), header) << name;
        for (char& byte : name) byte = static_cast<char>(std::toupper(byte));
        EXPECT_EQ(known_header(name), header) << name;
        for (std::size_t at = 0; at < name.size(); ++at) {
            for (unsigned byte = 0; byte < 256; ++byte) {
                std::string other = name;
                other[at] = static_cast<char>(byte);
                EXPECT_EQ(known_header(other) == header, equal_ignoring_case(other, name)) << other;
            }
        }
        EXPECT_EQ(known_header(name + "x"), KnownHeader::none);
        EXPECT_EQ(known_header(std::string_view(name).substr(1)), KnownHeader::none);
    }
    EXPECT_EQ(known_header(""), KnownHeader::none);
    EXPECT_EQ(known_header_name(KnownHeader::none), "");
}

TEST(HeaderFields, RememberWhatIsRepeated) {
    Headers headers;
    HeaderFields fields;
    HeaderField field{};
    field.known = KnownHeader::host;
    fields.push_back(field);
    EXPECT_EQ(fields.repeated() & HeaderFields::bit(KnownHeader::host), 0u);
    fields.push_back(field);
    EXPECT_NE(fields.repeated() & HeaderFields::bit(KnownHeader::host), 0u);
    EXPECT_EQ(fields.find(KnownHeader::host), 0u);
    EXPECT_EQ(fields.find(KnownHeader::date), HeaderFields::npos);
    fields.release();
    EXPECT_TRUE(fields.empty());
    EXPECT_EQ(fields.repeated(), 0u);
    EXPECT_EQ(fields.find(KnownHeader::host), HeaderFields::npos);
}

TEST(HeaderText, ComparesAndSearchesLists) {
    EXPECT_TRUE(equal_ignoring_case("Keep-Alive", "kEEP-aLIVE"));
    EXPECT_FALSE(equal_ignoring_case("a", "ab"));
    EXPECT_FALSE(equal_ignoring_case("[", "{"));
    EXPECT_TRUE(list_contains("a, \tb ,c", "B"));
    EXPECT_TRUE(list_contains("upgrade", "Upgrade"));
    EXPECT_FALSE(list_contains("keep-alive, notupgrade", "upgrade"));  // C158
    EXPECT_FALSE(list_contains("a b", "b"));
    EXPECT_FALSE(list_contains("", "a"));
}

}  // namespace
}  // namespace coracle::http
