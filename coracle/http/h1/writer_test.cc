// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/h1/writer.h>

#include <coracle/http/status.h>

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace coracle::http::h1 {
namespace {

std::string written(const ResponseHead& head) {
    Buffer out;
    if (!write_response_head(out, head)) {
        EXPECT_TRUE(out.empty()) << "a refused head leaves nothing behind";
        return "refused";
    }
    return std::string(out.view());
}

ResponseHead plain() {
    ResponseHead head;
    static const StandingFields standing = [] {
        StandingFields fields("coracle");
        fields.set_time(std::chrono::sys_seconds(std::chrono::seconds(784111777)));
        return fields;
    }();
    head.standing = &standing;
    head.content_type = "text/plain; charset=utf-8";
    return head;
}

TEST(ResponseWriter, WritesTheUsualResponseInOnePiece) {
    Buffer out;
    ASSERT_TRUE(write_response(out, plain(), "Hello, World!"));
    EXPECT_EQ(out.view(),
              "HTTP/1.1 200 OK\r\nServer: coracle\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
              "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 13\r\n\r\nHello, World!");
    // Appended, not put in place of what is there: pipelined responses share a write.
    ASSERT_TRUE(write_response(out, ResponseHead(), ""));
    EXPECT_TRUE(out.view().ends_with("Hello, World!HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
}

TEST(ResponseWriter, WritesEveryStatusWithItsPhrase) {
    for (int status = 200; status <= 999; ++status) {
        ResponseHead head;
        head.status = status;
        head.body = BodyFraming::none;
        EXPECT_EQ(written(head), "HTTP/1.1 " + std::to_string(status) + " " +
                                     std::string(reason_phrase(status)) + "\r\n\r\n");
    }
    ResponseHead head;
    head.status = 200;
    head.reason = "Fine";
    EXPECT_EQ(written(head), "HTTP/1.1 200 Fine\r\nContent-Length: 0\r\n\r\n");
    for (int status : {-1, 0, 99, 1000, 9999}) {
        head.status = status;
        EXPECT_EQ(written(head), "refused") << status;
    }
}

TEST(ResponseWriter, WritesLengthsOfEverySize) {
    for (std::uint64_t length = 1;; length *= 10) {
        for (std::uint64_t value : {length - 1, length, length + 1}) {
            ResponseHead head;
            head.content_length = value;
            EXPECT_EQ(written(head),
                      "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(value) + "\r\n\r\n");
        }
        if (length > std::numeric_limits<std::uint64_t>::max() / 10) break;
    }
}

TEST(ResponseWriter, WritesFramingOnlyWhereItMayStand) {
    ResponseHead head;
    head.content_length = 5;
    for (int status : {100, 101, 103, 204}) {
        head.status = status;
        for (BodyFraming body : {BodyFraming::none, BodyFraming::length, BodyFraming::chunked}) {
            head.body = body;
            std::string text = written(head);
            EXPECT_EQ(text.find("Content-Length"), std::string::npos) << status;
            EXPECT_EQ(text.find("Transfer-Encoding"), std::string::npos) << status;
        }
    }
    head.status = 304;
    head.body = BodyFraming::length;
    EXPECT_EQ(written(head), "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n");
    head.body = BodyFraming::chunked;
    EXPECT_EQ(written(head), "HTTP/1.1 304 Not Modified\r\n\r\n");
    head.status = 200;
    EXPECT_EQ(written(head), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST(ResponseWriter, WritesTheConnectionOption) {
    ResponseHead head;
    head.body = BodyFraming::none;
    head.connection = ConnectionOption::close;
    EXPECT_EQ(written(head), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    head.connection = ConnectionOption::keep_alive;
    EXPECT_EQ(written(head), "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n");
    head.connection = ConnectionOption::upgrade;
    head.status = 101;
    EXPECT_EQ(written(head), "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n");
}

TEST(ResponseWriter, PutsHeadersInOrderAndKeepsFramingToItself) {
    Headers headers;
    headers.add("Set-Cookie", "a=1");
    headers.add("Content-Length", "99");
    headers.add("transfer-encoding", "gzip");
    headers.add("Set-Cookie", "b=2");
    headers.add("Connection", "close");
    headers.add("Keep-Alive", "timeout=5");
    headers.add("X-Long", std::string(300, 'v'));
    ResponseHead head = plain();
    head.headers = &headers;
    head.content_length = 7;
    EXPECT_EQ(written(head),
              "HTTP/1.1 200 OK\r\nServer: coracle\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
              "Content-Type: text/plain; charset=utf-8\r\nSet-Cookie: a=1\r\nSet-Cookie: "
              "b=2\r\nX-Long: " +
                  std::string(300, 'v') + "\r\nContent-Length: 7\r\n\r\n");
}

TEST(ResponseWriter, LetsHeadersWinOverTheAutomaticFields) {
    Headers headers;
    headers.set("server", "mine");
    headers.set("DATE", "today");
    headers.set("Content-type", "a/b");
    ResponseHead head = plain();
    head.headers = &headers;
    EXPECT_EQ(written(head),
              "HTTP/1.1 200 OK\r\nserver: mine\r\nDATE: today\r\nContent-type: "
              "a/b\r\nContent-Length: 0\r\n\r\n");
}

// C097, CVE-2026-34519, CVE-2026-34520: nothing that could split a response leaves.
TEST(ResponseWriter, RefusesControlBytesInEveryPart) {
    for (unsigned byte = 0; byte < 256; ++byte) {
        bool allowed = byte == '\t' || (byte >= 0x20 && byte != 0x7F);
        for (std::size_t place : {0u, 7u, 20u}) {
            std::string value(21, 'v');
            value[place] = static_cast<char>(byte);
            for (auto part : {&ResponseHead::reason, &ResponseHead::content_type}) {
                ResponseHead head = plain();
                head.*part = value;
                EXPECT_EQ(written(head) != "refused", allowed) << byte;
                Buffer out;
                EXPECT_EQ(write_response(out, head, "body"), allowed);
                EXPECT_EQ(out.empty(), !allowed);
            }
        }
    }
}

TEST(ResponseWriter, FramesChunks) {
    Buffer out;
    write_chunk(out, "hello");
    write_chunk(out, "");
    write_chunk(out, std::string(300, 'x'));
    write_chunk_size(out, 0xABCDEF);
    write_last_chunk(out);
    EXPECT_EQ(out.view(),
              "5\r\nhello\r\n12c\r\n" + std::string(300, 'x') + "\r\nabcdef\r\n0\r\n\r\n");
}

TEST(ResponseWriter, WritesContinue) {
    Buffer out;
    write_continue(out);
    EXPECT_EQ(out.view(), "HTTP/1.1 100 Continue\r\n\r\n");
}

}  // namespace
}  // namespace coracle::http::h1
