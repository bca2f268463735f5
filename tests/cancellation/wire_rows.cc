// SPDX-License-Identifier: Apache-2.0
// Rows of wire: servers, connections, and the two halves of an exchange.
#include "matrix.h"
#include "peer.h"

#include <coracle/wire/h1_server_connection.h>
#include <coracle/wire/http_server.h>
#include <coracle/wire/memory_server_connection.h>

#include <memory>
#include <optional>

namespace coracle::matrix {
namespace {

// Hands its exchange out, and answers when told to.
class HoldingHandler final : public wire::RequestHandler {
  public:
    Task<void> handle(wire::Exchange& exchange) override {
        current = &exchange;
        inside.set();
        co_await leave.wait();
        current = nullptr;
        if (!exchange.responded()) exchange.respond({}, "done");
    }
    std::string refuse(int, std::string_view, std::string_view) override { return {}; }

    wire::Exchange* current = nullptr;
    Event inside;
    Event leave;
};

// A server on the cell's loop.
class WithServer : public Subject {
  protected:
    HoldingHandler handler_;
    wire::ServerCounters counters_;
    wire::ServerOptions options_;
    wire::HttpServer server_{handler_, options_, counters_};
};

class ServerServe final : public WithServer {
  public:
    Task<void> await() override { co_await server_.serve(listener_); }
    void complete() override { server_.drain(); }
    void check(int) override { require(server_.connections() == 0, "a connection is left"); }

  private:
    testing::MemoryListener listener_;
};

class ServerServeConnection final : public WithServer {
  public:
    Task<void> await() override {
        auto connection = std::make_unique<wire::MemoryServerConnection>();
        client_ = connection->client();
        co_await server_.serve_connection(std::move(connection));
    }
    void complete() override { client_->close(); }
    void check(int) override { require(server_.connections() == 0, "a connection is left"); }

  private:
    std::optional<wire::MemoryServerConnection::Client> client_;
};

class ServerWaitClosed final : public WithServer {
  public:
    Task<void> set_up(TaskGroup& helpers) override {
        auto connection = std::make_unique<wire::MemoryServerConnection>();
        client_ = connection->client();
        helpers.create_task(&wire::HttpServer::serve_connection, &server_, std::move(connection));
        co_await testing::wait_all_tasks_blocked();
    }
    Task<void> await() override { co_await server_.wait_closed(); }
    void complete() override { client_->close(); }

  private:
    std::optional<wire::MemoryServerConnection::Client> client_;
};

class H1Serve final : public Subject {
  public:
    Task<void> await() override {
        auto [near, far] = testing::memory_stream_pair();
        peer_ = std::move(far);
        wire::H1ServerConnection connection(std::move(near), shared_);
        co_await connection.serve(handler_);
    }
    void complete() override { peer_->close(); }

  private:
    HoldingHandler handler_;
    wire::ServerCounters counters_;
    wire::ServerOptions options_;
    wire::ServerLoop shared_{get_running_loop(), options_, counters_};
    std::unique_ptr<testing::MemoryStream> peer_;
};

class MemoryServe final : public Subject {
  public:
    Task<void> await() override {
        wire::MemoryServerConnection connection;
        client_ = connection.client();
        co_await connection.serve(handler_);
    }
    void complete() override { client_->close(); }

  private:
    HoldingHandler handler_;
    std::optional<wire::MemoryServerConnection::Client> client_;
};

class MemoryRequest final : public Subject {
  public:
    Task<void> set_up(TaskGroup& helpers) override {
        helpers.create_task(&MemoryRequest::serve, this);
        co_return;
    }
    Task<void> await() override {
        auto response = co_await client_.request(wire::MemoryRequest());
        require(response.status == 200 && response.body == "done", "the response was lost");
    }
    void complete() override { handler_.leave.set(); }

  private:
    Task<void> serve() { co_await connection_.serve(handler_); }

    HoldingHandler handler_;
    wire::MemoryServerConnection connection_;
    wire::MemoryServerConnection::Client client_ = connection_.client();
};

// ---- the exchange, inside of a handler that an HTTP/1.1 request has reached

class InExchange : public WithServer {
  public:
    Task<void> set_up(TaskGroup& helpers) override {
        helpers.create_task(&wire::HttpServer::serve, &server_,
                            std::ref(static_cast<net::Listener&>(listener_)));
        peer_.connect(listener_);
        peer_.send(Peer::post_head);
        co_await handler_.inside.wait();
    }

  protected:
    wire::Exchange& exchange() { return *handler_.current; }

    testing::MemoryListener listener_{{.capacity = Peer::capacity}};
    Peer peer_;
};

class ExchangeReadBody final : public InExchange {
  public:
    Task<void> await() override {
        std::string_view piece = co_await exchange().read_body();
        read_ += piece.size();
    }
    void complete() override { peer_.send_body(); }
    void check(int) override { require(read_ == peer_.body_sent(), "bytes of the body were lost"); }

  private:
    std::size_t read_ = 0;
};

class ExchangeWrite final : public InExchange {
  public:
    explicit ExchangeWrite(std::size_t size) noexcept : size_(size) {}
    Task<void> set_up(TaskGroup& helpers) override {
        helpers_ = &helpers;
        co_await InExchange::set_up(helpers);
        co_await exchange().begin({}, std::nullopt);
    }
    Task<void> await() override {
        std::string piece(size_, 'x');
        co_await exchange().write(piece);
    }
    void complete() override { helpers_->create_task(&Peer::read_on, &peer_); }

  private:
    std::size_t size_;
    TaskGroup* helpers_ = nullptr;
};

}  // namespace

void add_wire_rows(Matrix& matrix) {
    const std::string fills =
        "never waits: it fills the connection's buffer, which write() sends; no checkpoint, so "
        "that a response is not cut between its head and its end for nothing";
    matrix.add<ServerServe>("wire::HttpServer::serve(listener)",
                            {.result_wins = false, .repeats = false});
    matrix.add<ServerServeConnection>("wire::HttpServer::serve_connection(connection)",
                                      {.keeps_completion = false});
    matrix.add<ServerWaitClosed>("wire::HttpServer::wait_closed()", {.result_wins = false});
    matrix.add<H1Serve>("wire::H1ServerConnection::serve(handler)", {.keeps_completion = false});
    matrix.add<MemoryServe>("wire::MemoryServerConnection::serve(handler)",
                            {.keeps_completion = false});
    matrix.elsewhere.push_back({"wire::ServerConnection::serve(handler)",
                                "abstract; see H1ServerConnection and MemoryServerConnection"});
    matrix.add<MemoryRequest>("wire::MemoryServerConnection::Client::request(request)",
                              {.result_wins = false});
    matrix.elsewhere.push_back({"wire::RequestHandler::handle(exchange)",
                                "abstract, what the user of a connection writes; run inside of the "
                                "rows of both connections"});
    matrix.add<ExchangeReadBody>("wire::Exchange::read_body()");
    matrix.add<ExchangeWrite>("wire::Exchange::write(bytes)",
                              {.result_wins = false, .repeats = false}, {}, {},
                              Peer::more_than_fits);
    matrix.add<ExchangeWrite>("wire::Exchange::write(bytes)", {.repeats = false},
                              never_waits("it fits into the connection's buffer"), "small",
                              std::size_t{10});
    matrix.elsewhere.push_back({"wire::Exchange::begin(head, length)", fills});
    matrix.elsewhere.push_back({"wire::Exchange::finish()", fills});
}

}  // namespace coracle::matrix
