// SPDX-License-Identifier: Apache-2.0
// Writes HTTP/1.1 responses: head, chunk framing, and head with a small body in one go (RFC 9112).
#pragma once

#include <coracle/base/buffer.h>
#include <coracle/http/h1/framing.h>
#include <coracle/http/h1/standing_fields.h>
#include <coracle/http/headers.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace coracle::http::h1 {

// The Connection field of a response. `none` is right for HTTP/1.1 with keep-alive, `keep_alive`
// for HTTP/1.0 with it.
enum class ConnectionOption : std::uint8_t { none, close, keep_alive, upgrade };

// A response head to be written. Views only; used up within the call.
struct ResponseHead {
    int status = 200;                          // 100 to 999
    std::string_view reason = {};              // empty: the registered phrase
    const StandingFields* standing = nullptr;  // null: none
    std::string_view content_type = {};
    // Further fields, written in order. A Server, Date or Content-Type among them wins over those
    // above. Framing belongs to the connection: Content-Length, Transfer-Encoding, Connection and
    // Keep-Alive among them are left out.
    const Headers* headers = nullptr;
    // `length` writes Content-Length, zero included (so a HEAD answer tells the length it does not
    // send); `chunked` writes Transfer-Encoding; `none` writes neither. For 1xx and 204 neither is
    // ever written (RFC 9110 8.6), for 304 only Content-Length.
    BodyFraming body = BodyFraming::length;
    std::uint64_t content_length = 0;
    ConnectionOption connection = ConnectionOption::none;
};

// Appends the head, with its blank line. False, and nothing appended, if the status is out of range
// or any name, value or reason has a byte that may not leave: CR, LF, NUL or another control byte
// except TAB. Headers can hold no such byte; this is the second lock.
[[nodiscard]] bool write_response_head(Buffer& out, const ResponseHead& head);

// Head and body in one piece of memory, for one write. Content-Length is body.size() whatever
// head.content_length says; head.body is taken as `length`. The caller sees to it that the status
// allows a body.
[[nodiscard]] bool write_response(Buffer& out, const ResponseHead& head, std::string_view body);

// One chunk with its framing. Empty data writes nothing: an empty chunk would end the body.
void write_chunk(Buffer& out, std::string_view data);
// The framing alone, for data that is sent from where it lies: write_chunk_size, the data (not
// empty), "\r\n".
void write_chunk_size(Buffer& out, std::size_t size);
// Ends a chunked body; no trailers.
void write_last_chunk(Buffer& out);

// "HTTP/1.1 100 Continue" with its blank line.
void write_continue(Buffer& out);

}  // namespace coracle::http::h1
