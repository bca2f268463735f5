// SPDX-License-Identifier: Apache-2.0
// Handlers as their clients see them. Every test runs twice: over a connection that speaks no
// protocol, and over HTTP/1 in memory. Row numbers (C074) are those of the
// conformance list drawn from aiohttp's own tests.
#include <coracle/base/log.h>
#include <coracle/core/loop.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>
#include <coracle/exec/executor_error.h>
#include <coracle/net/error.h>
#include <coracle/testing/memory_stream.h>
#include <coracle/testing/virtual_loop.h>
#include <coracle/web/application.h>
#include <coracle/web/http_exceptions.h>
#include <coracle/web/internal/dispatcher.h>
#include <coracle/web/json.h>
#include <coracle/web/stream_response.h>
#include <coracle/wire/h1_server_connection.h>
#include <coracle/wire/memory_server_connection.h>
#include <coracle/wire/server_loop.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/describe.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>

namespace coracle::web {

struct Order {
    int id = 0;
    std::vector<std::string> items;
};
BOOST_DESCRIBE_STRUCT(Order, (), (id, items))

namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// What any client can say, and what comes back, in terms of no protocol.
using Ask = wire::MemoryRequest;
using Answer = wire::MemoryResponse;

Ask get_of(std::string target) { return Ask("GET", std::move(target)); }
Ask with(Ask ask, std::string_view name, std::string_view value) {
    ask.headers.set(name, value);
    return ask;
}

class Client {
  public:
    virtual ~Client() = default;
    virtual Task<Answer> ask(Ask request) = 0;
    virtual void close() = 0;
};

class InMemory final : public Client {
  public:
    InMemory() : client_(connection_.client()) {}
    Task<void> serve(wire::RequestHandler& handler) { return connection_.serve(handler); }
    Task<Answer> ask(Ask request) override { return client_.request(std::move(request)); }
    void close() override { client_.close(); }

  private:
    wire::MemoryServerConnection connection_;
    wire::MemoryServerConnection::Client client_;
};

class Http1 final : public Client {
  public:
    Http1() : shared_(EventLoop::current(), {}, counters_) {
        auto [client, server] = testing::memory_stream_pair();
        stream_ = std::move(client);
        connection_ = std::make_unique<wire::H1ServerConnection>(std::move(server), shared_);
    }
    Task<void> serve(wire::RequestHandler& handler) { return connection_->serve(handler); }
    void close() override { stream_->close(); }

    Task<Answer> ask(Ask request) override {
        co_await send(request);
        Answer answer;
        co_await read_head(answer);
        if (answer.status == 100) co_await read_head(answer);
        answer.close = answer.headers.get("Connection", "") == "close";
        answer.content_type = answer.headers.get("Content-Type", "");
        answer.complete = answer.status != 0;
        if (request.method == "HEAD" || http::status_forbids_body(answer.status)) co_return answer;
        answer.complete = false;
        auto length = answer.headers.get("Content-Length");
        if (length) {
            std::size_t size = std::stoul(std::string(*length));
            co_await read_exactly(answer, size);
        } else {
            co_await read_chunks(answer);
        }
        co_return answer;
    }

  private:
    Task<void> send(const Ask& request) {
        std::string text = request.method + " " + request.target + " HTTP/1.1\r\n";
        if (!request.headers.contains("Host")) text += "Host: memory\r\n";
        text += request.headers.wire_bytes();
        if (request.body.empty()) {
            text += "\r\n";
        } else if (request.announce_length) {
            text += "Content-Length: " + std::to_string(request.body.size()) + "\r\n\r\n";
            text += request.body;
        } else {
            text += "Transfer-Encoding: chunked\r\n\r\n";
            std::size_t most = request.body_piece_max ? request.body_piece_max : 1000;
            for (std::size_t i = 0; i < request.body.size(); i += most) {
                std::string piece = request.body.substr(i, most);
                char size[20];
                std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
                text += size + piece + "\r\n";
            }
            text += "0\r\n\r\n";
        }
        try {
            co_await stream_->write_all(std::move(text));
        } catch (const net::Error&) {
            // The server has answered already and wants no more of the body.
        }
    }

    // False at the end of the stream.
    Task<bool> more() {
        std::string piece = co_await stream_->read();
        input_ += piece;
        co_return !piece.empty();
    }

    Task<void> read_head(Answer& answer) {
        std::size_t end;
        while ((end = input_.find("\r\n\r\n")) == std::string::npos) {
            bool open = co_await more();
            if (!open) co_return;
        }
        std::string head = input_.substr(0, end + 2);
        input_.erase(0, end + 4);
        answer.status = std::stoi(head.substr(9, 3));
        std::size_t line = head.find("\r\n");
        answer.reason = head.substr(13, line - 13);
        answer.headers.clear();
        for (std::size_t at = line + 2; at < head.size();) {
            std::size_t next = head.find("\r\n", at);
            std::size_t colon = head.find(": ", at);
            answer.headers.add(std::string_view(head).substr(at, colon - at),
                               std::string_view(head).substr(colon + 2, next - colon - 2));
            at = next + 2;
        }
    }

