// SPDX-License-Identifier: Apache-2.0
// StreamResponse: a response written piece by piece.
#pragma once

#include <coracle/core/task.h>
#include <coracle/http/headers.h>
#include <coracle/web/response.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace coracle::wire {
class Exchange;
}

namespace coracle::web {

class Request;

// Status and headers first, then prepare(), any number of write(), and write_eof(), whose result
// the handler returns:
//
//   Task<web::Response> count(web::Request& request) {
//       web::StreamResponse stream;
//       co_await stream.prepare(request);
//       for (int i = 0; i < 10; ++i) co_await stream.write(std::to_string(i) + "\n");
//       co_return co_await stream.write_eof();
//   }
//
// An exception after prepare() closes the connection, so that the peer sees the response is cut.
class StreamResponse {
  public:
    explicit StreamResponse(ResponseOptions options = {});

    // Before prepare() only, else Error.
    void set_status(int status, std::string_view reason = {});
    void set_content_type(std::string_view value);
    http::Headers& headers();
    void set_cookie(const http::SetCookie& cookie);
    // Announces the length, which the pieces must then add up to; without, the body is chunked.
    void set_content_length(std::uint64_t length);

    // Sends the head.
    Task<void> prepare(Request& request);
    // Sends a piece; waits while the peer reads more slowly than this is written. The bytes are
    // copied or sent before it returns. Throws wire::ConnectionLost when the peer is gone.
    Task<void> write(std::string bytes);
    // Ends the body.
    Task<Response> write_eof();

    bool is_prepared() const noexcept { return exchange_ != nullptr; }

  private:
    void check_not_prepared() const;
    Task<void> begin();
    static Task<void> write_piece(wire::Exchange& exchange, std::string bytes);
    static Task<Response> finish(wire::Exchange& exchange, int status);

    Response head_;
    std::optional<std::uint64_t> length_;
    wire::Exchange* exchange_ = nullptr;
};

}  // namespace coracle::web
