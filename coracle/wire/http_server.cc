// SPDX-License-Identifier: Apache-2.0
#include <coracle/wire/http_server.h>

#include <coracle/core/checkpoint.h>
#include <coracle/core/task_group.h>
#include <coracle/wire/h1_server_connection.h>

#include <sys/resource.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

namespace coracle::wire {
// 80 % of the files the process may open: the rest is for files, pools and clients.
std::size_t default_connections_max() noexcept {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return 1'000'000;
    return static_cast<std::size_t>(limit.rlim_cur) / 5 * 4;
}

namespace {

ServerOptions with_defaults(ServerOptions options) {
    if (options.connections_max == 0) options.connections_max = default_connections_max();
    return options;
}

}  // namespace

// One connection in the server's list, for as long as it is served.
struct HttpServer::Entry : ListLink<> {
    Entry(HttpServer& server, ServerConnection& served) noexcept
        : owner(server), connection(served) {
        owner.connections_.push_back(*this);
        ++owner.open_;
        owner.counters_.connections_open.fetch_add(1, std::memory_order_relaxed);
    }
    ~Entry() {
        unlink();
        owner.counters_.connections_open.fetch_sub(1, std::memory_order_relaxed);
        if (--owner.open_ == 0) owner.closed_.set();
    }

    HttpServer& owner;
    ServerConnection& connection;
};

HttpServer::HttpServer(RequestHandler& handler, const ServerOptions& options,
                       ServerCounters& counters)
    : handler_(handler),
      counters_(counters),
      shared_(EventLoop::current(), with_defaults(options), counters) {}

HttpServer::~HttpServer() = default;

// Keeps a group's scope in the server's list while its connections live.
class HttpServer::GroupScope {
  public:
    GroupScope(HttpServer& server, net::Listener& listener) : server_(server), listener_(listener) {
        server_.listeners_.push_back(&listener_);
    }
    ~GroupScope() {
        std::erase(server_.listeners_, &listener_);
        std::erase(server_.scopes_, scope_);
    }
    GroupScope(const GroupScope&) = delete;
    GroupScope& operator=(const GroupScope&) = delete;

    void set(CancelScope& scope) {
        scope_ = &scope;
        server_.scopes_.push_back(scope_);
    }

  private:
    HttpServer& server_;
    net::Listener& listener_;
    CancelScope* scope_ = nullptr;
};

Task<void> HttpServer::serve(net::Listener& listener) {
    GroupScope registered(*this, listener);
    if (draining_) listener.close();
    co_await task_group([&](TaskGroup& group) -> Task<void> {
        registered.set(group.scope());
        while (auto stream = co_await listener.accept()) {
            if (open_ + starting_ >= shared_.options().connections_max) {
                counters_.connections_refused.fetch_add(1, std::memory_order_relaxed);
                stream->abort();
                continue;
            }
            counters_.connections_accepted.fetch_add(1, std::memory_order_relaxed);
            ++starting_;
            group.create_task(&HttpServer::serve_stream, this, std::move(stream));
        }
    });
}

Task<void> HttpServer::serve_stream(std::unique_ptr<net::Stream> stream) {
    --starting_;
    H1ServerConnection connection(std::move(stream), shared_);
    Entry entry(*this, connection);
    if (draining_) connection.drain();
    co_await connection.serve(handler_);
}

Task<void> HttpServer::serve_connection(std::unique_ptr<ServerConnection> connection) {
    Entry entry(*this, *connection);
    if (draining_) connection->drain();
    co_await connection->serve(handler_);
}

void HttpServer::drain() {
    draining_ = true;
    for (net::Listener* listener : listeners_) listener->close();
    for (Entry& entry : connections_) entry.connection.drain();
}

std::size_t HttpServer::abort() {
    drain();
    std::size_t cut = busy();
    for (CancelScope* scope : scopes_) scope->cancel("the server is closing");
    return cut;
}

Task<void> HttpServer::wait_closed() {
    co_await checkpoint();
    while (open_ > 0) {
        closed_.clear();
        co_await closed_.wait();
    }
}

std::size_t HttpServer::busy() noexcept {
    std::size_t count = 0;
    for (const Entry& entry : connections_) count += entry.connection.is_idle() ? 0 : 1;
    return count + starting_;
}

}  // namespace coracle::wire