    Task<void> read_exactly(Answer& answer, std::size_t size) {
        while (input_.size() < size) {
            bool open = co_await more();
            if (!open) co_return;
        }
        answer.body += input_.substr(0, size);
        input_.erase(0, size);
        answer.complete = true;
    }

    Task<void> read_chunks(Answer& answer) {
        for (;;) {
            std::size_t line;
            while ((line = input_.find("\r\n")) == std::string::npos) {
                bool open = co_await more();
                if (!open) co_return;
            }
            std::size_t size = std::stoul(input_.substr(0, line), nullptr, 16);
            input_.erase(0, line + 2);
            while (input_.size() < size + 2) {
                bool open = co_await more();
                if (!open) co_return;
            }
            answer.body += input_.substr(0, size);
            input_.erase(0, size + 2);
            if (size == 0) break;
        }
        answer.complete = true;
    }

    wire::ServerCounters counters_;
    wire::ServerLoop shared_;
    std::unique_ptr<wire::H1ServerConnection> connection_;
    std::unique_ptr<testing::MemoryStream> stream_;
    std::string input_;
};

// Collects what is logged while it lives.
class Logged {
  public:
    Logged() {
        log::set_sink([this](log::Level, std::string_view logger, std::string_view text) {
            std::lock_guard lock(mutex_);
            text_ += std::string(logger) + ": " + std::string(text) + "\n";
        });
    }
    ~Logged() { log::set_sink({}); }
    std::string text() {
        std::lock_guard lock(mutex_);
        return text_;
    }

  private:
    std::mutex mutex_;
    std::string text_;
};

template <class Transport>
class Handlers : public ::testing::Test {
  public:
    Logged logged;

    // Runs the body as a client of the application.
    void run(Application app, const std::function<Task<void>(Client&)>& body,
             bool access_log = false) {
        testing::run(run_inside(app, body, access_log));
    }

    // One request to an application of its own.
    Answer ask(Application app, Ask request) {
        Answer answer;
        run(std::move(app),
            [&](Client& client) -> Task<void> { answer = co_await client.ask(request); });
        return answer;
    }
    Answer ask(Handler handler, Ask request) {
        Application app;
        app.router().add_route("*", "/{tail:.*}", std::move(handler));
        return ask(std::move(app), std::move(request));
    }

  private:
    static Task<void> serve(Transport& transport, wire::RequestHandler& handler) {
        co_await transport.serve(handler);
    }
    static Task<void> run_inside(Application& app, const std::function<Task<void>(Client&)>& body,
                                 bool access_log) {
        internal::Dispatcher dispatcher(app, access_log);
        Transport transport;
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(&Handlers::serve, std::ref(transport), std::ref(dispatcher));
            co_await body(transport);
            transport.close();
        });
    }
};

using Transports = ::testing::Types<InMemory, Http1>;
TYPED_TEST_SUITE(Handlers, Transports);

Task<Response> hello(Request& request) {
    co_return text("Hello, " + std::string(request.match_info("name", "Anonymous")));
}

struct Greeter {
    std::string greeting;
    Task<Response> greet(Request&) { co_return text(greeting); }
    Task<Response> greet_const(Request&) const { co_return text(greeting); }
    Task<Response> operator()(Request&) const { co_return text(greeting); }
};

TYPED_TEST(Handlers, EveryKindOfCallableAnswers) {
    Greeter greeter{"by reference"};
    Application app;
    app.add_routes({get("/function", hello), get("/function/{name}", hello),
                    get("/member", &Greeter::greet, greeter),
                    get("/pointer", &Greeter::greet, &greeter),
                    get("/const", &Greeter::greet_const, std::cref(greeter))});
    app.router().add_get("/shared", &Greeter::greet,
                         std::make_shared<Greeter>(Greeter{"shared with the table"}));
    app.router().add_get("/rvalue", &Greeter::greet, Greeter{"owned by the table"});
    app.router().add_get("/object", Greeter{"a function object"});
    auto owned = std::make_unique<std::string>("a lambda that owns");
    app.router().add_get("/lambda", [owned = std::move(owned)](Request&) -> Task<Response> {
        co_await sleep(1s);  // the captures outlive the call
        co_return text(*owned);
    });
    app.router().add_get("/captureless",
                         [](Request&) -> Task<Response> { co_return text("captureless"); });
    this->run(std::move(app), [](Client& client) -> Task<void> {
        std::map<std::string, std::string> expected = {
            {"/function", "Hello, Anonymous"}, {"/function/Ada", "Hello, Ada"},
            {"/member", "by reference"},       {"/pointer", "by reference"},
            {"/const", "by reference"},        {"/shared", "shared with the table"},
            {"/rvalue", "owned by the table"}, {"/object", "a function object"},
            {"/lambda", "a lambda that owns"}, {"/captureless", "captureless"},
        };
        for (const auto& [path, body] : expected) {
            auto answer = co_await client.ask(get_of(path));
            EXPECT_EQ(answer.status, 200) << path;
            EXPECT_EQ(answer.body, body) << path;
            EXPECT_EQ(answer.content_type, "text/plain; charset=utf-8");
        }
    });
}

