// SPDX-License-Identifier: Apache-2.0
#include <coracle/wire/h1_server_connection.h>

#include <coracle/coracle.h>
#include <coracle/testing/memory_stream.h>
#include <coracle/testing/virtual_loop.h>
#include <coracle/wire/http_server.h>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace coracle::wire {
namespace {

// Answers by path, and remembers what it saw.
class Paths final : public RequestHandler {
  public:
    // "/none" is a bug that the connection reports; the tests need not show it hundreds of times.
    Paths() {
        log::set_level(log::Level::error);
        log::set_sink([](log::Level, std::string_view, std::string_view) {});
    }
    ~Paths() {
        log::set_sink({});
        log::set_level(log::Level::info);
    }

    Task<void> handle(Exchange& exchange) override {
        std::string path(exchange.request().raw_path());
        seen.push_back(path);
        if (path == "/echo") {
            std::string body;
            try {
                for (;;) {
                    std::string_view piece = co_await exchange.read_body();
                    if (piece.empty()) break;
                    body += piece;
                }
            } catch (const BodyError& error) {
                exchange.respond({.status = error.status(), .close = true}, error.what());
                co_return;
            }
            exchange.respond({.content_type = "text/plain"}, body);
        } else if (path == "/stream") {
            co_await exchange.begin({}, std::nullopt);
            co_await exchange.write("one ");
            co_await exchange.write("two");
            co_await exchange.finish();
        } else if (path == "/ticks") {
            co_await sleep(1s);
            co_await exchange.begin({}, std::nullopt);
            co_await sleep(1s);
            co_await exchange.write("tick ");
            co_await sleep(1s);
            co_await exchange.write("tock");
            if (!late_error.empty()) throw Error(late_error);
            co_await exchange.finish();
            co_await sleep(1s);  // has nothing more to say, and takes its time
        } else if (path == "/me") {
            current_scope().cancel("by itself");
            co_await sleep(0s);
        } else if (path == "/sized") {
            co_await exchange.begin({}, 6);
            co_await exchange.write("abc");
            co_await exchange.write("def");
            co_await exchange.finish();
        } else if (path == "/short") {
            co_await exchange.begin({}, 6);
            co_await exchange.write("abc");
        } else if (path == "/slow") {
            co_await sleep(1s);
            exchange.respond({}, "slow");
        } else if (path == "/big") {
            exchange.respond({}, std::string(1'000'000, 'b'));
        } else if (path == "/none") {
            co_return;
        } else if (path == "/empty") {
            exchange.respond({.status = 204}, "");
        } else {
            exchange.respond({}, "[" + path + "]");
        }
    }

    std::string refuse(int status, std::string_view sentence, std::string_view) override {
        return std::to_string(status) + ": " + std::string(sentence);
    }

    std::vector<std::string> seen;
    std::string late_error;
};

// Everything a server sends for `bytes`, with Date and Server taken out.
std::string without_date(std::string text) {
    for (std::size_t at; (at = text.find("Date: ")) != std::string::npos;) {
        text.erase(at, text.find("\r\n", at) + 2 - at);
    }
    for (std::size_t at; (at = text.find("Server: ")) != std::string::npos;) {
        text.erase(at, text.find("\r\n", at) + 2 - at);
    }
    return text;
}

struct Outcome {
    std::string response;
    std::vector<std::string> seen;
    Duration took{};
};

// Runs one connection to its end on a virtual clock: the client sends `bytes`, half-closes if told,
// and reads to the end.
Outcome converse(std::string bytes, testing::MemoryStreamOptions chunking = {},
                 bool half_close = true, ServerOptions options = {}, std::size_t split = 0) {
    Outcome outcome;
    testing::VirtualLoop loop;
    auto talk = [&]() -> Task<void> {
        Paths handler;
        ServerCounters counters;
        ServerLoop shared(EventLoop::current(), options, counters);
        auto [client, server] = testing::memory_stream_pair(chunking);
        if (split > 0) server->split_reads({split});
        H1ServerConnection connection(std::move(server), shared);
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(
                [](net::Stream& stream, std::string text, bool half) -> Task<void> {
                    try {
                        co_await stream.write_all(std::move(text));
                        if (half) stream.shutdown_write();
                    } catch (const Error&) {
                        // The server may close while we send.
                    }
                },
                std::ref(*client), bytes, half_close);
            group.create_task(
                [](net::Stream& stream, std::string& out) -> Task<void> {
                    try {
                        for (;;) {
                            Bytes piece = co_await stream.read();
                            if (piece.empty()) break;
                            out += piece;
                        }
                    } catch (const Error& error) {
                        out += "<reset>";
                    }
                },
                std::ref(*client), std::ref(outcome.response));
            co_await connection.serve(handler);
        });
        outcome.seen = handler.seen;
    };
    loop.run(talk());
    outcome.took = loop.clock().elapsed();
    outcome.response = without_date(outcome.response);
    return outcome;
}

