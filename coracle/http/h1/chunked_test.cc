// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/h1/chunked.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace coracle::http::h1 {
namespace {

struct Decoded {
    std::string body;
    ChunkStatus status = ChunkStatus::NeedMore;
    ParseError error = ParseError::none;
    std::size_t consumed = 0;

    std::string text() const {
        return std::to_string(static_cast<int>(status)) + "," +
               std::to_string(static_cast<int>(error)) + "," +
               std::to_string(status == ChunkStatus::Done ? consumed : 0) + "," + body;
    }
};

// Feeds `bytes` in pieces of the given sizes (the last one repeats), each in memory of its own.
Decoded decode(std::string_view bytes, const std::vector<std::size_t>& sizes,
               const H1Limits& limits = H1Limits()) {
    ChunkedDecoder decoder(limits);
    Decoded result;
    std::size_t next = 0;
    while (result.status == ChunkStatus::NeedMore && !bytes.empty()) {
        std::size_t size = std::min(sizes[std::min(next++, sizes.size() - 1)], bytes.size());
        if (size == 0) continue;
        std::vector<char> piece(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
        std::string_view input(piece.data(), piece.size());
        bytes.remove_prefix(size);
        while (true) {
            ChunkResult step = decoder.decode(input);
            input.remove_prefix(step.consumed);
            result.consumed += step.consumed;
            if (step.status != ChunkStatus::Data) {
                result.status = step.status;
                result.error = step.error;
                EXPECT_TRUE(input.empty() || step.status != ChunkStatus::NeedMore);
                break;
            }
            EXPECT_FALSE(step.data.empty());
            result.body += step.data;
        }
    }
    EXPECT_EQ(decoder.is_done(), result.status == ChunkStatus::Done);
    return result;
}

Decoded decode_whole(const std::string& bytes, const H1Limits& limits = H1Limits()) {
    return decode(bytes, {bytes.size()}, limits);
}

void expect_same_however_cut(const std::string& bytes, const H1Limits& limits = H1Limits()) {
    std::string whole = decode_whole(bytes, limits).text();
    EXPECT_EQ(decode(bytes, {1}, limits).text(), whole);
    for (std::size_t at = 0; at <= bytes.size(); ++at)
        ASSERT_EQ(decode(bytes, {at, bytes.size()}, limits).text(), whole) << "split at " << at;
}

struct Row {
    const char* id;
    std::string bytes;
    ParseError error;
    std::string body;
};

TEST(ChunkedDecoder, DecodesHoweverCut) {
    const std::vector<Row> rows = {
        {"one chunk", "5\r\nhello\r\n0\r\n\r\n", ParseError::none, "hello"},
        {"no chunk", "0\r\n\r\n", ParseError::none, ""},
        {"several", "3\r\nabc\r\nA\r\n0123456789\r\n1\r\n\n\r\n000\r\n\r\n", ParseError::none,
         "abc0123456789\n"},
        {"hexadecimal in both cases", "a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n",
         ParseError::none, "01234567890123456789a"},
        {"leading zeros", "0000000000000005\r\nhello\r\n0\r\n\r\n", ParseError::none, "hello"},
        {"data that looks like framing", "7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", ParseError::none,
         "\r\n0\r\n\r\n"},
        {"C023", "4;test\r\nabcd\r\n0\r\n\r\n", ParseError::none, "abcd"},
        {"extension with value", "4;a=b;c=\"d;\\\"e\t\xC3\xA9\" ; f\r\nabcd\r\n0;x=y\r\n\r\n",
         ParseError::none, "abcd"},
        {"C025 two trailers", "4\r\nabcd\r\n0\r\nX-One: 1\r\nX-Two:\r\n\r\n", ParseError::none,
         "abcd"},
        {"long trailer name", "0\r\nX-A-Name-Longer-Than-Any-Known-One: \t1\xFF\r\n\r\n",
         ParseError::none, ""},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.id);
        Decoded whole = decode_whole(row.bytes + "GET / HTTP/1.1\r\n");
        EXPECT_EQ(whole.status, ChunkStatus::Done);
        EXPECT_EQ(whole.body, row.body);
        EXPECT_EQ(whole.consumed, row.bytes.size());
        expect_same_however_cut(row.bytes);
        // Every proper prefix asks for more.
        for (std::size_t size = 0; size < row.bytes.size(); ++size)
            EXPECT_EQ(decode_whole(row.bytes.substr(0, size)).status, ChunkStatus::NeedMore)
                << size;
    }
}

TEST(ChunkedDecoder, RefusesHoweverCut) {
    using enum ParseError;
    const std::vector<Row> rows = {
        {"plus", "+5\r\nhello\r\n0\r\n\r\n", bad_chunk_size, ""},
        {"minus", "-5\r\n", bad_chunk_size, ""},
        {"0x", "0x5\r\n", bad_chunk_size, ""},
        {"underscore", "1_0\r\n", bad_chunk_size, ""},
        {"blank before", " 5\r\n", bad_chunk_size, ""},
        {"blank behind", "5 \r\n", bad_chunk_size, ""},
        {"blank before an extension", "5 ;a\r\n", bad_chunk_size, ""},
        {"empty line", "\r\n", bad_chunk_size, ""},
        {"extension without size", ";a\r\n", bad_chunk_size, ""},
        {"CVE-2025-69224 wide digit", "\xEF\xBC\x95\r\n", bad_chunk_size, ""},
        {"17 digits", "00000000000000005\r\n", bad_chunk_size, ""},
        {"2^63", "8000000000000000\r\n", bad_chunk_size, ""},
        {"2^64 - 1", "ffffffffffffffff\r\n", bad_chunk_size, ""},
        {"LF ends the size", "5\nhello\r\n0\r\n\r\n", bad_chunk_size, ""},
        {"CR ends the size", "5\rhello\r\n0\r\n\r\n", bad_line_end, ""},
        {"C022 CVE-2024-52304 LF in an extension",
         "2;\nxx\r\n4c\r\n0\r\n\r\nGET /admin HTTP/1.1\r\nHost: a\r\n\r\n", bad_chunk_extension,
         ""},
        {"C022 LF behind an extension name", "2;a\nxx\r\n0\r\n\r\n", bad_chunk_extension, ""},
        {"LF in a quoted extension", "2;a=\"\n\"\r\nxx\r\n0\r\n\r\n", bad_chunk_extension, ""},
        {"CR in a quoted extension", "2;a=\"\r\n\"\r\nxx\r\n0\r\n\r\n", bad_chunk_extension, ""},
        {"escaped LF", "2;a=\"\\\n\"\r\nxx\r\n", bad_chunk_extension, ""},
        {"CR without LF behind an extension", "2;a\rb\r\nxx\r\n", bad_line_end, ""},
        {"NUL in an extension", std::string("2;a=\"\0\"\r\n", 9), bad_chunk_extension, ""},
        {"empty extension", "2;\r\nxx\r\n", bad_chunk_extension, ""},
        {"empty value", "2;a=\r\nxx\r\n", bad_chunk_extension, ""},
        {"blank before =", "2;a =b\r\nxx\r\n", bad_chunk_extension, ""},
        {"blank at the end", "2;a \r\nxx\r\n", bad_chunk_extension, ""},
        {"text behind quotes", "2;a=\"b\"c\r\nxx\r\n", bad_chunk_extension, ""},
        {"data too long", "3\r\nabcd\r\n", bad_chunk_end, "abc"},
        {"LF behind data", "3\r\nabc\n0\r\n\r\n", bad_chunk_end, "abc"},
        {"CR without LF behind data", "3\r\nabc\rX", bad_chunk_end, "abc"},
        {"C026 LF in a trailer", "0\r\nX: a\nTransfer-Encoding: chunked\r\n\r\n", bad_trailer, ""},
        {"C026 LF ends a trailer", "0\r\nX: a\n\r\n", bad_trailer, ""},
        {"CVE-2025-53643 CR in a trailer", "0\r\nX: a\rb\r\n\r\n", bad_trailer, ""},
        {"NUL in a trailer", std::string("0\r\nX: \0\r\n\r\n", 11), bad_trailer, ""},
        {"trailer without colon", "0\r\nGET / HTTP/1.1\r\n\r\n", bad_trailer, ""},
        {"trailer without name", "0\r\n: a\r\n\r\n", bad_trailer, ""},
        {"blank before the colon", "0\r\nX : a\r\n\r\n", bad_trailer, ""},
        {"folded trailer", "0\r\nX: a\r\n b\r\n\r\n", bad_trailer, ""},
        {"LF ends the body", "0\r\n\n", bad_trailer, ""},
        {"CR without LF ends the body", "0\r\n\rX", bad_line_end, ""},
        {"Content-Length late", "0\r\ncontent-length: 5\r\n\r\n", forbidden_trailer, ""},
        {"Transfer-Encoding late", "0\r\nTransfer-Encoding: chunked\r\n\r\n", forbidden_trailer,
         ""},
        {"Host late", "0\r\nX: y\r\nhOST: a\r\n\r\n", forbidden_trailer, ""},
        {"Authorization late", "0\r\nAuthorization: x\r\n\r\n", forbidden_trailer, ""},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.id);
        Decoded whole = decode_whole(row.bytes);
        EXPECT_EQ(whole.status, ChunkStatus::Bad);
        EXPECT_EQ(static_cast<int>(whole.error), static_cast<int>(row.error));
        EXPECT_EQ(whole.body, row.body);
        EXPECT_EQ(status_of(whole.error), 400);
        expect_same_however_cut(row.bytes);
        ChunkedDecoder decoder;
        std::string_view rest = row.bytes;
        ChunkResult step;
        while ((step = decoder.decode(rest)).status == ChunkStatus::Data)
            rest.remove_prefix(step.consumed);
        EXPECT_EQ(decoder.decode("0\r\n\r\n").status, ChunkStatus::Bad) << "bad for good";
    }
}