TYPED_TEST(Handlers, SeeTheRequestDecodedOnce) {
    auto show = [](Request& request) -> Task<Response> {
        std::string out = std::string(request.method_text()) + "|" + std::string(request.path()) +
                          "|" + std::string(request.raw_path()) + "|" + request.path_qs() + "|" +
                          std::string(request.match_info("tail")) + "|" +
                          std::string(request.query("arg", "none")) + "|" +
                          std::string(request.host()) + "|" + std::string(request.scheme()) + "|" +
                          std::string(request.remote()) + "|" + request.url().str();
        co_return text(out);
    };
    Handler handler = show;
    EXPECT_EQ(this->ask(handler, get_of("/a%20b?arg=x%2By+z")).body,
              "GET|/a b|/a%20b|/a%20b?arg=x%2By+z|a b|x+y z|memory|http|memory|"
              "http://memory/a%20b?arg=x%2By+z");
    // C040, C128, C127, C089, C038.
    EXPECT_THAT(this->ask(handler, get_of("/path%2523frag")).body,
                HasSubstr("|/path%23frag|/path%2523frag|/path%2523frag|path%23frag|none|"));
    EXPECT_THAT(this->ask(handler, get_of("/a%2Fb%252Fc")).body, HasSubstr("|a/b%2Fc|none|"));
    EXPECT_THAT(this->ask(handler, get_of("/get/1.0+test")).body, HasSubstr("|get/1.0+test|"));
    EXPECT_THAT(this->ask(handler, get_of("/x?arg")).body, HasSubstr("|x||memory"));
    EXPECT_THAT(this->ask(handler, get_of("/x?arg=")).body, HasSubstr("|x||memory"));
    EXPECT_THAT(this->ask(handler, get_of("//path")).body, HasSubstr("GET|//path|//path|"));
    EXPECT_THAT(this->ask(handler, Ask("PURGE", "/x")).body, HasSubstr("PURGE|/x"));
    EXPECT_EQ(this->ask(handler, get_of("/a%00b")).status, 400);
}

TYPED_TEST(Handlers, ReadTypedValues) {
    Application app;
    app.router().add_get("/sum/{a}/{b}", [](Request& request) -> Task<Response> {
        auto sum = request.match_info<int>("a") + request.match_info<std::uint8_t>("b") +
                   request.query<int>("plus", 0) + (request.query<bool>("one", false) ? 1 : 0);
        co_return text(
            std::to_string(sum + static_cast<int>(request.query<double>("half", 0) * 2)));
    });
    app.router().add_get("/need", [](Request& request) -> Task<Response> {
        co_return text(request.query<std::string>("name"));
    });
    this->run(std::move(app), [](Client& client) -> Task<void> {
        struct Case {
            const char* target;
            int status;
            const char* body;
        };
        for (auto [target, status, body] : {
                 Case{"/sum/1/2", 200, "3"},
                 Case{"/sum/-1/2?plus=10&one=true&half=0.5", 200, "13"},
                 Case{"/sum/1/2?plus=%2B4", 200, "7"},
                 Case{"/sum/x/2", 404, "404: Not Found"},
                 Case{"/sum/1/256", 404, "404: Not Found"},
                 Case{"/sum/1/-1", 404, "404: Not Found"},
                 Case{"/sum/1/2?plus=x", 400, "the query parameter 'plus' is not a whole number"},
                 Case{"/sum/1/2?plus=", 400, "the query parameter 'plus' is not a whole number"},
                 Case{"/sum/1/2?plus=99999999999999999999", 400,
                      "the query parameter 'plus' is not a whole number"},
                 Case{"/sum/1/2?plus=1.5", 400, "the query parameter 'plus' is not a whole number"},
                 Case{"/sum/1/2?half=nan", 400, "the query parameter 'half' is not a number"},
                 Case{"/sum/1/2?one=yes", 400, "the query parameter 'one' is not true or false"},
                 Case{"/need?name=a", 200, "a"},
                 Case{"/need", 400, "the query parameter 'name' is missing"},
             }) {
            auto answer = co_await client.ask(get_of(target));
            EXPECT_EQ(answer.status, status) << target;
            EXPECT_EQ(answer.body, body) << target;
        }
    });
}

