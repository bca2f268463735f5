// SPDX-License-Identifier: Apache-2.0
// A server connection that speaks no protocol: requests and responses are values in memory.
#pragma once

#include <coracle/core/event.h>
#include <coracle/core/task.h>
#include <coracle/http/headers.h>
#include <coracle/http/version.h>
#include <coracle/wire/server_connection.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coracle::wire {

// A request as a peer without a wire makes it. The host is "memory" unless a Host field says else.
// Not an aggregate, so that it can stand in an awaited expression on GCC 12:
//   co_await client.request(MemoryRequest("GET", "/hello"));
struct MemoryRequest {
    explicit MemoryRequest(std::string m = "GET", std::string t = "/", std::string b = {})
        : method(std::move(m)), target(std::move(t)), body(std::move(b)) {}

    std::string method;
    std::string target;
    http::Headers headers;
    std::string body;
    // Pieces the body comes in; zero: all at once.
    std::size_t body_piece_max = 0;
    // Whether Content-Length would have been sent.
    bool announce_length = true;
    http::Version version = http::Version::http_2;
};

// What came back. Framing fields are not there: there is no framing.
struct MemoryResponse {
    int status = 0;  // 0: the connection ended before a response
    std::string reason;
    std::string content_type;
    http::Headers headers;
    std::string body;
    // False when the response was begun and its end never came.
    bool complete = false;
    // The server wants this connection closed.
    bool close = false;
};

// The proof that handlers do not know HTTP/1, and the quickest way to test them:
//
//   auto connection = std::make_unique<MemoryServerConnection>();
//   auto client = connection->client();
//   group.create_task(serve, std::move(connection));       // connection->serve(handler)
//   auto response = co_await client.request(MemoryRequest("GET", "/hello"));
//
// Both ends belong to one loop. Requests are answered one after the other. A write never waits: the
// peer keeps everything.
class MemoryServerConnection final : public ServerConnection {
  public:
    class Client;

    MemoryServerConnection();
    ~MemoryServerConnection() override;

    // The peer's end; copies refer to the same connection and may outlive it.
    Client client() const noexcept;

    Task<void> serve(RequestHandler& handler) override;
    void drain() noexcept override;
    bool is_idle() const noexcept override;

  private:
    struct Pipe;
    class MemoryExchange;

    Task<void> answer(MemoryExchange& exchange, RequestHandler& handler);

    std::shared_ptr<Pipe> pipe_;
    bool idle_ = true;
};

class MemoryServerConnection::Client {
  public:
    explicit Client(std::shared_ptr<Pipe> pipe) noexcept : pipe_(std::move(pipe)) {}

    // Sends a request and waits for its response. Cancelling leaves the request with the server.
    Task<MemoryResponse> request(MemoryRequest request);

    // The peer leaves: the server's reads and writes throw ConnectionLost from now on.
    void close() noexcept;
    // Whether the server has ended the connection.
    bool is_closed() const noexcept;

  private:
    std::shared_ptr<Pipe> pipe_;
};

}  // namespace coracle::wire
