// SPDX-License-Identifier: Apache-2.0
// Shows: a Coracle application as a guest of a program that is built on Boost.Asio, on one thread;
// and a task that awaits an operation of Asio's.
//
//   build/release/examples/embed_asio &
//   curl http://127.0.0.1:8005/             Hello from inside an io_context, which has ticked 12
//   times
//
// Ctrl-C, which the host hears, ends it gracefully.
#include <coracle/adapt/asio.h>
#include <coracle/net/tcp.h>
#include <coracle/web.h>
#include <coracle/web/runner.h>

#include "shared/options.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <csignal>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>

namespace asio = boost::asio;
using namespace coracle;

namespace {

// Drives a loop from an io_context: when its descriptor is readable, and when it has a deadline.
class Guest {
  public:
    Guest(asio::io_context& host, EventLoop& loop)
        : loop_(loop), descriptor_(host, loop.fd()), deadline_(host) {}
    ~Guest() { descriptor_.release(); }  // the descriptor is the loop's

    // Until `is_done`, looked at after each turn.
    void begin(std::function<bool()> is_done) {
        is_done_ = std::move(is_done);
        wait_for_events();
        step();
    }

  private:
    void step() {
        loop_.poll();
        if (is_done_()) {
            descriptor_.cancel();
            deadline_.cancel();
            return;
        }
        // At once if there is more to run. The wait before is cancelled by this one.
        deadline_.expires_at(loop_.next_deadline());
        deadline_.async_wait([this](boost::system::error_code error) {
            if (!error) step();
        });
    }

    void wait_for_events() {
        descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                               [this](boost::system::error_code error) {
                                   if (error || is_done_()) return;
                                   step();
                                   if (!is_done_()) wait_for_events();
                               });
    }

    EventLoop& loop_;
    asio::posix::stream_descriptor descriptor_;
    asio::steady_timer deadline_;
    std::function<bool()> is_done_;
};

// Something that the host does besides, on the same thread.
class Ticker {
  public:
    explicit Ticker(asio::io_context& host) : timer_(host) { wait(); }

    int ticks() const noexcept { return ticks_; }
    void stop() { timer_.cancel(); }

  private:
    void wait() {
        timer_.expires_after(100ms);
        timer_.async_wait([this](boost::system::error_code error) {
            if (error) return;
            ++ticks_;
            wait();
        });
    }

    asio::steady_timer timer_;
    int ticks_ = 0;
};

Task<void> serve(web::RunOptions options, Ticker& ticker, asio::io_context& host) {
    asio::signal_set signals(host, SIGINT, SIGTERM);
    web::Application app;
    app.router().add_get("/", [&ticker](web::Request&) -> Task<web::Response> {
        co_return web::text("Hello from inside an io_context, which has ticked " +
                            std::to_string(ticker.ticks()) + " times");
    });
    web::AppRunner runner(std::move(app));
    co_await runner.setup();
    auto listener = std::make_unique<net::TcpListener>(options.host, options.port);
    std::printf("listening on http://%s\n", listener->address().c_str());
    std::fflush(stdout);
    runner.serve(std::move(listener));
    co_await signals.async_wait(use_task);
    co_await runner.cleanup();
}

}  // namespace

int main(int argc, char** argv) {
    auto options = examples::options(argc, argv, {.port = 8005});
    asio::io_context host;
    Ticker ticker(host);
    EventLoop loop;
    auto serving = loop.create_task(serve, options, std::ref(ticker), std::ref(host));

    Guest guest(host, loop);
    guest.begin([&] {
        if (!serving.done()) return false;
        ticker.stop();
        return true;
    });
    host.run();
    try {
        serving.result();
    } catch (const Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