TYPED_TEST(Handlers, TooManyQueryParametersAre400) {
    std::string target = "/?a";
    for (int i = 0; i < 1000; ++i) target += "&a";
    auto handler = [](Request& request) -> Task<Response> {
        co_return text(std::to_string(request.query().size()));
    };
    auto answer = this->ask(Handler(handler), get_of(target));
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.body, "the query has more than 1000 parameters");
    EXPECT_EQ(this->ask(Handler(handler), get_of("/?a&b=1")).body, "2");
}

TYPED_TEST(Handlers, CookiesAreReadSetAndDeleted) {
    auto handler = [](Request& request) -> Task<Response> {
        auto response = text(std::string(request.cookie("a", "none")) +
                             std::string(request.cookie("b", "none")));
        response.set_cookie(http::SetCookie("session", "1").http_only());
        response.del_cookie("old");
        co_return response;
    };
    auto answer = this->ask(Handler(handler), with(get_of("/"), "Cookie", "a=1; {x}=2"));  // C103
    EXPECT_EQ(answer.body, "1none");
    auto cookies = answer.headers.get_all("Set-Cookie");
    ASSERT_EQ(cookies.size(), 2U);
    EXPECT_EQ(cookies[0], "session=1; Path=/; HttpOnly");
    EXPECT_THAT(std::string(cookies[1]), HasSubstr("1970"));  // C098
    EXPECT_THAT(std::string(cookies[1]), HasSubstr("Max-Age=0"));
}

TYPED_TEST(Handlers, HeadIsAGetWithoutItsBody) {  // C074
    auto answer = this->ask(Handler(hello), Ask("HEAD", "/"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "");
    if constexpr (std::is_same_v<TypeParam, Http1>) {
        EXPECT_EQ(answer.headers.get("Content-Length", ""), "16");
    }
}

TYPED_TEST(Handlers, AnUnknownPathIs404AndAWrongMethod405) {
    Application app;
    app.add_routes({get("/x", hello), post("/x", hello)});
    this->run(std::move(app), [](Client& client) -> Task<void> {
        auto missing = co_await client.ask(get_of("/y"));
        EXPECT_EQ(missing.status, 404);
        EXPECT_EQ(missing.body, "404: Not Found");
        auto wrong = co_await client.ask(Ask("PUT", "/x"));
        EXPECT_EQ(wrong.status, 405);
        EXPECT_EQ(wrong.body, "405: Method Not Allowed");
        EXPECT_EQ(wrong.headers.get("Allow", ""), "GET,HEAD,POST");
    });
}

TYPED_TEST(Handlers, HttpExceptionsAreTheResponsesTheyStandFor) {
    struct Case {
        std::function<void()> raise;
        int status;
        std::string body;
        std::string header;
        std::string value;
    };
    std::vector<Case> cases = {
        {[] { throw HTTPMovedPermanently("/new"); }, 301, "301: Moved Permanently", "Location",
         "/new"},
        {[] { throw HTTPFound("/found"); }, 302, "302: Found", "Location", "/found"},
        {[] { throw HTTPNoContent(); }, 204, "", "", ""},
        {[] { throw HTTPBadRequest("a reason"); }, 400, "a reason", "", ""},
        {[] { throw HTTPUnauthorized().header("WWW-Authenticate", "Basic"); }, 401,
         "401: Unauthorized", "WWW-Authenticate", "Basic"},
        {[] { throw HTTPConflict("{}").type("application/json"); }, 409, "{}", "", ""},
        {[] { throw HTTPMethodNotAllowed("GET,PUT"); }, 405, "405: Method Not Allowed", "Allow",
         "GET,PUT"},
        {[] { throw HTTPUnavailableForLegalReasons("http://x/y"); }, 451,
         "451: Unavailable For Legal Reasons", "Link", "<http://x/y>; rel=\"blocked-by\""},
        {[] { throw HTTPNetworkAuthenticationRequired(); }, 511,
         "511: Network Authentication Required", "", ""},
    };
    for (const Case& c : cases) {
        auto handler = [&c](Request&) -> Task<Response> {
            c.raise();
            co_return Response();
        };
        auto answer = this->ask(Handler(handler), get_of("/"));
        EXPECT_EQ(answer.status, c.status);
        EXPECT_EQ(answer.body, c.body);
        if (!c.header.empty()) {
            EXPECT_EQ(answer.headers.get(c.header, ""), c.value);
        }
        if (c.status == 409) {
            EXPECT_EQ(answer.content_type, "application/json");
        }
        EXPECT_FALSE(answer.close);
    }
    EXPECT_EQ(this->logged.text(), "");  // these are answers, not errors
}

Task<void> fails_inside(int depth) {
    if (depth > 0) co_await fails_inside(depth - 1);
    co_await sleep(1ms);
    throw std::runtime_error("boom\nforged line");
}

Task<Response> fails(Request&) {
    co_await fails_inside(1);
    co_return Response();
}

TYPED_TEST(Handlers, AnEscapedExceptionIsA500AndLoggedWithItsAwaits) {  // C073
    auto answer = this->ask(Handler(fails), get_of("/report?year=1"));
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(answer.body, "500: Internal Server Error\n\nServer got itself in trouble.\n");
    EXPECT_TRUE(answer.close);
    std::string log = this->logged.text();
    EXPECT_THAT(log, HasSubstr("web: GET /report?year=1 (request "));
    EXPECT_THAT(log,
                HasSubstr(", route /{tail:.*}) failed: std::runtime_error: boom forged line\n"));
    EXPECT_THAT(log, HasSubstr("  in fails_inside (handlers_test.cc:"));
    EXPECT_THAT(log, HasSubstr("  in fails (handlers_test.cc:"));

    auto html = this->ask(Handler(fails), with(get_of("/"), "Accept", "text/html"));
    EXPECT_EQ(html.content_type, "text/html; charset=utf-8");
    EXPECT_THAT(html.body, Not(HasSubstr("boom")));
}

TYPED_TEST(Handlers, TheDebugPageShowsTheExceptionEscaped) {
    for (bool html : {false, true}) {
        Application app({.debug = true});
        app.router().add_get("/{x}", fails);
        auto ask = get_of("/a?<script>");
        if (html) ask.headers.set("Accept", "text/html");
        auto answer = this->ask(std::move(app), ask);
        EXPECT_THAT(answer.body, HasSubstr("boom"));
        EXPECT_THAT(answer.body, HasSubstr("handlers_test.cc:"));
        EXPECT_THAT(answer.body, html ? HasSubstr("&lt;script&gt;") : HasSubstr("<script>"));
        if (html) {
            EXPECT_THAT(answer.body, Not(HasSubstr("<script>")));
        }
    }
}

TYPED_TEST(Handlers, WhatIsNoExceptionAtAllIsA500Too) {
    auto handler = [](Request&) -> Task<Response> {
        throw 42;
        co_return Response();
    };
    EXPECT_EQ(this->ask(Handler(handler), get_of("/")).status, 500);
    EXPECT_THAT(this->logged.text(), HasSubstr("something that is not a std::exception"));
}

TYPED_TEST(Handlers, AFullQueueIsA503WithRetryAfter) {
    auto handler = [](Request&) -> Task<Response> {
        throw QueueFull("pool p: 64 jobs are queued", 1500ms);
        co_return Response();
    };
    auto answer = this->ask(Handler(handler), get_of("/"));
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.headers.get("Retry-After", ""), "2");
    EXPECT_EQ(answer.body, "503: Service Unavailable");
}

