// SPDX-License-Identifier: Apache-2.0
// A server's end of one connection, whatever protocol it speaks.
#pragma once

#include <coracle/core/task.h>
#include <coracle/wire/exchange.h>

namespace coracle::wire {

// Serves the requests of one peer until either side ends it. HTTP/1 over a stream is one
// (h1_server_connection.h), an in-memory connection for tests another (memory_server_connection.h);
// HTTP/2 will be a third. Handlers cannot tell.
class ServerConnection {
  public:
    virtual ~ServerConnection() = default;

    // Reads requests and has `handler` answer them until the connection ends: closed by either
    // side, a deadline, drain(). Ends without an exception for everything a peer can do. Cancelling
    // closes the connection at once.
    virtual Task<void> serve(RequestHandler& handler) = 0;

    // Graceful end: finishes the request in progress, answers with Connection: close, and ends; at
    // once when idle.
    virtual void drain() noexcept = 0;

    // Between requests, waiting for the next.
    virtual bool is_idle() const noexcept = 0;
};

}  // namespace coracle::wire