// Extensions count over the whole body (CVE-2023-39326 of Go, CVE-2024-22019 of Node), trailers by
// the header limits (CVE-2026-22815).
TEST(ChunkedDecoder, CountsLimitsOverTheWholeBody) {
    H1Limits limits;
    limits.chunk_extension_bytes_max = 20;
    limits.header_line_bytes_max = 30;
    limits.headers_bytes_max = 100;
    limits.headers_count_max = 4;
    auto check = [&](const std::string& bytes, ParseError error) {
        Decoded whole = decode_whole(bytes, limits);
        EXPECT_EQ(static_cast<int>(whole.error), static_cast<int>(error)) << bytes;
        EXPECT_EQ(whole.status, error == ParseError::none ? ChunkStatus::Done : ChunkStatus::Bad)
            << bytes;
        expect_same_however_cut(bytes, limits);
    };
    auto chunk = [](std::size_t size) { return "1;" + std::string(size - 1, 'e') + "\r\nx\r\n"; };
    check(chunk(20) + "0\r\n\r\n", ParseError::none);
    check(chunk(21) + "0\r\n\r\n", ParseError::chunk_extension_too_long);
    check(chunk(8) + chunk(8) + chunk(4) + "0\r\n\r\n", ParseError::none);
    check(chunk(8) + chunk(8) + chunk(4) + "0;e\r\n\r\n", ParseError::chunk_extension_too_long);

    auto trailer = [](std::size_t size) { return "X: " + std::string(size - 3, 'v') + "\r\n"; };
    check("0\r\n" + trailer(30) + "\r\n", ParseError::none);
    check("0\r\n" + trailer(31) + "\r\n", ParseError::trailers_too_long);
    check("0\r\n" + std::string(31, 'n') + ": v\r\n\r\n", ParseError::trailers_too_long);
    check("0\r\n" + trailer(30) + trailer(30) + trailer(30) + "\r\n", ParseError::none);
    check("0\r\n" + trailer(30) + trailer(30) + trailer(30) + "A:\r\n\r\n", ParseError::none);
    check("0\r\n" + trailer(30) + trailer(30) + trailer(30) + "A:x\r\n\r\n",
          ParseError::trailers_too_long);
    check("0\r\nA:\r\nB:\r\nC:\r\nD:\r\n\r\n", ParseError::none);
    check("0\r\nA:\r\nB:\r\nC:\r\nD:\r\nE:\r\n\r\n", ParseError::trailers_too_long);
}

