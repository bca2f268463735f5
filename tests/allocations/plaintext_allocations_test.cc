// SPDX-License-Identifier: Apache-2.0
// After warm-up a plain request over a real socket allocates nothing: counted by this program's own
// operator new.
#include <coracle/net/tcp.h>
#include <coracle/web.h>
#include <coracle/web/runner.h>

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <thread>

namespace {

// Set on the server's thread only; the client's allocations are not the subject.
thread_local bool is_counted = false;
std::atomic<long> allocations{0};

void* counted(std::size_t size) {
    if (is_counted) allocations.fetch_add(1, std::memory_order_relaxed);
    if (void* block = std::malloc(size ? size : 1)) return block;
    throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void operator delete(void* block) noexcept { std::free(block); }
void operator delete[](void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t) noexcept { std::free(block); }

namespace coracle {
namespace {

Task<web::Response> plaintext(web::Request&) { co_return web::text("Hello, World!"); }

Task<web::Response> allocating(web::Request&) {
    co_return web::text(std::string(100, 'x'));  // longer than a string holds in place
}

// A server on a thread of its own, for the life of a test.
class Server {
  public:
    Server() : thread_([this] { serve(); }) { port_.wait(0); }
    ~Server() {
        loop_->call_soon_threadsafe([this] { stop_->set(); });
        thread_.join();
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    int port() const { return port_.load(); }

  private:
    void serve() {
        is_counted = true;
        run(live());
    }

    Task<void> live() {
        Event stop;
        web::Application app;
        app.router().add_get("/plaintext", plaintext);
        app.router().add_get("/allocating", allocating);
        web::AppRunner runner(std::move(app));
        co_await runner.setup();
        auto listener = std::make_unique<net::TcpListener>("127.0.0.1", std::uint16_t{0});
        int port = listener->port();
        runner.serve(std::move(listener));
        loop_ = &EventLoop::current();
        stop_ = &stop;
        port_.store(port);
        port_.notify_all();
        co_await stop.wait();
        co_await runner.cleanup();
    }

    std::atomic<int> port_{0};
    EventLoop* loop_ = nullptr;
    Event* stop_ = nullptr;
    std::thread thread_;
};

// One keep-alive connection, blocking.
class Client {
  public:
    explicit Client(int port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) std::abort();
    }
    ~Client() { close(fd_); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    void get(std::string_view path, int count, std::size_t body_size) {
        std::string request =
            "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n";
        for (int i = 0; i < count; ++i) {
            ASSERT_EQ(send(fd_, request.data(), request.size(), 0),
                      static_cast<ssize_t>(request.size()));
            std::string answer;
            char buffer[4096];
            for (;;) {
                ssize_t got = recv(fd_, buffer, sizeof buffer, 0);
                ASSERT_GT(got, 0);
                answer.append(buffer, static_cast<std::size_t>(got));
                std::size_t end = answer.find("\r\n\r\n");
                if (end != std::string::npos && answer.size() == end + 4 + body_size) break;
            }
            ASSERT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n"));
        }
    }

  private:
    int fd_;
};

TEST(Allocations, APlainRequestMakesNoneAfterWarmUp) {
    Server server;
    Client client(server.port());
    client.get("/plaintext", 1000, 13);
    long before = allocations.load();
    client.get("/plaintext", 10'000, 13);
    EXPECT_EQ(allocations.load() - before, 0);
}

TEST(Allocations, TheCounterSeesAHandlerThatAllocates) {
    Server server;
    Client client(server.port());
    client.get("/allocating", 1000, 100);
    long before = allocations.load();
    client.get("/allocating", 100, 100);
    EXPECT_GE(allocations.load() - before, 100);
}

}  // namespace
}  // namespace coracle
