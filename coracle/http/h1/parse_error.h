// SPDX-License-Identifier: Apache-2.0
// Why an HTTP/1 message was refused, and what to answer.
#pragma once

#include <coracle/http/h1/limits.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace coracle::http::h1 {

enum class ParseStatus : std::uint8_t { NeedMore, Done, Bad };

enum class ParseError : std::uint8_t {
    none,
    // Request line.
    bad_method,
    bad_target,
    bad_version,
    version_unsupported,    // 505
    request_line_too_long,  // 414
    // Fields.
    bad_line_end,  // CR without LF, LF without CR
    bad_header_name,
    bad_header_value,
    folded_header,
    header_line_too_long,  // 431
    headers_too_long,      // 431
    too_many_headers,      // 431
    duplicate_header,
    missing_host,
    bad_host,
    obsolete_websocket,  // Sec-WebSocket-Key1
    // Framing.
    bad_content_length,
    bad_transfer_encoding,
    transfer_coding_unsupported,  // 501
    length_and_transfer_encoding,
    body_not_allowed,  // CONNECT with a body
    data_after_close,
    // Chunked bodies.
    bad_chunk_size,
    bad_chunk_extension,
    bad_chunk_end,
    chunk_extension_too_long,
    bad_trailer,
    forbidden_trailer,
    trailers_too_long,
};

// The status to answer: 400, or what the comment above says.
int status_of(ParseError error) noexcept;

// One sentence for the answer and the log; names the limit that was passed. Never repeats bytes of
// the peer.
std::string describe(ParseError error, const H1Limits& limits);

struct [[nodiscard]] ParseResult {
    ParseStatus status = ParseStatus::NeedMore;
    ParseError error = ParseError::none;  // only for Bad
    // Done: the bytes of the head, the body starts behind them. NeedMore and Bad: 0.
    std::size_t consumed = 0;
};

}  // namespace coracle::http::h1