TEST(ChunkedDecoder, StartsAgainAfterReset) {
    ChunkedDecoder decoder;
    EXPECT_EQ(decoder.decode("x").status, ChunkStatus::Bad);
    decoder.reset();
    EXPECT_EQ(decoder.decode("0\r\n\r\n").status, ChunkStatus::Done);
    ChunkResult again = decoder.decode("more");
    EXPECT_EQ(again.status, ChunkStatus::Done);
    EXPECT_EQ(again.consumed, 0u);
}

// C049, CVE-2025-69229: a tiny chunk costs its own bytes. What was consumed is overwritten, so that
// looking at it again would be noticed.
TEST(ChunkedDecoder, NeverLooksBackOverManyOneByteChunks) {
    constexpr std::size_t count = 200'000;
    std::string bytes;
    for (std::size_t i = 0; i < count; ++i) bytes += "1\r\nx\r\n";
    bytes += "0\r\n\r\n";
    ChunkedDecoder decoder;
    std::size_t at = 0;
    std::size_t body = 0;
    for (;;) {
        ChunkResult step = decoder.decode(std::string_view(bytes).substr(at));
        body += step.data.size();
        std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), step.consumed, '\0');
        at += step.consumed;
        if (step.status == ChunkStatus::Data) continue;
        EXPECT_EQ(step.status, ChunkStatus::Done);
        break;
    }
    EXPECT_EQ(body, count);
    EXPECT_EQ(at, bytes.size());
}

}  // namespace
}  // namespace coracle::http::h1
