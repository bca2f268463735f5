// SPDX-License-Identifier: Apache-2.0
// Strict incremental parser of HTTP/1.0 and 1.1 request heads (RFC 9112 sections 2 to 6).
#pragma once

#include <coracle/http/h1/framing.h>
#include <coracle/http/h1/limits.h>
#include <coracle/http/h1/parse_error.h>
#include <coracle/http/request_head.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace coracle::http::h1 {

// One per connection. No lenient mode: a message that two readers could understand differently is
// Bad.
//
// Stricter than RFC 9112 asks, on purpose: a bare LF never ends a line; Content-Length beside
// Transfer-Encoding, or either one twice, is refused; so are folded lines, HTTP/1.0 with
// Transfer-Encoding, versions other than 1.0 and 1.1, '#' and bytes over 0x7E in the target,
// methods of anything but letters, '-' and '_', an empty Host. `Transfer-Encoding: x, chunked` with
// a coding x we lack is 501 as RFC 9112 6.1 says, where aiohttp reads the body as chunked; a
// Transfer-Encoding that does not end in chunked is 400.
//
//     auto result = parser.parse(buffer.view(), head);
//     if (result.status == ParseStatus::Done) {
//         ...head, parser.framing()...
//         buffer.consume(result.consumed);
//     }
class RequestParser {
  public:
    explicit RequestParser(const H1Limits& limits = H1Limits()) noexcept;

    // Parses the head at the front of `input`.
    //
    //   NeedMore  call again with the same bytes and more behind them; they may have moved
    //   Done      `out` and framing() are filled and `out` views `input`, whose first `consumed`
    //             bytes were the head; the next call starts the next message
    //   Bad       refused, as is every later call; the connection answers status_of(error) and
    //             closes
    //
    // Each byte is looked at once however small the pieces, and the outcome does not depend on how
    // the bytes were cut. After a message that ends the connection (framing().keep_alive is false)
    // any byte but CR and LF is Bad. Allocates nothing but the field list of `out`, whose memory is
    // kept from message to message.
    ParseResult parse(std::string_view input, RequestHead& out);

    // Of the message that was Done last.
    const Framing& framing() const noexcept { return framing_; }
    const H1Limits& limits() const noexcept { return limits_; }

    // Back to the state of a new connection.
    void reset() noexcept;

  private:
    enum class Stage : std::uint8_t {
        start,
        method,
        target,
        version,
        line_start,
        name,
        value_start,
        value,
        line_feed,
        failed,
    };

    ParseResult suspend(Stage stage, std::size_t position) noexcept;
    ParseResult refuse(ParseError error) noexcept;
    const char* read_plain_request_line(const char* base, const char* at, const char* end,
                                        RequestHead& out) const;
    const char* read_plain_lines(const char* base, const char* at, const char* end,
                                 HeaderFields& fields) const;
    bool is_good_host(const char* base, std::string_view host) noexcept;
    ParseError finish(RequestHead& out);

    H1Limits limits_;
    std::uint32_t position_ = 0;    // bytes of the input already looked at
    std::uint32_t mark_ = 0;        // start of the element being read
    std::uint32_t line_start_ = 0;  // start of the line being read
    std::uint32_t headers_start_ = 0;
    std::uint32_t name_size_ = 0;
    Stage stage_ = Stage::start;
    ParseError error_ = ParseError::none;
    bool closing_ = false;
    Framing framing_;
    // The latest Host that was found to be valid: most requests repeat it. Survives reset().
    std::array<char, 63> host_;
    std::uint8_t host_size_ = 0;
};

}  // namespace coracle::http::h1
