// SPDX-License-Identifier: Apache-2.0
// run_app() as a process: sockets, signals and exit codes are real, so it runs in a child.
// GoogleTest runs suites of this name first: ThreadSanitizer follows a fork only while the program
// has one thread.
#include <coracle/web/run_app.h>

#include <coracle/core/sleep.h>
#include <coracle/exec/run_in_executor.h>
#include <coracle/web/request.h>
#include <coracle/web/response.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace coracle::web {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr int patience_ms = 20'000;

// Reads until `enough` is true of what came, or the end, or out of patience.
std::string read_until(int fd, const std::function<bool(const std::string&)>& enough) {
    std::string text;
    while (!enough(text)) {
        pollfd ready{fd, POLLIN, 0};
        if (::poll(&ready, 1, patience_ms) <= 0) break;
        char buffer[4096];
        ssize_t n = ::read(fd, buffer, sizeof buffer);
        if (n <= 0) break;
        text.append(buffer, static_cast<std::size_t>(n));
    }
    return text;
}

bool never(const std::string&) { return false; }

// A forked child that runs `body` with its output in pipes.
class Child {
  public:
    explicit Child(const std::function<int()>& body) {
        int out[2], err[2];
        if (::pipe(out) != 0 || ::pipe(err) != 0) throw std::runtime_error("pipe");
        std::fflush(nullptr);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::dup2(out[1], 1);
            ::dup2(err[1], 2);
            for (int fd : {out[0], out[1], err[0], err[1]}) ::close(fd);
            std::_Exit(body());
        }
        ::close(out[1]);
        ::close(err[1]);
        out_ = out[0];
        err_ = err[0];
    }
    ~Child() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
        ::close(out_);
        ::close(err_);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    // The port of the first "listening on" line; 0 if none came.
    int port() {
        std::string text = read_until(
            out_, [](const std::string& t) { return t.find('\n') != std::string::npos; });
        EXPECT_THAT(text, StartsWith("listening on http://127.0.0.1:"));
        std::size_t colon = text.find(':', 20);
        return colon == std::string::npos ? 0 : std::atoi(text.c_str() + colon + 1);
    }
    void signal(int number) const { ::kill(pid_, number); }
    void wait_for_errors(const std::string& text) {
        read_until(err_, [&](const std::string& t) { return t.find(text) != std::string::npos; });
    }
    std::string read_errors() { return read_until(err_, never); }
    // What it returned; -1 if a signal killed it.
    int wait() {
        int status = 0;
        ::waitpid(std::exchange(pid_, -1), &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

  private:
    pid_t pid_ = -1;
    int out_ = -1;
    int err_ = -1;
};

class Connection {
  public:
    explicit Connection(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    }
    ~Connection() { ::close(fd_); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    bool is_connected() const { return connected_; }
    void send(const std::string& path) const {
        std::string text =
            "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        EXPECT_EQ(::write(fd_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    }
    std::string receive() const { return read_until(fd_, never); }
    std::string ask(const std::string& path) const {
        send(path);
        return receive();
    }

  private:
    int fd_;
    bool connected_;
};

std::string body_of(const std::string& answer) {
    std::size_t end = answer.find("\r\n\r\n");
    return end == std::string::npos ? "no answer" : answer.substr(end + 4);
}

Task<Response> hello(Request&) { co_return text("hello"); }

Task<Response> slow(Request& request) {
    auto time = std::chrono::milliseconds(request.match_info<int>("ms"));
    co_await sleep(time);
    co_return text("slow");
}

Application make_app() {
    Application app;
    app.add_routes({get("/", hello), get("/slow/{ms}", slow)});
    return app;
}

TEST(RunAppDeathTest, ServesPrintsItsPortAndEndsGracefullyOnEitherSignal) {
    for (int number : {SIGINT, SIGTERM}) {
        Child child([] { return run_app(make_app, {.port = 0}); });
        int port = child.port();
        EXPECT_EQ(body_of(Connection(port).ask("/")), "hello");
        Connection busy(port);
        busy.send("/slow/300");
        Connection idle(port);
        EXPECT_EQ(body_of(Connection(port).ask("/")), "hello");  // busy is being handled by now
        child.signal(number);
        EXPECT_EQ(body_of(busy.receive()), "slow");
        EXPECT_EQ(child.wait(), 0);
        EXPECT_FALSE(Connection(port).is_connected());
    }
}

TEST(RunAppDeathTest, TakesAnApplicationByValueForOneWorkerOnly) {
    Child one([] { return run_app(make_app(), {.port = 0}); });
    EXPECT_EQ(body_of(Connection(one.port()).ask("/")), "hello");
    one.signal(SIGTERM);
    EXPECT_EQ(one.wait(), 0);

    Child two([] { return run_app(make_app(), {.port = 0, .workers = 2}); });
    EXPECT_EQ(two.wait(), 1);
    EXPECT_EQ(
        two.read_errors(),
        "run_app: one application cannot be served by 2 workers, each needs its own: pass the "
        "function that makes it, run_app(make_app, ...)\n");
}

TEST(RunAppDeathTest, AnOccupiedPortIsOneSentenceAndExitCode1) {
    for (unsigned workers : {1U, 2U}) {
        Child first([&] { return run_app(make_app, {.port = 0, .workers = workers}); });
        auto port = static_cast<std::uint16_t>(first.port());
        Child second([&] { return run_app(make_app, {.port = port, .workers = workers}); });
        EXPECT_EQ(second.wait(), 1);
        EXPECT_EQ(second.read_errors(),
                  "listen on 127.0.0.1:" + std::to_string(port) + ": Address already in use\n");
        first.signal(SIGTERM);
        EXPECT_EQ(first.wait(), 0);
    }
}

TEST(RunAppDeathTest, AnApplicationThatDoesNotStartIsOneSentenceAndExitCode1) {
    for (unsigned workers : {1U, 3U}) {
        Child make([&] {
            return run_app([]() -> Application { throw std::runtime_error("no settings"); },
                           {.port = 0, .workers = workers});
        });
        EXPECT_EQ(make.wait(), 1);
        EXPECT_EQ(make.read_errors(),
                  "the application did not start: std::runtime_error: no settings\n");
        Child start([&] {
            auto one_fails = [](WorkerContext& worker) {
                Application app;
                bool fails = worker.index() + 1 == worker.count();
                app.on_startup().append([fails](Application&) -> Task<void> {
                    co_await sleep(1ms);
                    if (fails) throw std::runtime_error("no database");
                });
                return app;
            };
            return run_app(one_fails, {.port = 0, .workers = workers});
        });
        EXPECT_EQ(start.wait(), 1);
        EXPECT_EQ(start.read_errors(),
                  "the application did not start: std::runtime_error: no database\n");
    }
}

TEST(RunAppDeathTest, ServesSeveralHostsOnOnePort) {
    Child child([] { return run_app(make_app, {.hosts = {"127.0.0.1", "127.0.0.2"}, .port = 0}); });
    EXPECT_EQ(body_of(Connection(child.port()).ask("/")), "hello");
    child.signal(SIGINT);
    EXPECT_EQ(child.wait(), 0);
}

struct Counter {
    std::atomic<int> requests{0};
};

Application count_app(WorkerContext& worker) {
    Application app;
    app.set(worker.shared<Counter>([] { return std::make_unique<Counter>(); }));
    app.router().add_get("/", [index = worker.index()](Request& request) -> Task<Response> {
        int number = ++request.app().get<Counter>().requests;
        co_return text(std::to_string(index) + " " + std::to_string(number));
    });
    return app;
}

TEST(RunAppDeathTest, WorkersShareThePortAndWhatTheirContextShares) {
    Child child([] { return run_app(count_app, {.port = 0, .workers = 2}); });
    int port = child.port();
    std::set<char> workers;
    int requests = 0;
    // The kernel spreads connections by their addresses: 64 on one of two workers is a chance of
    // 2^-63.
    while (requests < 64) {
        std::string body = body_of(Connection(port).ask("/"));
        EXPECT_THAT(body, ::testing::EndsWith(" " + std::to_string(++requests)));
        workers.insert(body[0]);
    }
    EXPECT_EQ(workers, (std::set<char>{'0', '1'}));
    child.signal(SIGTERM);
    EXPECT_EQ(child.wait(), 0);
}

TEST(RunAppDeathTest, ASecondSignalMeansNow) {
    Child child([] { return run_app(make_app, {.port = 0, .workers = 2}); });
    int port = child.port();
    Connection busy(port);
    busy.send("/slow/3600000");
    EXPECT_EQ(body_of(Connection(port).ask("/slow/50")), "slow");
    child.signal(SIGINT);
    // The first signal has been seen once nobody is let in any more.
    while (Connection(port).is_connected()) std::this_thread::yield();
    child.signal(SIGINT);
    EXPECT_EQ(child.wait(), 0);
    EXPECT_EQ(busy.receive(), "");
    EXPECT_THAT(child.read_errors(), HasSubstr("1 request was cut"));
}

TEST(RunAppDeathTest, ASignalDuringTheStartEndsItWithExitCode0) {
    Child child([] {
        auto never_ready = [] {
            Application app;
            app.cleanup_ctx([](Application&, Started started) -> Task<void> {
                std::fprintf(stderr, "starting\n");
                co_await sleep(1h);
                co_await started();
            });
            return app;
        };
        return run_app(never_ready, {.port = 0});
    });
    child.wait_for_errors("starting");
    child.signal(SIGINT);
    EXPECT_EQ(child.wait(), 0);
}

// Cannot be interrupted, and ends only with the process.
void block_for_ever() {
    std::fprintf(stderr, "stuck\n");
    for (;;) ::pause();
}

TEST(RunAppDeathTest, WhatCannotBeInterruptedDoesNotKeepTheProgramBeyondItsDeadline) {
    Child child([] {
        auto blocking = [] {
            Application app = make_app();
            // Not the default pool, whose threads the child of a fork does not have.
            app.emplace<ThreadPoolExecutor>();
            app.router().add_get("/stuck", [](Request& request) -> Task<Response> {
                auto& pool = request.app().get<ThreadPoolExecutor>();
                co_await run_in_executor(pool, block_for_ever);
                co_return Response();
            });
            return app;
        };
        return run_app(blocking, {.port = 0, .shutdown_timeout = 300ms});
    });
    int port = child.port();
    Connection stuck(port);
    stuck.send("/stuck");
    child.wait_for_errors("stuck");
    child.signal(SIGTERM);
    EXPECT_EQ(child.wait(), 0);
    EXPECT_THAT(child.read_errors(), HasSubstr("leaving without it at the deadline"));
}

Task<Response> block(Request&) {
    block_for_ever();
    co_return text("never");
}

Application make_blocked_app() {
    Application app;
    app.add_routes({get("/block", block)});
    return app;
}

TEST(RunAppDeathTest, ABlockedLoopDoesNotKeepItBeyondTheDeadline) {
    Child child([] { return run_app(make_blocked_app, {.port = 0, .shutdown_timeout = 100ms}); });
    Connection busy(child.port());
    busy.send("/block");
    child.wait_for_errors("stuck");
    child.signal(SIGTERM);
    EXPECT_EQ(child.wait(), 0);
    EXPECT_THAT(child.read_errors(), HasSubstr("leaving without it at the deadline"));
}

TEST(RunAppDeathTest, ASecondSignalMeansNowAlsoToABlockedLoop) {
    Child child([] { return run_app(make_blocked_app, {.port = 0, .shutdown_timeout = 24h}); });
    Connection busy(child.port());
    busy.send("/block");
    child.wait_for_errors("stuck");
    child.signal(SIGINT);
    child.signal(SIGTERM);  // another one, which the kernel cannot take for the first
    EXPECT_EQ(child.wait(), 0);
}

}  // namespace
}  // namespace coracle::web
