// SPDX-License-Identifier: Apache-2.0
// A server's end of an HTTP/1.1 connection over any stream.
#pragma once

#include <coracle/http/h1/parse_error.h>
#include <coracle/net/stream.h>
#include <coracle/wire/internal/connection_deadline.h>
#include <coracle/wire/server_connection.h>
#include <coracle/wire/server_loop.h>

#include <memory>

namespace coracle::wire {

// Keep-alive, pipelining answered in order, both framings both ways, 100-continue on demand. While
// it waits for a request it holds no buffer, only itself and the stream. Answers what it cannot
// parse with the status that the parser names and closes; closes silently when idle_timeout passes;
// 408 when a request's head takes longer than header_timeout.
class H1ServerConnection final : public ServerConnection {
  public:
    // `shared` outlives the connection.
    H1ServerConnection(std::unique_ptr<net::Stream> stream, ServerLoop& shared);

    Task<void> serve(RequestHandler& handler) override;
    void drain() noexcept override;
    bool is_idle() const noexcept override { return idle_; }

  private:
    Task<bool> serve_burst(RequestHandler& handler);
    Task<bool> discard_body(internal::H1Exchange& exchange);
    Task<bool> wait_for_rest(internal::H1Exchange& exchange, RequestHandler& handler);
    void refuse(const http::h1::ParseResult& parsed, internal::H1Exchange& exchange,
                RequestHandler& handler);
    Task<void> end_with(internal::H1Exchange& exchange);

    std::unique_ptr<net::Stream> stream_;
    ServerLoop& shared_;
    internal::ConnectionDeadline deadline_;
    bool idle_ = true;
    bool is_expendable_ = false;  // waits for bytes that no handler has asked for
    bool draining_ = false;
    internal::H1Exchange* busy_ = nullptr;
};

}  // namespace coracle::wire