TYPED_TEST(Handlers, ATimeoutIsA500UnlessTheRouteSaysOtherwise) {
    auto handler = [](Request&) -> Task<Response> {
        co_await timeout(1s, []() -> Task<void> { co_await sleep(1h); });
        co_return Response();
    };
    EXPECT_EQ(this->ask(Handler(handler), get_of("/")).status, 500);
    Application app;
    app.router().add_get("/", handler, {.timeout_status = 504});
    EXPECT_EQ(this->ask(std::move(app), get_of("/")).status, 504);
}

TYPED_TEST(Handlers, ARoutesDeadlineCancelsItsHandler) {
    bool ended = false;
    Application app;
    app.router().add_get(
        "/{seconds}",
        [&ended](Request& request) -> Task<Response> {
            struct Mark {
                bool& flag;
                ~Mark() { flag = true; }
            } mark{ended};
            co_await sleep(std::chrono::seconds(request.match_info<int>("seconds")));
            co_return text("in time");
        },
        {.deadline = 5s});
    this->run(std::move(app), [&](Client& client) -> Task<void> {
        auto late = co_await client.ask(get_of("/6"));
        EXPECT_EQ(late.status, 503);
        EXPECT_EQ(testing::elapsed(), 5s);
        EXPECT_TRUE(ended);
        auto early = co_await client.ask(get_of("/4"));
        EXPECT_EQ(early.body, "in time");
    });
}

