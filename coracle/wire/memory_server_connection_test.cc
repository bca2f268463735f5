// SPDX-License-Identifier: Apache-2.0
#include <coracle/wire/memory_server_connection.h>

#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>
#include <coracle/testing/virtual_loop.h>

#include <gtest/gtest.h>

#include <functional>

namespace coracle::wire {
namespace {

// Answers by target.
class Scripted final : public RequestHandler {
  public:
    Task<void> handle(Exchange& exchange) override {
        std::string_view path = exchange.request().raw_path();
        if (path == "/echo") {
            std::string body;
            for (;;) {
                std::string_view piece = co_await exchange.read_body();
                if (piece.empty()) break;
                ++pieces;
                body += piece;
            }
            exchange.respond({.content_type = "text/plain"}, body);
        } else if (path == "/stream" || path == "/short") {
            co_await exchange.begin({.status = 201}, 6);
            co_await exchange.write("one");
            if (path == "/short") co_return;
            co_await exchange.write("two");
            co_await exchange.finish();
        } else if (path == "/too-long") {
            co_await exchange.begin({}, 2);
            bool refused = false;
            try {
                co_await exchange.write("three");
            } catch (const InvalidResponse&) {
                refused = true;
            }
            if (refused) throw ConnectionLost("as a dispatcher does");
        } else if (path == "/slow") {
            co_await sleep(10s);
            exchange.respond({}, "slow");
        } else if (path == "/headers") {
            http::Headers headers;
            headers.set("X-Mine", "1");
            headers.set("Content-Length", "99");
            headers.set("Connection", "close");
            exchange.respond({.headers = &headers}, std::string(exchange.request().authority()));
        }
    }
    std::string refuse(int status, std::string_view sentence, std::string_view) override {
        return std::to_string(status) + ": " + std::string(sentence);
    }

    int pieces = 0;
};

Task<void> serve(MemoryServerConnection& connection, RequestHandler& handler, bool& ended) {
    co_await connection.serve(handler);
    ended = true;
}

using Body = std::function<Task<void>(MemoryServerConnection&, MemoryServerConnection::Client)>;

// Runs the body against a connection that must have ended by itself afterwards.
int run(Body body) {
    Scripted handler;
    bool ended = false;
    auto main = [&]() -> Task<void> {
        MemoryServerConnection connection;
        auto client = connection.client();
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(serve, std::ref(connection), std::ref(handler), std::ref(ended));
            co_await body(connection, client);
            client.close();
        });
        EXPECT_TRUE(client.is_closed());
    };
    testing::run(main());
    EXPECT_TRUE(ended);
    return handler.pieces;
}

TEST(MemoryServerConnection, HandsBodiesOutInThePiecesThatWereChosen) {
    int pieces = run([](MemoryServerConnection&, auto client) -> Task<void> {
        MemoryRequest request("POST", "/echo", "hello");
        request.body_piece_max = 2;
        auto response = co_await client.request(request);
        EXPECT_EQ(response.status, 200);
        EXPECT_EQ(response.body, "hello");
        EXPECT_EQ(response.content_type, "text/plain");
        EXPECT_TRUE(response.complete);
    });
    EXPECT_EQ(pieces, 3);
}

TEST(MemoryServerConnection, CollectsAStreamAndGivesHeadNoBody) {
    run([](MemoryServerConnection&, auto client) -> Task<void> {
        auto response = co_await client.request(MemoryRequest("GET", "/stream"));
        EXPECT_EQ(response.status, 201);
        EXPECT_EQ(response.reason, "Created");
        EXPECT_EQ(response.body, "onetwo");
        auto head = co_await client.request(MemoryRequest("HEAD", "/stream"));
        EXPECT_EQ(head.status, 201);
        EXPECT_EQ(head.body, "");
        EXPECT_TRUE(head.complete);
    });
}

TEST(MemoryServerConnection, AResponseThatIsNotFinishedIsIncompleteAndEndsTheConnection) {
    for (const char* target : {"/short", "/too-long"}) {
        run([target](MemoryServerConnection&, auto client) -> Task<void> {
            auto response = co_await client.request(MemoryRequest("GET", target));
            EXPECT_FALSE(response.complete);
            co_await testing::wait_all_tasks_blocked();
            EXPECT_TRUE(client.is_closed());
            auto after = co_await client.request(MemoryRequest("GET", "/echo"));
            EXPECT_EQ(after.status, 0);
        });
    }
}

TEST(MemoryServerConnection, DropsFramingFieldsAndFillsInTheHost) {
    run([](MemoryServerConnection&, auto client) -> Task<void> {
        auto response = co_await client.request(MemoryRequest("GET", "/headers"));
        EXPECT_EQ(response.body, "memory");
        EXPECT_EQ(response.headers.size(), 1U);
        EXPECT_EQ(response.headers.get("X-Mine", ""), "1");
        MemoryRequest named("GET", "/headers");
        named.headers.set("Host", "example.com");
        response = co_await client.request(named);
        EXPECT_EQ(response.body, "example.com");
    });
}

TEST(MemoryServerConnection, AnswersAHandlerWithoutAResponseAndAMalformedRequest) {
    run([](MemoryServerConnection&, auto client) -> Task<void> {
        auto response = co_await client.request(MemoryRequest("GET", "/nothing"));
        EXPECT_EQ(response.status, 500);
        EXPECT_TRUE(response.close);
    });
    run([](MemoryServerConnection&, auto client) -> Task<void> {
        auto response = co_await client.request(MemoryRequest("GET", "no slash"));
        EXPECT_EQ(response.status, 400);
    });
}

TEST(MemoryServerConnection, DrainEndsAnIdleOneAtOnceAndABusyOneAfterItsRequest) {
    run([](MemoryServerConnection& connection, auto client) -> Task<void> {
        EXPECT_TRUE(connection.is_idle());
        connection.drain();
        co_await testing::wait_all_tasks_blocked();
        EXPECT_TRUE(client.is_closed());
    });
    run([](MemoryServerConnection& connection, auto client) -> Task<void> {
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            auto slow = group.create_task(&MemoryServerConnection::Client::request,
                                          std::ref(client), MemoryRequest("GET", "/slow"));
            co_await sleep(1s);
            EXPECT_FALSE(connection.is_idle());
            connection.drain();
            auto response = co_await slow;
            EXPECT_EQ(response.body, "slow");
        });
        co_await testing::wait_all_tasks_blocked();
        EXPECT_TRUE(client.is_closed());
    });
}

}  // namespace
}  // namespace coracle::wire
