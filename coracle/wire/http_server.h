// SPDX-License-Identifier: Apache-2.0
// HttpServer: accepts connections on one loop, serves each, and ends them gracefully.
#pragma once

#include <coracle/base/intrusive_list.h>
#include <coracle/core/cancel.h>
#include <coracle/core/event.h>
#include <coracle/core/task.h>
#include <coracle/net/listener.h>
#include <coracle/wire/exchange.h>
#include <coracle/wire/server_connection.h>
#include <coracle/wire/server_loop.h>
#include <coracle/wire/server_options.h>

#include <cstddef>
#include <memory>
#include <vector>

namespace coracle::wire {

// What ServerOptions::connections_max is when it is zero, for one loop alone in its process.
std::size_t default_connections_max() noexcept;

// One per loop. The handler, the counters and the listeners outlive serve().
//
//   HttpServer server(handler, {.idle_timeout = 30s}, counters);
//   group.create_task(&HttpServer::serve, std::ref(server), std::ref(*listener));
//   ...
//   server.drain();                       // stop accepting, let busy connections finish
//   co_await server.wait_closed();        // every connection has ended
class HttpServer {
  public:
    HttpServer(RequestHandler& handler, const ServerOptions& options, ServerCounters& counters);
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;
    ~HttpServer();

    // Accepts from the listener and serves each connection in a task of its own, until drain(),
    // abort() or cancellation; then closes the listener and waits for its connections to end. One
    // call per listener, several at a time are fine.
    Task<void> serve(net::Listener& listener);

    // Serves one connection that came from elsewhere.
    Task<void> serve_connection(std::unique_ptr<ServerConnection> connection);

    // Stops accepting; idle connections end at once, busy ones after the request in progress.
    void drain();

    // Cancels every connection: handlers see Cancelled, sockets are closed. Returns how many
    // requests were cut.
    std::size_t abort();

    // Returns when no connection is left.
    Task<void> wait_closed();

    std::size_t connections() const noexcept { return open_; }
    // Connections in the middle of a request.
    std::size_t busy() noexcept;

  private:
    struct Entry;
    class GroupScope;

    Task<void> serve_stream(std::unique_ptr<net::Stream> stream);

    RequestHandler& handler_;
    ServerCounters& counters_;
    ServerLoop shared_;
    IntrusiveList<Entry> connections_;
    std::vector<net::Listener*> listeners_;
    std::vector<CancelScope*> scopes_;  // of the groups that hold the connections
    Event closed_;
    std::size_t open_ = 0;
    std::size_t starting_ = 0;  // accepted, their task has not run yet
    bool draining_ = false;
};

}  // namespace coracle::wire