TYPED_TEST(Handlers, AnUnsendableHeaderIsRefusedBeforeAnyByte) {  // C097
    for (std::string_view bad : {"a\rb", "a\nb", "a\x01"}) {
        auto handler = [bad](Request&) -> Task<Response> {
            auto response = text("x");
            response.headers().set("X-Bad", bad);
            co_return response;
        };
        EXPECT_EQ(this->ask(Handler(handler), get_of("/")).status, 500);
    }
    auto tab = [](Request&) -> Task<Response> {
        auto response = text("x", {.status = 299, .content_type = "text/x-y", .reason = "Fine"});
        response.headers().set("X-Tab", "a\tb");
        co_return response;
    };
    auto answer = this->ask(Handler(tab), get_of("/"));
    EXPECT_EQ(answer.status, 299);
    EXPECT_EQ(answer.reason, "Fine");
    EXPECT_EQ(answer.content_type, "text/x-y");
    EXPECT_EQ(answer.headers.get("X-Tab", ""), "a\tb");
    EXPECT_THROW(text("x", {.content_type = "a\nb"}), http::InvalidHeader);
    EXPECT_THROW(text("x", {.status = 99}), std::invalid_argument);
    EXPECT_THROW(redirect("/x\r\ny"), http::InvalidHeader);
}

TYPED_TEST(Handlers, ReadBodiesWithinTheLimitAndNameItBeyond) {
    auto echo = [](Request& request) -> Task<Response> {
        const std::string& body = co_await request.read();
        const std::string& again = co_await request.text();
        EXPECT_EQ(&body, &again);
        co_return bytes(body);
    };
    for (bool announced : {true, false}) {
        for (std::size_t piece : {0, 7}) {
            for (std::size_t size : {0, 100, 101}) {
                Application app({.client_max_size = 100});
                app.router().add_post("/", echo);
                Ask request("POST", "/", std::string(size, 'x'));
                request.announce_length = announced;
                request.body_piece_max = piece;
                auto answer = this->ask(std::move(app), request);
                if (size <= 100) {
                    EXPECT_EQ(answer.status, 200);
                    EXPECT_EQ(answer.body.size(), size);
                } else {
                    EXPECT_EQ(answer.status, 413);
                    EXPECT_EQ(answer.body,
                              "the request's body is larger than client_max_size, 100 bytes");
                }
            }
        }
    }
    // C080: the limit can be off. The default is 1 MiB.
    std::string large(1024 * 1024 + 1, 'x');
    Application open({.client_max_size = std::nullopt});
    open.router().add_post("/", echo);
    EXPECT_EQ(this->ask(std::move(open), Ask("POST", "/", large)).body.size(), large.size());
    Application usual;
    usual.router().add_post("/", echo);
    EXPECT_EQ(this->ask(std::move(usual), Ask("POST", "/", large)).status, 413);
}

