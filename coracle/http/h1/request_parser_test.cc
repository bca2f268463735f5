// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/h1/request_parser.h>

#include <gtest/gtest.h>

#include <cstring>
#include <ostream>
#include <string>
#include <vector>

namespace coracle::http::h1 {
namespace {

// What a parse told, in one comparable line.
std::string summary(const ParseResult& result, const RequestHead& head, const Framing& framing) {
    std::string text;
    if (result.status == ParseStatus::NeedMore) return "NeedMore";
    if (result.status == ParseStatus::Bad)
        return "Bad " + std::to_string(static_cast<int>(result.error));
    text += "Done " + std::to_string(result.consumed) + " " + std::string(head.method_text()) +
            "|" + std::string(head.target()) + "|" + std::string(head.raw_path()) + "|" +
            std::string(head.query_string()) + "|" + std::string(head.authority()) + "|" +
            std::string(version_name(head.version())) + "|";
    for (HeaderView::Field field : head.headers())
        text += std::string(field.name) + "=" + std::string(field.value) + ";";
    text += "|" + std::to_string(static_cast<int>(framing.body)) + "," +
            std::to_string(framing.content_length) + "," + std::to_string(framing.keep_alive) +
            "," + std::to_string(static_cast<int>(framing.expect)) + "," +
            std::to_string(framing.upgrade) + std::to_string(framing.upgrade_websocket) +
            std::to_string(framing.tunnel);
    return text;
}

// Feeds `bytes` cut at the given places; each piece lies in fresh memory of exactly its size, so
// that views into an old buffer and reads past the end show under a sanitizer.
struct Fed {
    std::vector<char> memory;
    RequestHead head;
    RequestParser parser;
    ParseResult result;

    explicit Fed(const H1Limits& limits = H1Limits()) : parser(limits) {}

