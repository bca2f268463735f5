// SPDX-License-Identifier: Apache-2.0
// How an HTTP/1 message is delimited and what it asks of its connection: known to the connection,
// not to handlers.
#pragma once

#include <cstdint>

namespace coracle::http::h1 {

// How the end of the body is found (RFC 9112 section 6.3).
enum class BodyFraming : std::uint8_t { none, length, chunked };

// What `Expect` asked for. HTTP/1.0 requests always have `none`.
enum class Expectation : std::uint8_t { none, continue_100, unknown };

struct Framing {
    BodyFraming body = BodyFraming::none;
    // Whether another request may follow (RFC 9112 section 9.3).
    bool keep_alive = true;
    // `unknown` is answered 417.
    Expectation expect = Expectation::none;
    // HTTP/1.1 with `Connection: upgrade` and a non-empty `Upgrade` field; the switch happens after
    // the body.
    bool upgrade = false;
    // `upgrade`, and the Upgrade field lists websocket.
    bool upgrade_websocket = false;
    // CONNECT: after a 2xx the connection is a raw stream.
    bool tunnel = false;
    // For BodyFraming::length, at most 2^63-1; else 0. `Content-Length: 0` is BodyFraming::none.
    std::uint64_t content_length = 0;
};

}  // namespace coracle::http::h1