TYPED_TEST(Handlers, AnUnreadBodyDoesNotKeepTheAnswerBack) {  // C076
    auto answer = this->ask(Handler(hello), Ask("POST", "/", std::string(10'000, 'x')));
    EXPECT_EQ(answer.status, 200);
}

TYPED_TEST(Handlers, ReadABodyPieceByPiece) {
    auto count = [](Request& request) -> Task<Response> {
        std::size_t bytes = 0;
        for (;;) {
            std::string_view piece = co_await request.readany();
            if (piece.empty()) break;
            bytes += piece.size();
        }
        co_return text(std::to_string(bytes));
    };
    Ask request("POST", "/", std::string(3'000'000, 'x'));
    request.body_piece_max = 10'000;
    request.announce_length = false;
    EXPECT_EQ(this->ask(Handler(count), request).body, "3000000");
}

TYPED_TEST(Handlers, TextIsUtf8OrConvertedOrRefused) {
    auto show = [](Request& request) -> Task<Response> {
        std::string body = co_await request.text();
        co_return text(request.content_type() + " " + body);
    };
    auto post = [&](std::string body, std::string_view type) {
        Ask request("POST", "/", std::move(body));
        if (!type.empty()) request.headers.set("Content-Type", type);
        return this->ask(Handler(show), request);
    };
    EXPECT_EQ(post("caf\xC3\xA9", "text/plain; charset=UTF-8").body, "text/plain caf\xC3\xA9");
    EXPECT_EQ(post("caf\xE9", "text/plain; charset=iso-8859-1").body, "text/plain caf\xC3\xA9");
    EXPECT_EQ(post("abc", "").body, "application/octet-stream abc");
    EXPECT_EQ(post("abc", "text/plain; charset=koi8-r").status, 415);
    for (const char* bad : {"\xFF", "\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                            "\xE0\x80\x80", "12345678\x80", "1234567\xC3"}) {
        EXPECT_EQ(post(bad, "").status, 400) << bad;
    }
    EXPECT_EQ(post("\xF0\x9F\x98\x80\xEF\xBF\xBF", "").status, 200);
}

TYPED_TEST(Handlers, JsonComesInAndGoesOut) {
    Application app;
    app.router().add_post("/any", [](Request& request) -> Task<Response> {
        auto value = co_await request.json();
        co_return json_response({{"got", value}});
    });
    app.router().add_post("/order", [](Request& request) -> Task<Response> {
        auto order = co_await request.json<Order>();
        order.id += 1;
        co_return json_response(order, {.status = 201});
    });
    this->run(std::move(app), [](Client& client) -> Task<void> {
        auto any = co_await client.ask(Ask("POST", "/any", " [1, \"x\", null] \n"));
        EXPECT_EQ(any.body, R"({"got":[1,"x",null]})");
        EXPECT_EQ(any.content_type, "application/json; charset=utf-8");
        auto order = co_await client.ask(Ask("POST", "/order", R"({"id":1,"items":["a"]})"));
        EXPECT_EQ(order.status, 201);
        EXPECT_EQ(order.body, R"({"id":2,"items":["a"]})");
        for (const char* bad : {"", "{", "[1,]", "{} x", "\xFF", "nul"}) {
            auto answer = co_await client.ask(Ask("POST", "/any", bad));
            EXPECT_EQ(answer.status, 400) << bad;
        }
        std::string deep(40, '[');
        auto nested = co_await client.ask(Ask("POST", "/any", deep + std::string(40, ']')));
        EXPECT_EQ(nested.status, 400);
        for (const char* wrong : {"[]", "{}", R"({"id":"x","items":[]})", R"({"id":1})"}) {
            auto answer = co_await client.ask(Ask("POST", "/order", wrong));
            EXPECT_EQ(answer.status, 400) << wrong;
            EXPECT_THAT(answer.body, HasSubstr("the request's JSON is not what is expected here"));
        }
    });
}

// A folder that goes away with its files.
class Folder {
  public:
    Folder() {
        char name[] = "/tmp/coracle-web-XXXXXX";
        path_ = ::mkdtemp(name);
    }
    ~Folder() {
        for (const std::string& file : files_) ::unlink(file.c_str());
        ::rmdir(path_.c_str());
    }
    std::string write(const std::string& name, const std::string& content) {
        std::ofstream(path_ + "/" + name, std::ios::binary) << content;
        return remember(name);
    }
    std::string remember(const std::string& name) {
        files_.push_back(path_ + "/" + name);
        return files_.back();
    }
    const std::string& path() const { return path_; }

  private:
    std::string path_;
    std::vector<std::string> files_;
};

TYPED_TEST(Handlers, AFileIsSentWholeWhateverItsSize) {
    Folder folder;
    for (std::size_t size : {0, 5, 64 * 1024, 64 * 1024 + 1, 1'000'000}) {
        std::string content;
        while (content.size() < size) content += static_cast<char>('a' + content.size() % 23);
        std::string path = folder.write("page.html", content);
        auto handler = [path](Request&) -> Task<Response> { co_return file(path); };
        auto answer = this->ask(Handler(handler), get_of("/"));
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.content_type, "text/html; charset=utf-8");
        EXPECT_EQ(answer.body, content);
        EXPECT_TRUE(answer.complete);
        auto head = this->ask(Handler(handler), Ask("HEAD", "/"));
        EXPECT_EQ(head.body, "");
        if constexpr (std::is_same_v<TypeParam, Http1>) {
            EXPECT_EQ(answer.headers.get("Content-Length", ""), std::to_string(size));
            EXPECT_EQ(head.headers.get("Content-Length", ""), std::to_string(size));
        }
    }
}

TYPED_TEST(Handlers, AFileThatIsMissingIs404AndOneThatIsNoFile403) {
    Folder folder;
    std::string fifo = folder.remember("fifo");
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    std::map<std::string, int> expected = {
        {folder.path() + "/missing.txt", 404},
        {folder.write("file", "x") + "/below", 404},
        {folder.path(), 403},
        {fifo, 403},
    };
    for (const auto& [path, status] : expected) {
        auto handler = [name = path](Request&) -> Task<Response> { co_return file(name); };
        auto answer = this->ask(Handler(handler), get_of("/"));
        EXPECT_EQ(answer.status, status) << path;
        EXPECT_THAT(answer.body, Not(HasSubstr("/tmp")));
    }
}

TYPED_TEST(Handlers, StreamsComeWholeOrCut) {
    auto stream = [](Request& request) -> Task<Response> {
        StreamResponse out({.status = 202, .content_type = "text/csv"});
        out.headers().set("X-Mine", "1");
        co_await out.prepare(request);
        EXPECT_THROW(out.set_status(200), Error);
        for (int i = 0; i < 3; ++i) {
            co_await out.write(std::to_string(i) + "\n");
            co_await sleep(1s);
        }
        if (request.path() == "/fails") throw std::runtime_error("half way");
        if (request.path() == "/other") co_return text("something else");
        co_return co_await out.write_eof();
    };
    auto answer = this->ask(Handler(stream), get_of("/"));
    EXPECT_EQ(answer.status, 202);
    EXPECT_EQ(answer.content_type, "text/csv");
    EXPECT_EQ(answer.headers.get("X-Mine", ""), "1");
    EXPECT_EQ(answer.body, "0\n1\n2\n");
    EXPECT_TRUE(answer.complete);
    EXPECT_EQ(this->logged.text(), "");

    EXPECT_FALSE(this->ask(Handler(stream), get_of("/fails")).complete);
    EXPECT_THAT(this->logged.text(), HasSubstr("half way"));
    EXPECT_FALSE(this->ask(Handler(stream), get_of("/other")).complete);
    EXPECT_THAT(this->logged.text(), HasSubstr("was answered twice"));
}

// Writes its mark around the rest; answers itself where the path says so.
struct Around {
    std::string mark;
    Task<Response> operator()(Request& request, Next next) const {
        if (request.path() == "/stop" + mark) co_return text("stopped by " + mark);
        if (request.path() == "/throw" + mark) throw HTTPForbidden("thrown by " + mark);
        request.set(std::string(request.find<std::string>() ? request.get<std::string>() : "") +
                    mark);
        auto response = co_await next(request);
        response.headers().add("X-Seen-By", mark);
        co_return response;
    }
};

Task<Response> count_calls(Request& request, Next next) {
    if (request.path() != "/retry") co_return co_await next(request);
    static_cast<void>(co_await next(request));
    co_return co_await next(request);
}

TYPED_TEST(Handlers, MiddlewaresWrapEveryAnswerFromOuterToInner) {
    int calls = 0;
    Application app;
    app.middlewares().append(Around{"A"});
    app.middlewares().append(Around{"B"});
    app.middlewares().append(count_calls);
    app.add_routes(
        {get("/",
             [](Request& request) -> Task<Response> {
                 co_return text(request.get<std::string>());
             }),
         get("/retry",
             [&calls](Request&) -> Task<Response> { co_return text(std::to_string(++calls)); }),
         get("/gone", [](Request&) -> Task<Response> {
             throw HTTPGone();
             co_return Response();
         })});
    app.router().add_get("/fails", fails);
    this->run(std::move(app), [](Client& client) -> Task<void> {
        struct Case {
            const char* path;
            int status;
            const char* body;
            std::vector<std::string_view> seen_by;
        };
        std::vector<Case> cases = {
            {"/", 200, "AB", {"B", "A"}},
            {"/retry", 200, "2", {"B", "A"}},
            {"/gone", 410, "410: Gone", {"B", "A"}},
            {"/nowhere", 404, "404: Not Found", {"B", "A"}},
            {"/stopB", 200, "stopped by B", {"A"}},
            {"/throwB", 403, "thrown by B", {"A"}},
            {"/stopA", 200, "stopped by A", {}},
            {"/throwA", 403, "thrown by A", {}},
        };
        for (const Case& c : cases) {
            auto answer = co_await client.ask(get_of(c.path));
            EXPECT_EQ(answer.status, c.status) << c.path;
            EXPECT_EQ(answer.body, c.body) << c.path;
            EXPECT_EQ(answer.headers.get_all("X-Seen-By"), c.seen_by) << c.path;
        }
        auto wrong = co_await client.ask(Ask("PUT", "/"));
        EXPECT_EQ(wrong.status, 405);
        EXPECT_EQ(wrong.headers.get("Allow", ""), "GET,HEAD");
        auto failed = co_await client.ask(get_of("/fails"));
        EXPECT_EQ(failed.status, 500);
        EXPECT_FALSE(failed.headers.contains("X-Seen-By"));
    });
}

TYPED_TEST(Handlers, TheAccessLogSaysWhoAskedWhatAndWhatTheyGot) {
    Application app;
    app.router().add_get("/x", hello);
    this->run(
        std::move(app),
        [](Client& client) -> Task<void> {
            co_await client.ask(with(get_of("/x?y"), "User-Agent", "test/1"));
        },
        true);
    EXPECT_THAT(this->logged.text(), HasSubstr("access: memory \"GET /x?y HTTP/"));
    EXPECT_THAT(this->logged.text(), HasSubstr("\" 200 16 0us \"test/1\"\n"));
}

TYPED_TEST(Handlers, AskingForWhatIsNotStoredSaysSo) {
    auto handler = [](Request& request) -> Task<Response> {
        co_return text(std::to_string(request.get<int>()));
    };
    EXPECT_EQ(this->ask(Handler(handler), get_of("/")).status, 500);
    EXPECT_THAT(this->logged.text(), HasSubstr("the request holds no int: "));
}

}  // namespace
}  // namespace coracle::web