    const ParseResult& feed(std::string_view prefix) {
        std::vector<char> moved(prefix.begin(), prefix.end());
        result = parser.parse({moved.data(), moved.size()}, head);
        memory.swap(moved);
        return result;
    }
    std::string text() const { return summary(result, head, parser.framing()); }
};

std::string parse_whole(std::string_view bytes, const H1Limits& limits = H1Limits()) {
    Fed fed(limits);
    fed.feed(bytes);
    return fed.text();
}

std::string parse_bytewise(std::string_view bytes, const H1Limits& limits = H1Limits()) {
    Fed fed(limits);
    for (std::size_t size = 0; size <= bytes.size(); ++size)
        if (fed.feed(bytes.substr(0, size)).status != ParseStatus::NeedMore) break;
    return fed.text();
}

std::string parse_split(std::string_view bytes, std::size_t at,
                        const H1Limits& limits = H1Limits()) {
    Fed fed(limits);
    if (fed.feed(bytes.substr(0, at)).status == ParseStatus::NeedMore) fed.feed(bytes);
    return fed.text();
}

// Whole, byte by byte and split at every position give one and the same outcome.
void expect_same_however_cut(std::string_view bytes, const H1Limits& limits = H1Limits()) {
    std::string whole = parse_whole(bytes, limits);
    EXPECT_EQ(parse_bytewise(bytes, limits), whole) << testing::PrintToString(std::string(bytes));
    for (std::size_t at = 0; at <= bytes.size(); ++at)
        ASSERT_EQ(parse_split(bytes, at, limits), whole)
            << "split at " << at << " of " << testing::PrintToString(std::string(bytes));
}

struct Refusal {
    const char* id;  // row of the conformance list, CVE, or what it is about
    std::string bytes;
    ParseError error;
};

std::string get_with(const std::string& fields) {
    return "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}
std::string post_with(const std::string& fields) {
    return "POST / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

std::vector<Refusal> refusals() {
    using enum ParseError;
    return {
        // Host
        {"C004 HTTP/1.1 without Host", "GET / HTTP/1.1\r\n\r\n", missing_host},
        {"CVE-2026-34525 two Hosts", get_with("Host: b\r\n"), duplicate_header},
        {"two equal Hosts", get_with("host: a\r\n"), duplicate_header},
        {"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", bad_host},
        {"Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", bad_host},
        {"Host with a comma", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", bad_host},
        {"Host with a blank", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", bad_host},
        {"Host with user information", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", bad_host},
        {"Host with a high byte", "GET / HTTP/1.1\r\nHost: a\xC3\xA9\r\n\r\n", bad_host},
        {"Host with a port too large", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", bad_host},
        {"Host with a named port", "GET / HTTP/1.1\r\nHost: a:http\r\n\r\n", bad_host},
        {"Host of a port alone", "GET / HTTP/1.1\r\nHost: :80\r\n\r\n", bad_host},
        {"Host with open brackets", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", bad_host},
        {"Host with half a percent", "GET / HTTP/1.1\r\nHost: a%4\r\n\r\n", bad_host},
        {"bad Host in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a b\r\n\r\n", bad_host},
        // Fields that come once
        {"C007 Content-Length", post_with("Content-Length: 1\r\nContent-Length: 2\r\n"),
         duplicate_header},
        {"C007 equal Content-Length", post_with("Content-Length: 1\r\ncontent-length: 1\r\n"),
         duplicate_header},
        {"C007 Transfer-Encoding",
         post_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
         duplicate_header},
        {"C007 Content-Type", get_with("Content-Type: a/b\r\nContent-Type: a/b\r\n"),
         duplicate_header},
        {"C007 ETag", get_with("ETag: \"a\"\r\nEtag: \"a\"\r\n"), duplicate_header},
        {"C007 User-Agent", get_with("User-Agent: a\r\nUser-Agent: b\r\n"), duplicate_header},
        {"C007 Server", get_with("Server: a\r\nServer: b\r\n"), duplicate_header},
        {"C007 Content-Range", get_with("Content-Range: a\r\nContent-Range: b\r\n"),
         duplicate_header},
        {"C007 Content-Location", get_with("Content-Location: a\r\nContent-Location: b\r\n"),
         duplicate_header},
        {"C007 Max-Forwards", get_with("Max-Forwards: 1\r\nMax-Forwards: 1\r\n"), duplicate_header},
        {"two Expects", get_with("Expect: 100-continue\r\nExpect: x\r\n"), duplicate_header},
        // Names
        {"C010 space before the colon", get_with("Name : v\r\n"), bad_header_name},
        {"C010 tab before the colon", get_with("Name\t: v\r\n"), bad_header_name},
        {"C010 empty name", get_with(": v\r\n"), bad_header_name},
        {"C010 no colon", get_with("Name\r\n"), bad_header_name},
        {"C011 non-ASCII name", get_with("Nam\xC3\xA9: v\r\n"), bad_header_name},
        {"C011 NUL in a name", get_with(std::string("Na\0me: v\r\n", 10)), bad_header_name},
        {"CVE-2024-23829 space in a name", get_with("Content Length: 4\r\n"), bad_header_name},
        // Values and line ends
        {"C016 CR in a value", get_with("Name: v\rTransfer-Encoding: chunked\r\n"), bad_line_end},
        {"CVE-2023-37276 NUL in a value", get_with(std::string("Name: a\0b\r\n", 11)),
         bad_header_value},
        {"CVE-2023-37276 LF in a value", get_with("Name: a\nTransfer-Encoding: chunked\r\n"),
         bad_line_end},
        {"control byte in a value", get_with("Name: a\x01\r\n"), bad_header_value},
        {"DEL in a value", get_with("Name: a\x7F\r\n"), bad_header_value},
        {"bare LF after a name", get_with("Name\n"), bad_line_end},
        {"bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", bad_version},
        {"bare LF at the end of the head", "GET / HTTP/1.1\r\nHost: a\r\n\n", bad_line_end},
        {"bare LF before the request line", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", bad_line_end},
        {"bare CR before the request line", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", bad_line_end},
        {"CR CR LF", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", bad_line_end},
        {"bare CR ends the head", "GET / HTTP/1.1\r\nHost: a\r\n\rX", bad_line_end},
        {"folded line", get_with("Name: a\r\n b\r\n"), folded_header},
        {"folded with TAB", get_with("Name: a\r\n\tb\r\n"), folded_header},
        {"blank before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", folded_header},
        // Content-Length
        {"C017 -5", post_with("Content-Length: -5\r\n"), bad_content_length},
        {"C017 +256", post_with("Content-Length: +256\r\n"), bad_content_length},
        {"C017 superscript", post_with("Content-Length: \xC2\xB2\r\n"), bad_content_length},
        {"C017 CVE-2025-69224 wide digit", post_with("Content-Length: \xEF\xBC\x95\r\n"),
         bad_content_length},
        {"C017 word", post_with("Content-Length: line\r\n"), bad_content_length},
        {"underscore", post_with("Content-Length: 1_0\r\n"), bad_content_length},
        {"hexadecimal", post_with("Content-Length: 0x10\r\n"), bad_content_length},
        {"list of equals", post_with("Content-Length: 5, 5\r\n"), bad_content_length},
        {"empty", post_with("Content-Length:\r\n"), bad_content_length},
        {"2^63", post_with("Content-Length: 9223372036854775808\r\n"), bad_content_length},
        {"2^64 + 5", post_with("Content-Length: 18446744073709551621\r\n"), bad_content_length},
        {"40 digits", post_with("Content-Length: 1000000000000000000000000000000000000000\r\n"),
         bad_content_length},
        // Transfer-Encoding
        {"C019 chunked123", post_with("Transfer-Encoding: chunked123\r\n"), bad_transfer_encoding},
        {"C019 chunked, not", post_with("Transfer-Encoding: chunked, not\r\n"),
         bad_transfer_encoding},
        {"C019 Kelvin sign",
         post_with("Transfer-Encoding: chun\xE2\x84\xAA"
                   "ed\r\n"),
         bad_transfer_encoding},
        {"C020 not, chunked (501 where the reference reads on)",
         post_with("Transfer-Encoding: not, chunked\r\n"), transfer_coding_unsupported},
        {"gzip, chunked", post_with("Transfer-Encoding: gzip, chunked\r\n"),
         transfer_coding_unsupported},
        {"identity", post_with("Transfer-Encoding: identity\r\n"), bad_transfer_encoding},
        {"chunked twice in a list", post_with("Transfer-Encoding: chunked, chunked\r\n"),
         bad_transfer_encoding},
        {"chunked with a parameter", post_with("Transfer-Encoding: chunked;a=b\r\n"),
         bad_transfer_encoding},
        {"empty list members", post_with("Transfer-Encoding: , chunked\r\n"),
         bad_transfer_encoding},
        {"comma behind", post_with("Transfer-Encoding: chunked,\r\n"), bad_transfer_encoding},
        {"vertical tab",
         post_with("Transfer-Encoding: \x0B"
                   "chunked\r\n"),
         bad_header_value},
        {"quoted", post_with("Transfer-Encoding: \"chunked\"\r\n"), bad_transfer_encoding},
        {"no value", post_with("Transfer-Encoding:\r\n"), bad_transfer_encoding},
        {"CVE-2023-47641 both", post_with("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"),
         length_and_transfer_encoding},
        {"both, other order", post_with("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"),
         length_and_transfer_encoding},
        {"HTTP/1.0 with Transfer-Encoding", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
         bad_transfer_encoding},
        {"CONNECT with a body", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n",
         body_not_allowed},
        {"CONNECT with chunks",
         "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", body_not_allowed},
        // Request line
        {"C031 HTTP/1.32", "GET / HTTP/1.32\r\nHost: a\r\n\r\n", bad_version},
        {"C031 HT/11", "GET / HT/11\r\nHost: a\r\n\r\n", bad_version},
        {"C031 non-ASCII digit", "GET / HTTP/\xC2\xB9.1\r\nHost: a\r\n\r\n", bad_version},
        {"CVE-2023-47627 HTTP/+1.1", "GET / HTTP/+1.1\r\nHost: a\r\n\r\n", bad_version},
        {"lower case", "GET / http/1.1\r\nHost: a\r\n\r\n", bad_version},
        {"blank behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", bad_version},
        {"CR in place of CR LF", "GET / HTTP/1.1\rHost: a\r\n\r\n", bad_line_end},
        {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", version_unsupported},
        {"HTTP/0.9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", version_unsupported},
        {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", version_unsupported},
        {"HTTP/0.9 simple request", "GET /\r\n\r\n", bad_target},
        {"C032 GET1", "GET1 / HTTP/1.1\r\nHost: a\r\n\r\n", bad_method},
        {"empty method", " / HTTP/1.1\r\nHost: a\r\n\r\n", bad_method},
        {"TAB behind the method", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", bad_method},
        {"33 letters", std::string(33, 'A') + " / HTTP/1.1\r\nHost: a\r\n\r\n", bad_method},
        {"a TLS hello", std::string("\x16\x03\x01\x02\x00\x01", 6), bad_method},
        {"C034 !", "GET ! HTTP/1.1\r\nHost: a\r\n\r\n", bad_target},
        {"C034 0xFF", "GET \xFF HTTP/1.1\r\nHost: a\r\n\r\n", bad_target},
        {"high byte in a path", "GET /\xC3\xA9 HTTP/1.1\r\nHost: a\r\n\r\n", bad_target},
        {"fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", bad_target},
        {"NUL in the target", std::string("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 29), bad_target},
        {"CR in the target", "GET /\rX: y HTTP/1.1\r\nHost: a\r\n\r\n", bad_target},
        {"TAB in the target", "GET /\t HTTP/1.1\r\nHost: a\r\n\r\n", bad_target},
        {"two blanks", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", bad_target},
        {"three words", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", bad_version},
        {"asterisk for GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", bad_target},
        {"authority for GET", "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", bad_target},
        {"path for CONNECT", "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", bad_target},
        {"other scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", bad_target},
        {"absolute without host", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", bad_target},
        {"absolute with user information", "GET http://u:p@a/ HTTP/1.1\r\nHost: a\r\n\r\n",
         bad_target},
        // Others
        {"C047 hixie key", get_with("Sec-WebSocket-Key1: x\r\n"), obsolete_websocket},
    };
}

TEST(RequestParser, RefusesHoweverCut) {
    for (const Refusal& row : refusals()) {
        SCOPED_TRACE(row.id);
        Fed fed;
        const ParseResult& result = fed.feed(row.bytes);
        EXPECT_EQ(result.status, ParseStatus::Bad);
        EXPECT_EQ(static_cast<int>(result.error), static_cast<int>(row.error));
        EXPECT_EQ(result.consumed, 0u);
        expect_same_however_cut(row.bytes);
        // For good: the rest of the connection is not looked at.
        EXPECT_EQ(fed.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n").status, ParseStatus::Bad);
    }
}

// C011, C032: every byte that is no tchar, in a name and in a method.
TEST(RequestParser, RefusesEveryDelimiterInNames) {
    for (unsigned byte = 0; byte < 256; ++byte) {
        char character = static_cast<char>(byte);
        std::string name = std::string("Na") + character + "me";
        if (character == ':') continue;
        std::string result = parse_whole(get_with(name + ": v\r\n"));
        bool is_tchar =
            byte > 0 && std::strchr("!#$%&'*+-.^_`|~0123456789", static_cast<int>(byte)) != nullptr;
        is_tchar = is_tchar || (byte < 128 && std::isalpha(static_cast<int>(byte)));
        EXPECT_EQ(result.starts_with("Done"), is_tchar) << byte;

        std::string method = std::string("G") + character + "T";
        if (character == ' ') continue;
        bool is_method_byte =
            byte == '-' || byte == '_' || (byte < 128 && std::isalpha(static_cast<int>(byte)));
        std::string line = method + " / HTTP/1.1\r\nHost: a\r\n\r\n";
        EXPECT_EQ(parse_whole(line).starts_with("Done"), is_method_byte) << byte;
    }
}

TEST(RequestParser, LetsEveryTextByteAndNoOtherThroughInValues) {
    for (std::size_t place : {0u, 1u, 15u, 16u, 17u, 40u}) {
        for (unsigned byte = 0; byte < 256; ++byte) {
            std::string value(48, 'v');
            value[place] = static_cast<char>(byte);
            bool allowed = byte == '\t' || (byte >= 0x20 && byte != 0x7F);
            std::string bytes = get_with("Name: " + value + "\r\n");
            EXPECT_EQ(parse_whole(bytes).starts_with("Done"), allowed) << byte << " at " << place;
        }
    }
}

struct Acceptance {
    const char* id;
    std::string bytes;
    std::string expected;  // summary without "Done <size> "
};

std::vector<Acceptance> acceptances() {
    return {
        {"C001", "GET /a?b=c HTTP/1.1\r\nHost: example.org\r\n\r\n",
         "GET|/a?b=c|/a|b=c|example.org|HTTP/1.1|Host=example.org;|0,0,1,0,000"},
        {"C005 HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", "GET|/|/|||HTTP/1.0||0,0,0,0,000"},
        {"C008 two Set-Cookie lines",
         "GET / HTTP/1.1\r\nHost: a\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n",
         "GET|/|/||a|HTTP/1.1|Host=a;Set-Cookie=a=1;Set-Cookie=b=2;|0,0,1,0,000"},
        {"C013 TAB inside, blanks around", "GET / HTTP/1.1\r\nHost: a\r\nX: \t a\tb c \t \r\n\r\n",
         "GET|/|/||a|HTTP/1.1|Host=a;X=a\tb c;|0,0,1,0,000"},
        {"two blanks before", "GET / HTTP/1.1\r\nHost: a\r\nX:  a \r\n\r\n",
         "GET|/|/||a|HTTP/1.1|Host=a;X=a;|0,0,1,0,000"},
        {"close comes first",
         "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nConnection: x\r\n\r\n",
         "GET|/|/||a|HTTP/1.1|Host=a;Connection=close;Connection=x;|0,0,0,0,000"},
        {"keep-alive comes first",
         "GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: x\r\n\r\n",
         "GET|/|/|||HTTP/1.0|Connection=keep-alive;Connection=x;|0,0,1,0,000"},
        {"Upgrade with other options",
         "GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nUpgrade: websocket\r\n\r\n",
         "GET|/|/||a|HTTP/1.1|Host=a;Connection=x;Upgrade=websocket;|0,0,1,0,000"},
        {"empty value", "GET / HTTP/1.1\r\nHost: a\r\nX:\r\nY: \t\r\n\r\n",
         "GET|/|/||a|HTTP/1.1|Host=a;X=;Y=;|0,0,1,0,000"},
        {"C014 UTF-8 and CP1251", "GET / HTTP/1.1\r\nHost: a\r\nX: \xD0\x9F\xCF\xF0\r\n\r\n",
         "GET|/|/||a|HTTP/1.1|Host=a;X=\xD0\x9F\xCF\xF0;|0,0,1,0,000"},
        {"C035 CONNECT", "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n",
         "CONNECT|example.org:443|||example.org:443|HTTP/1.1|Host=example.org;|0,0,1,0,001"},
        {"C035 CONNECT without port, length 0",
         "CONNECT www.google.com HTTP/1.1\r\nHost: a\r\ncontent-length: 0\r\n\r\n",
         "CONNECT|www.google.com|||www.google.com|HTTP/1.1|Host=a;content-length=0;|0,0,1,0,001"},
        {"C037 OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
         "OPTIONS|*|*||a|HTTP/1.1|Host=a;|0,0,1,0,000"},
        {"C038 //path", "GET //path HTTP/1.1\r\nHost: a\r\n\r\n",
         "GET|//path|//path||a|HTTP/1.1|Host=a;|0,0,1,0,000"},
        {"C040 left encoded here", "GET /path%2523frag HTTP/1.1\r\nHost: a\r\n\r\n",
         "GET|/path%2523frag|/path%2523frag||a|HTTP/1.1|Host=a;|0,0,1,0,000"},
        {"absolute form, its host wins", "GET http://b:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n",
         "GET|http://b:81/x?y|/x|y|b:81|HTTP/1.1|Host=a;|0,0,1,0,000"},
        {"absolute form without path", "GET HTTP://b?y HTTP/1.1\r\nHost: b\r\n\r\n",
         "GET|HTTP://b?y|/|y|b|HTTP/1.1|Host=b;|0,0,1,0,000"},
        {"C041 1.1 close", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
         "GET|/|/||a|HTTP/1.1|Host=a;Connection=close;|0,0,0,0,000"},
        {"C041 1.1 keep-alive", "GET / HTTP/1.1\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n",
         "GET|/|/||a|HTTP/1.1|Host=a;Connection=Keep-Alive;|0,0,1,0,000"},
        {"C041 1.0 close", "GET / HTTP/1.0\r\nConnection: close\r\n\r\n",
         "GET|/|/|||HTTP/1.0|Connection=close;|0,0,0,0,000"},
        {"C041 1.0 keep-alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
         "GET|/|/|||HTTP/1.0|Connection=keep-alive;|0,0,1,0,000"},
        {"close wins",
         "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nConnection: x , CLOSE\r\n\r\n",
         "GET|/|/||a|HTTP/1.1|Host=a;Connection=keep-alive;Connection=x , CLOSE;|0,0,0,0,000"},
        {"C044 upgrade without Upgrade", "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n\r\n",
         "GET|/|/||a|HTTP/1.1|Host=a;Connection=upgrade;|0,0,1,0,000"},
        {"Upgrade without the option", "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
         "GET|/|/||a|HTTP/1.1|Host=a;Upgrade=websocket;|0,0,1,0,000"},
        {"C046 websocket with a body",
         "POST / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
         "Content-Length: 5\r\n\r\n",
         "POST|/|/||a|HTTP/1.1|Host=a;Connection=keep-alive, "
         "Upgrade;Upgrade=WebSocket;Content-Length=5;"
         "|1,5,1,0,110"},
        {"C046 websocket with chunks",
         "POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
         "Transfer-Encoding: chunked\r\n\r\n",
         "POST|/|/||a|HTTP/"
         "1.1|Host=a;Connection=upgrade;Upgrade=websocket;Transfer-Encoding=chunked;"
         "|2,0,1,0,110"},
        {"other protocol",
         "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: tcp\r\n\r\n",
         "GET|/|/||a|HTTP/1.1|Host=a;Connection=upgrade;Upgrade=tcp;|0,0,1,0,100"},
        {"no upgrade in HTTP/1.0",
         "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
         "GET|/|/|||HTTP/1.0|Connection=upgrade;Upgrade=websocket;|0,0,0,0,000"},
        {"C050 QUERY", "QUERY /q HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n",
         "QUERY|/q|/q||a|HTTP/1.1|Host=a;Content-Length=1;|1,1,1,0,000"},
        {"private method", "VERSION-CONTROL / HTTP/1.1\r\nHost: a\r\n\r\n",
         "VERSION-CONTROL|/|/||a|HTTP/1.1|Host=a;|0,0,1,0,000"},
        {"blank lines before", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
         "GET|/|/||a|HTTP/1.1|Host=a;|0,0,1,0,000"},
        {"expect",
         "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: "
         "9223372036854775807\r\n\r\n",
         "PUT|/|/||a|HTTP/1.1|Host=a;Expect=100-Continue;Content-Length=9223372036854775807;"
         "|1,9223372036854775807,1,1,000"},
        {"C082 expect spam", "PUT / HTTP/1.1\r\nHost: a\r\nExpect: SPAM\r\n\r\n",
         "PUT|/|/||a|HTTP/1.1|Host=a;Expect=SPAM;|0,0,1,2,000"},
        {"no expectations in HTTP/1.0", "PUT / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n",
         "PUT|/|/|||HTTP/1.0|Expect=100-continue;|0,0,0,0,000"},
        {"chunked in any case", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked \r\n\r\n",
         "POST|/|/||a|HTTP/1.1|Host=a;Transfer-Encoding=Chunked;|2,0,1,0,000"},
        {"IPv6 host", "GET / HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n",
         "GET|/|/||[2001:db8::1]:8080|HTTP/1.1|Host=[2001:db8::1]:8080;|0,0,1,0,000"},
        {"odd but common bytes in a query",
         "GET /?a={\"b\":[1|2^3]}`<> HTTP/1.1\r\nHost: a\r\n\r\n",
         "GET|/?a={\"b\":[1|2^3]}`<>|/|a={\"b\":[1|2^3]}`<>|a|HTTP/1.1|Host=a;|0,0,1,0,000"},
        {"? twice", "GET /a%20?b?c% HTTP/1.1\r\nHost: a\r\n\r\n",
         "GET|/a%20?b?c%|/a%20|b?c%|a|HTTP/1.1|Host=a;|0,0,1,0,000"},
    };
}

// C001, C002 and the accepting rows.
TEST(RequestParser, AcceptsHoweverCut) {
    for (const Acceptance& row : acceptances()) {
        SCOPED_TRACE(row.id);
        EXPECT_EQ(parse_whole(row.bytes),
                  "Done " + std::to_string(row.bytes.size()) + " " + row.expected);
        expect_same_however_cut(row.bytes);
        // A second message behind it is left alone.
        Fed fed;
        EXPECT_EQ(fed.feed(row.bytes + "GET / HT").consumed, row.bytes.size());
    }
}

TEST(RequestParser, NeverAsksForMoreThanTheHead) {
    std::string bytes = "POST /path HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    for (std::size_t size = 0; size < bytes.size() - 3; ++size)
        EXPECT_EQ(parse_whole(std::string_view(bytes).substr(0, size)), "NeedMore") << size;
    EXPECT_TRUE(parse_whole(bytes).starts_with("Done " + std::to_string(bytes.size() - 3)));
}

TEST(RequestParser, ParsesPipelinedRequestsOneByOne) {
    std::string bytes = get_with("A: 1\r\n") + get_with("B: 2\r\n") + get_with("C: 3\r\n");
    RequestParser parser;
    RequestHead head;
    std::string_view rest = bytes;
    for (std::string_view name : {"A", "B", "C"}) {
        ParseResult result = parser.parse(rest, head);
        ASSERT_EQ(result.status, ParseStatus::Done);
        EXPECT_EQ(head.headers().size(), 2u);
        EXPECT_TRUE(head.headers().contains(name));
        rest.remove_prefix(result.consumed);
    }
    EXPECT_TRUE(rest.empty());
}

// C043
TEST(RequestParser, RefusesBytesAfterARequestThatCloses) {
    for (const char* request :
         {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"}) {
        Fed fed;
        ASSERT_EQ(fed.feed(request).status, ParseStatus::Done);
        EXPECT_EQ(fed.feed("").status, ParseStatus::NeedMore);
        EXPECT_EQ(fed.feed("\r\n").status, ParseStatus::NeedMore);
        EXPECT_EQ(fed.feed("\r\nG").error, ParseError::data_after_close);
    }
}

TEST(RequestParser, KeepsViewsRightWhenTheBufferMoves) {
    std::string first = get_with("A: value\r\n");
    RequestParser parser;
    RequestHead head;
    ASSERT_EQ(parser.parse(first, head).status, ParseStatus::Done);
    std::string second = first;
    first.assign(first.size(), '?');
    head.rebase(second.data());
    EXPECT_EQ(head.headers().get("a"), "value");
    EXPECT_EQ(head.method_text(), "GET");
    EXPECT_EQ(head.authority(), "a");
}

TEST(RequestParser, TellsTheStatusAndNamesTheLimit) {
    H1Limits limits;
    limits.header_line_bytes_max = 777;
    EXPECT_EQ(status_of(ParseError::bad_host), 400);
    EXPECT_EQ(status_of(ParseError::request_line_too_long), 414);
    EXPECT_EQ(status_of(ParseError::header_line_too_long), 431);
    EXPECT_EQ(status_of(ParseError::headers_too_long), 431);
    EXPECT_EQ(status_of(ParseError::too_many_headers), 431);
    EXPECT_EQ(status_of(ParseError::transfer_coding_unsupported), 501);
    EXPECT_EQ(status_of(ParseError::version_unsupported), 505);
    EXPECT_EQ(describe(ParseError::header_line_too_long, limits),
              "Field line over the limit of 777 bytes (header_line_bytes_max).");
    for (int error = 0; error <= static_cast<int>(ParseError::trailers_too_long); ++error) {
        std::string sentence = describe(static_cast<ParseError>(error), limits);
        EXPECT_TRUE(sentence.ends_with('.')) << error;
    }
}

// C028, C029, C088, CVE-2026-54277: exactly at the limit is accepted, one more is refused, however
// it arrives.
TEST(RequestParser, CountsLimitsOverTheWholeMessage) {
    H1Limits limits;
    limits.request_line_bytes_max = 100;
    limits.header_line_bytes_max = 60;
    limits.headers_bytes_max = 200;
    limits.headers_count_max = 5;
    auto check = [&](const std::string& bytes, ParseError error) {
        Fed fed(limits);
        fed.feed(bytes);
        EXPECT_EQ(static_cast<int>(fed.result.error), static_cast<int>(error)) << bytes;
        EXPECT_EQ(fed.result.status,
                  error == ParseError::none ? ParseStatus::Done : ParseStatus::Bad)
            << bytes;
        expect_same_however_cut(bytes, limits);
    };
    auto target = [](std::size_t line_size) {
        return "GET /" + std::string(line_size - 14, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n";
    };
    check(target(100), ParseError::none);
    check(target(101), ParseError::request_line_too_long);
    check(target(1000), ParseError::request_line_too_long);
    check("\r\n\r\n" + target(96), ParseError::none);
    check("\r\n\r\n" + target(97), ParseError::request_line_too_long);
    std::string blank_lines;
    for (int i = 0; i < 60; ++i) blank_lines += "\r\n";
    check(blank_lines, ParseError::request_line_too_long);

    auto field = [](std::size_t size) { return "X: " + std::string(size - 3, 'v') + "\r\n"; };
    check(get_with(field(60)), ParseError::none);
    check(get_with(field(61)), ParseError::header_line_too_long);
    check(get_with(field(600)), ParseError::header_line_too_long);
    check(get_with(std::string(58, 'n') + ": \r\n"), ParseError::none);
    check(get_with(std::string(59, 'n') + ": \r\n"), ParseError::header_line_too_long);
    check(get_with(std::string(61, 'n') + ":\r\n"), ParseError::header_line_too_long);
    check(get_with("X:" + std::string(58, ' ') + "\r\n"), ParseError::none);
    check(get_with("X:" + std::string(59, ' ') + "\r\n"), ParseError::header_line_too_long);
    check(get_with("X:" + std::string(200, '\t') + "\r\n"), ParseError::header_line_too_long);

    // "Host: a\r\n" is 9 bytes.
    check(get_with(field(60) + field(60) + field(60) + field(3)), ParseError::none);
    check(get_with(field(60) + field(60) + field(60) + field(4)), ParseError::headers_too_long);
    check(get_with(field(60) + field(60) + field(60) + field(50)), ParseError::headers_too_long);
    check(get_with("A:\r\nB:\r\nC:\r\nD:\r\n"), ParseError::none);
    check(get_with("A:\r\nB:\r\nC:\r\nD:\r\nE:\r\n"), ParseError::too_many_headers);
}

TEST(RequestParser, KeepsTheDefaultLimits) {
    auto target = [](std::size_t size) {
        return "GET /" + std::string(size - 1, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n";
    };
    EXPECT_TRUE(parse_whole(target(8172)).starts_with("Done"));  // C028
    std::string long_target = target(8192);
    EXPECT_EQ(parse_whole(long_target), parse_split(long_target, 4096));
    Fed fed;
    EXPECT_EQ(fed.feed(long_target).error, ParseError::request_line_too_long);
    EXPECT_TRUE(parse_whole(get_with("X: " + std::string(8189, 'v') + "\r\n")).starts_with("Done"));
    Fed over;
    EXPECT_EQ(over.feed(get_with("X: " + std::string(16384, 'v') + "\r\n")).error,
              ParseError::header_line_too_long);
    std::string many;
    for (int i = 0; i < 127; ++i) many += "X" + std::to_string(i) + ": v\r\n";
    EXPECT_TRUE(parse_whole(get_with(many)).starts_with("Done"));
    Fed too_many;
    EXPECT_EQ(too_many.feed(get_with(many + "Y: v\r\n")).error, ParseError::too_many_headers);
}

TEST(RequestParser, HoldsNoMoreThanHeadBytesMax) {
    H1Limits limits;
    limits.request_line_bytes_max = 100;
    limits.headers_bytes_max = 1000;
    limits.headers_count_max = 1000;
    std::string bytes = "GET /" + std::string(86, 'a') + " HTTP/1.1\r\n";
    while (bytes.size() < 2000) bytes += "Name: value\r\n";
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        if (parse_whole(std::string_view(bytes).substr(0, size), limits) != "NeedMore") {
            EXPECT_LE(size, limits.head_bytes_max() + 1);
            return;
        }
    }
    FAIL() << "endless head accepted";
}

// A peer that sends a byte at a time costs as much per byte at the end of a long head as at its
// start: bytes of a value that were accepted are overwritten with what would be refused, and nobody
// notices.
TEST(RequestParser, LooksAtEachByteOnce) {
    std::string bytes = get_with("X: " + std::string(60'000, 'v') + "\r\n");
    std::size_t value = bytes.find("vvvv");
    H1Limits limits;
    limits.header_line_bytes_max = 65535;
    limits.headers_bytes_max = 200 * 1024;
    RequestParser parser(limits);
    RequestHead head;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        ASSERT_EQ(parser.parse(std::string_view(bytes).substr(0, size), head).status,
                  ParseStatus::NeedMore);
        if (size > value + 1 && bytes[size - 2] == 'v') bytes[size - 2] = '\0';
    }
    EXPECT_EQ(parser.parse(bytes, head).status, ParseStatus::Done);
}

TEST(RequestParser, FindsHeadersByNameAndByKnownName) {
    std::string bytes =
        get_with("accept: a\r\nX-One: 1\r\nAccept: b\r\nx-one: 2\r\nContent-Type: text/html\r\n");
    RequestParser parser;
    RequestHead head;
    ASSERT_EQ(parser.parse(bytes, head).status, ParseStatus::Done);
    HeaderView headers = head.headers();
    EXPECT_EQ(headers.get(KnownHeader::accept), "a");
    EXPECT_EQ(headers.get("ACCEPT"), "a");
    EXPECT_EQ(headers.get("x-ONE"), "1");
    EXPECT_EQ(headers.get_all("x-one"), (std::vector<std::string_view>{"1", "2"}));
    EXPECT_EQ(headers.get_all("accept"), (std::vector<std::string_view>{"a", "b"}));
    EXPECT_EQ(headers.get("content-type", ""), "text/html");
    EXPECT_EQ(headers.get(KnownHeader::cookie), std::nullopt);
    EXPECT_EQ(headers.get("x-two", "none"), "none");
    EXPECT_FALSE(headers.contains("x-two"));
}

// CVE-2026-111748: the target cannot choose the scheme.
TEST(RequestHead, TakesItsSchemeFromTheConnectionOnly) {
    std::string bytes = "GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n";
    RequestParser parser;
    RequestHead head;
    ASSERT_EQ(parser.parse(bytes, head).status, ParseStatus::Done);
    EXPECT_EQ(head.scheme(), "http");
    head.set_secure(true);
    EXPECT_EQ(head.scheme(), "https");
    std::string plain = "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n";
    ASSERT_EQ(parser.parse(plain, head).status, ParseStatus::Done);
    EXPECT_EQ(head.scheme(), "https");
}

TEST(RequestHead, IsBuiltWithoutHttp1) {
    Headers headers;
    headers.add("Accept", "text/html");
    headers.add("X-One", "1");
    RequestParts parts;
    parts.method = "POST";
    parts.target = "/a%20b?c=d";
    parts.authority = "example.org:8080";
    parts.headers = &headers;
    std::string storage;
    RequestHead head;
    ASSERT_TRUE(build_request_head(parts, storage, head));
    EXPECT_EQ(head.method(), Method::POST);
    EXPECT_EQ(head.raw_path(), "/a%20b");
    EXPECT_TRUE(head.path_is_encoded());
    EXPECT_EQ(head.query_string(), "c=d");
    EXPECT_EQ(head.authority(), "example.org:8080");
    EXPECT_EQ(head.version(), Version::http_2);
    EXPECT_EQ(head.headers().get("x-one"), "1");
    EXPECT_EQ(head.headers().get(KnownHeader::accept), "text/html");

    headers.set("Host", "other.example");
    parts.authority = {};
    ASSERT_TRUE(build_request_head(parts, storage, head));
    EXPECT_EQ(head.authority(), "other.example");

    for (const char* target : {"", "a", "/a b", "/a\r\nX: y", "/\xFF", "*"}) {
        parts.target = target;
        EXPECT_FALSE(build_request_head(parts, storage, head)) << target;
    }
    parts.target = "/";
    parts.method = "GE T";
    EXPECT_FALSE(build_request_head(parts, storage, head));
    parts.method = "GET";
    parts.authority = "a b";
    EXPECT_FALSE(build_request_head(parts, storage, head));
}

}  // namespace
}  // namespace coracle::http::h1