std::string ok(std::string_view body, std::string_view fields = "") {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           std::string(fields) + "\r\n" + std::string(body);
}

struct Case {
    const char* name;
    std::string request;
    std::string response;
};

std::vector<Case> cases() {
    return {
        {"one", "GET /a HTTP/1.1\r\nHost: h\r\n\r\n", ok("[/a]")},
        {"pipelined in order",
         "GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /slow HTTP/1.1\r\nHost: h\r\n\r\nGET /c "
         "HTTP/1.1\r\nHost: h\r\n\r\n",
         ok("[/a]") + ok("slow") + ok("[/c]")},
        {"HEAD", "HEAD /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n",
         "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + ok("[/b]")},
        {"length",
         "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhelloGET /b HTTP/1.1\r\nHost: "
         "h\r\n\r\n",
         "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello" +
             ok("[/b]")},
        {"chunked",
         "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
         "chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nX-T: 1\r\n\r\n"
         "GET /b HTTP/1.1\r\nHost: h\r\n\r\n",
         "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello" +
             ok("[/b]")},
        {"unread body is skipped",
         "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhelloGET /b HTTP/1.1\r\nHost: "
         "h\r\n\r\n",
         ok("[/a]") + ok("[/b]")},
        {"streamed", "GET /stream HTTP/1.1\r\nHost: h\r\n\r\n",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n"},
        {"streamed to HTTP/1.0", "GET /stream HTTP/1.0\r\n\r\n",
         "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\none two"},
        {"streamed with length", "GET /sized HTTP/1.1\r\nHost: h\r\n\r\n", ok("abcdef")},
        {"HTTP/1.0 keep-alive",
         "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /b HTTP/1.0\r\n\r\n",
         ok("[/a]", "Connection: keep-alive\r\n") + ok("[/b]", "Connection: close\r\n")},
        {"close", "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
         ok("[/a]", "Connection: close\r\n")},
        {"204", "GET /empty HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"},
        {"no response becomes 500", "GET /none HTTP/1.1\r\nHost: h\r\n\r\n",
         "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain; "
         "charset=utf-8\r\nContent-Length: 26\r\n"
         "Connection: close\r\n\r\n500: Internal Server Error"},
        {"upgrade without a taker is an ordinary request",
         "GET /a HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
         ok("[/a]")},
    };
}

TEST(H1ServerConnection, AnswersWhateverTheBytesWereCutInto) {
    for (const Case& test : cases()) {
        SCOPED_TRACE(test.name);
        EXPECT_EQ(converse(test.request).response, test.response);
        EXPECT_EQ(converse(test.request, {.read_max = 1}).response, test.response)
            << "byte by byte";
        EXPECT_EQ(converse(test.request, {.capacity = 7, .write_max = 3}).response, test.response)
            << "through a narrow pipe";
        for (std::size_t at = 1; at < test.request.size(); ++at) {
            ASSERT_EQ(converse(test.request, {}, true, {}, at).response, test.response)
                << "split at " << at;
        }
    }
}

TEST(H1ServerConnection, ASlowHandlerDoesNotHoldBackEarlierResponses) {
    testing::VirtualLoop loop;
    auto talk = [&]() -> Task<void> {
        Paths handler;
        ServerCounters counters;
        ServerLoop shared(EventLoop::current(), {}, counters);
        auto [client, server] = testing::memory_stream_pair();
        H1ServerConnection connection(std::move(server), shared);
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(&H1ServerConnection::serve, &connection, std::ref(handler));
            co_await client->write_all(
                "GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
            Bytes first = co_await client->read();
            EXPECT_EQ(without_date(first), ok("[/a]"));
            EXPECT_EQ(loop.clock().elapsed(), 0s);
            Bytes second = co_await client->read();
            EXPECT_EQ(without_date(second), ok("slow"));
            EXPECT_EQ(loop.clock().elapsed(), 1s);
            client->close();
        });
    };
    loop.run(talk());
}

TEST(H1ServerConnection, MalformedRequestsGet400AndACloseAndReachNoHandler) {
    for (std::string request : {"GET /a HTTP/1.1\r\n\r\n", "GET /a HTTP/1.1\nHost: h\n\n",
                                "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: "
                                "1\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
        auto outcome = converse(request + "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n");
        EXPECT_EQ(outcome.response.substr(0, 24), "HTTP/1.1 400 Bad Request") << request;
        EXPECT_NE(outcome.response.find("Connection: close\r\n"), std::string::npos);
        EXPECT_TRUE(outcome.seen.empty()) << request;
    }
}

TEST(H1ServerConnection, ASmuggledChunkExtensionEndsTheConnection) {  // C022, CVE-2024-52304
    auto outcome = converse(
        "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
        "chunked\r\n\r\n2;\nxx\r\n45\r\n0\r\n\r\n"
        "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(outcome.response.substr(0, 12), "HTTP/1.1 400");
    EXPECT_EQ(outcome.seen, std::vector<std::string>{"/echo"});
}

TEST(H1ServerConnection, OverlongHeadsNameTheLimit) {
    auto line = converse("GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(line.response.substr(0, 12), "HTTP/1.1 414");
    EXPECT_NE(line.response.find("8192"), std::string::npos) << line.response;
    auto field = converse("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(9000, 'a') + "\r\n\r\n");
    EXPECT_EQ(field.response.substr(0, 12), "HTTP/1.1 431");
    std::string many = "GET / HTTP/1.1\r\nHost: h\r\n";
    for (int i = 0; i < 200; ++i) many += "X" + std::to_string(i) + ": 1\r\n";
    auto count = converse(many + "\r\n");
    EXPECT_EQ(count.response.substr(0, 12), "HTTP/1.1 431");
    EXPECT_NE(count.response.find("128"), std::string::npos) << count.response;
}

TEST(H1ServerConnection, UnknownExpectationIs417) {  // C082
    auto outcome =
        converse("POST /echo HTTP/1.1\r\nHost: h\r\nExpect: SPAM\r\nContent-Length: 2\r\n\r\nhi");
    EXPECT_EQ(outcome.response.substr(0, 12), "HTTP/1.1 417");
}

TEST(H1ServerConnection, ContinueIsSentWhenTheHandlerReads) {  // C083
    auto read = converse(
        "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi");
    // The body was there already, so nothing had to be asked for.
    EXPECT_EQ(read.response.find("100 Continue"), std::string::npos);

    testing::VirtualLoop loop;
    auto talk = [&]() -> Task<void> {
        Paths handler;
        ServerCounters counters;
        ServerLoop shared(EventLoop::current(), {}, counters);
        auto [client, server] = testing::memory_stream_pair();
        H1ServerConnection connection(std::move(server), shared);
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(&H1ServerConnection::serve, &connection, std::ref(handler));
            co_await client->write_all(
                "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: "
                "2\r\n\r\n");
            Bytes interim = co_await client->read();
            EXPECT_EQ(interim, "HTTP/1.1 100 Continue\r\n\r\n");
            co_await client->write_all("hi");
            Bytes answer = co_await client->read();
            EXPECT_TRUE(answer.ends_with("\r\n\r\nhi"));
            // A handler that does not read the body: the final answer comes at once and the
            // connection ends.
            co_await client->write_all(
                "POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
            Bytes refusal = co_await client->read_to_end(1000);
            EXPECT_EQ(without_date(refusal), ok("[/a]", "Connection: close\r\n"));
        });
    };
    loop.run(talk());
}

TEST(H1ServerConnection, AHeadThatTricklesIsClosedByTheHeaderDeadline) {
    testing::VirtualLoop loop;
    std::string response;
    auto talk = [&]() -> Task<void> {
        Paths handler;
        ServerCounters counters;
        ServerLoop shared(EventLoop::current(), {}, counters);
        auto [client, server] = testing::memory_stream_pair();
        H1ServerConnection connection(std::move(server), shared);
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(&H1ServerConnection::serve, &connection, std::ref(handler));
            group.create_task(
                [](net::Stream& stream) -> Task<void> {
                    try {
                        for (char c : std::string("GET / HTTP/1.1\r\nHost: host\r\n\r\n")) {
                            co_await stream.write_all(std::string(1, c));
                            co_await sleep(3s);
                        }
                    } catch (const Error&) {
                        // Closed by the server, as it should be.
                    }
                },
                std::ref(*client));
            response = co_await client->read_to_end(1000);
            EXPECT_EQ(handler.seen.size(), 0u);
        });
    };
    loop.run(talk());
    EXPECT_EQ(response.substr(0, 12), "HTTP/1.1 408");
}

TEST(H1ServerConnection, AnIdleConnectionIsClosedInSilence) {
    auto never = converse("", {}, false);
    EXPECT_EQ(never.response, "");
    EXPECT_EQ(never.took, 75s);
    auto after = converse("GET /a HTTP/1.1\r\nHost: h\r\n\r\n", {}, false, {.idle_timeout = 5s});
    EXPECT_EQ(after.response, ok("[/a]"));
    EXPECT_EQ(after.took, 5s);
}

TEST(H1ServerConnection, ABodyBelowTheMinimumRateIs408) {
    auto outcome =
        converse("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\nx", {}, false);
    EXPECT_EQ(outcome.response.substr(0, 12), "HTTP/1.1 408");
    EXPECT_GE(outcome.took, 10s);
    EXPECT_LE(outcome.took, 13s);
}

TEST(H1ServerConnection, APeerThatStopsReadingIsClosedByTheWriteDeadline) {
    testing::VirtualLoop loop;
    auto talk = [&]() -> Task<void> {
        Paths handler;
        ServerCounters counters;
        ServerLoop shared(EventLoop::current(), {}, counters);
        auto [client, server] = testing::memory_stream_pair();
        H1ServerConnection connection(std::move(server), shared);
        co_await client->write_all("GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
        co_await connection.serve(handler);
        EXPECT_EQ(loop.clock().elapsed(), 30s);
    };
    loop.run(talk());
}

TEST(H1ServerConnection, AnEarlyAnswerToALargeUploadArrives) {  // C076
    auto outcome = converse("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n" +
                            std::string(1'000'000, 'x'));
    EXPECT_EQ(outcome.response.substr(0, ok("[/a]", "Connection: close\r\n").size()),
              ok("[/a]", "Connection: close\r\n"));
}

TEST(H1ServerConnection, AnUnfinishedResponseIsCutNotCompleted) {
    auto outcome =
        converse("GET /short HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(outcome.response, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
    EXPECT_EQ(outcome.seen, std::vector<std::string>{"/short"});
}

TEST(H1ServerConnection, AThousandPipelinedRequestsNeedOneReadAhead) {  // CVE-2026-54273
    std::string requests, responses;
    for (int i = 0; i < 1000; ++i) {
        requests += "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
        responses += ok("[/a]");
    }
    EXPECT_EQ(converse(requests).response, responses);
}

TEST(H1ServerConnection, TwentyThousandOneByteChunksAreLinear) {  // C049, CVE-2025-69229
    std::string request = "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 20'000; ++i) request += "1\r\nx\r\n";
    auto outcome = converse(request + "0\r\n\r\n");
    EXPECT_TRUE(outcome.response.ends_with(std::string(20'000, 'x')));
}

TEST(H1ServerConnection, DrainEndsAnIdleConnectionAtOnceAndABusyOneAfterItsRequest) {
    testing::VirtualLoop loop;
    auto talk = [&]() -> Task<void> {
        Paths handler;
        ServerCounters counters;
        ServerLoop shared(EventLoop::current(), {}, counters);
        for (bool busy : {false, true}) {
            auto [client, server] = testing::memory_stream_pair();
            H1ServerConnection connection(std::move(server), shared);
            Duration start = loop.clock().elapsed();
            co_await task_group([&](TaskGroup& group) -> Task<void> {
                group.create_task(&H1ServerConnection::serve, &connection, std::ref(handler));
                if (busy) co_await client->write_all("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
                co_await testing::wait_all_tasks_blocked();
                EXPECT_EQ(connection.is_idle(), !busy);
                connection.drain();
                Bytes answer = co_await client->read_to_end(1000);
                EXPECT_EQ(without_date(answer), busy ? ok("slow", "Connection: close\r\n") : "");
                client->close();
            });
            EXPECT_EQ(loop.clock().elapsed() - start, busy ? 1s : 0s);
        }
    };
    loop.run(talk());
}

TEST(H1ServerConnection, EachPieceOfAWaitingHandlerGoesOutWhenItIsWritten) {
    testing::VirtualLoop loop;
    auto talk = [&]() -> Task<void> {
        Paths handler;
        ServerCounters counters;
        ServerLoop shared(EventLoop::current(), {}, counters);
        auto [client, server] = testing::memory_stream_pair();
        H1ServerConnection connection(std::move(server), shared);
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(&H1ServerConnection::serve, &connection, std::ref(handler));
            co_await client->write_all("GET /ticks HTTP/1.1\r\nHost: h\r\n\r\n");
            Bytes head = co_await client->read(1000);
            EXPECT_TRUE(std::string_view(head).ends_with("\r\n\r\n"));
            EXPECT_EQ(loop.clock().elapsed(), 1s);
            EXPECT_EQ(co_await client->read(1000), "5\r\ntick \r\n");
            EXPECT_EQ(loop.clock().elapsed(), 2s);
            EXPECT_EQ(co_await client->read_exactly(14), "4\r\ntock\r\n0\r\n\r\n");
            EXPECT_EQ(loop.clock().elapsed(), 3s);
            client->close();
        });
    };
    loop.run(talk());
}

TEST(H1ServerConnection, PiecesWrittenBeforeAnErrorArrive) {
    testing::VirtualLoop loop;
    auto talk = [&]() -> Task<void> {
        Paths handler;
        handler.late_error = "half way";
        ServerCounters counters;
        ServerLoop shared(EventLoop::current(), {}, counters);
        auto [client, server] = testing::memory_stream_pair();
        H1ServerConnection connection(std::move(server), shared);
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(
                [](H1ServerConnection& its_connection, Paths& its_handler) -> Task<void> {
                    EXPECT_THROW(co_await its_connection.serve(its_handler), Error);
                },
                std::ref(connection), std::ref(handler));
            co_await client->write_all("GET /ticks HTTP/1.1\r\nHost: h\r\n\r\n");
            co_await sleep(5s);
            Bytes all = co_await client->read(1000);
            EXPECT_TRUE(std::string_view(all).ends_with("5\r\ntick \r\n4\r\ntock\r\n"))
                << std::string_view(all);
            client->close();
        });
    };
    loop.run(talk());
}

TEST(H1ServerConnection, DrainDoesNotWaitForTheRestOfAHead) {
    testing::VirtualLoop loop;
    auto talk = [&]() -> Task<void> {
        Paths handler;
        ServerCounters counters;
        ServerLoop shared(EventLoop::current(), {}, counters);
        auto [client, server] = testing::memory_stream_pair();
        H1ServerConnection connection(std::move(server), shared);
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(&H1ServerConnection::serve, &connection, std::ref(handler));
            co_await client->write_all("GET /a HTTP/1.1\r\nHo");
            co_await testing::wait_all_tasks_blocked();
            connection.drain();
            EXPECT_EQ(co_await client->read_to_end(1000), "");
            client->close();
        });
        EXPECT_TRUE(handler.seen.empty());
    };
    loop.run(talk());
    EXPECT_LT(loop.clock().elapsed(), 3s);  // lingering at most, not the header deadline
}

TEST(HttpServer, ServesAcceptedConnectionsAndDrains) {
    testing::VirtualLoop loop;
    auto talk = [&]() -> Task<void> {
        Paths handler;
        ServerCounters counters;
        testing::MemoryListener listener;
        HttpServer server(handler, {.connections_max = 3}, counters);
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(&HttpServer::serve, &server, std::ref(listener));
            std::vector<std::unique_ptr<testing::MemoryStream>> clients;
            for (int i = 0; i < 4; ++i) clients.push_back(listener.connect());
            co_await testing::wait_all_tasks_blocked();
            EXPECT_EQ(server.connections(), 3u);
            EXPECT_EQ(counters.connections_refused.load(), 1u);
            co_await clients[0]->write_all("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
            co_await testing::wait_all_tasks_blocked();
            EXPECT_EQ(server.busy(), 1u);
            server.drain();
            co_await server.wait_closed();
            EXPECT_EQ(loop.clock().elapsed(), 1s);
            EXPECT_THROW(listener.connect(), Error);
        });
        EXPECT_EQ(counters.connections_open.load(), 0);
        EXPECT_EQ(counters.requests.load(), 1u);
    };
    loop.run(talk());
}

TEST(HttpServer, AHandlerThatCancelsItselfEndsItsConnectionOnly) {
    testing::VirtualLoop loop;
    auto talk = [&]() -> Task<void> {
        Paths handler;
        ServerCounters counters;
        testing::MemoryListener listener;
        HttpServer server(handler, {}, counters);
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(&HttpServer::serve, &server, std::ref(listener));
            auto other = listener.connect();
            co_await other->write_all("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
            auto client = listener.connect();
            co_await client->write_all("GET /me HTTP/1.1\r\nHost: h\r\n\r\n");
            EXPECT_EQ(co_await client->read_to_end(1000), "");
            client->close();
            Bytes answer = co_await other->read(1000);
            EXPECT_TRUE(std::string_view(answer).ends_with("slow"));
            other->close();
            auto third = listener.connect();
            co_await third->write_all("GET /empty HTTP/1.1\r\nHost: h\r\n\r\n");
            EXPECT_TRUE(std::string_view(co_await third->read(1000)).starts_with("HTTP/1.1 204"));
            third->close();
            server.drain();
            co_await server.wait_closed();
        });
    };
    loop.run(talk());
}

TEST(HttpServer, AbortCutsWhatIsLeftAndCountsIt) {
    testing::VirtualLoop loop;
    auto talk = [&]() -> Task<void> {
        Paths handler;
        ServerCounters counters;
        testing::MemoryListener listener;
        HttpServer server(handler, {}, counters);
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(&HttpServer::serve, &server, std::ref(listener));
            auto client = listener.connect();
            co_await client->write_all("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
            co_await testing::wait_all_tasks_blocked();
            EXPECT_EQ(server.abort(), 1u);
            co_await server.wait_closed();
        });
        EXPECT_EQ(loop.clock().elapsed(), 0s);
    };
    loop.run(talk());
}

}  // namespace
}  // namespace coracle::wire
