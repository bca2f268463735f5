// SPDX-License-Identifier: Apache-2.0
// Shows: a Coracle application as a guest of a program that is built on libuv, on one thread.
//
//   build/release/examples/embed_libuv &
//   curl http://127.0.0.1:8006/             Hello from inside a uv_loop_t, which has ticked 12
//   times
//
// Ctrl-C, which the host hears, ends it gracefully. (The other way round, libuv under a Coracle
// loop, is CORACLE_LOOP=libuv.)
#include <coracle/net/tcp.h>
#include <coracle/web.h>
#include <coracle/web/runner.h>

#include "shared/options.h"

#include <uv.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>

using namespace coracle;

namespace {

template <class Handle>
uv_handle_t* as_handle(Handle& handle) {
    return reinterpret_cast<uv_handle_t*>(&handle);
}

// Drives a loop from a uv_loop_t: when its descriptor is readable, and when it has a deadline.
class Guest {
  public:
    Guest(uv_loop_t& host, EventLoop& loop) : loop_(loop) {
        uv_poll_init(&host, &poll_, loop.fd());
        uv_timer_init(&host, &deadline_);
        poll_.data = deadline_.data = this;
    }

    // Until `is_done`, looked at after each turn.
    void begin(std::function<bool()> is_done) {
        is_done_ = std::move(is_done);
        uv_poll_start(&poll_, UV_READABLE, [](uv_poll_t* handle, int, int) {
            static_cast<Guest*>(handle->data)->step();
        });
        step();
    }

  private:
    void step() {
        loop_.poll();
        if (is_done_()) {
            uv_close(as_handle(poll_), nullptr);
            uv_close(as_handle(deadline_), nullptr);
            return;
        }
        auto at_deadline = [](uv_timer_t* handle) { static_cast<Guest*>(handle->data)->step(); };
        uv_update_time(deadline_.loop);
        uv_timer_start(&deadline_, at_deadline, milliseconds_left(), 0);
    }

    // None if there is more to run at once; a minute, if never, does no harm.
    std::uint64_t milliseconds_left() const {
        TimePoint deadline = loop_.next_deadline();
        TimePoint now = loop_.time();
        if (deadline <= now) return 0;
        auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now);
        return static_cast<std::uint64_t>(std::min<std::int64_t>(left.count(), 60'000));
    }

    EventLoop& loop_;
    uv_poll_t poll_;
    uv_timer_t deadline_;
    std::function<bool()> is_done_;
};

// Something that the host does besides, on the same thread.
class Ticker {
  public:
    explicit Ticker(uv_loop_t& host) {
        uv_timer_init(&host, &timer_);
        timer_.data = this;
        uv_timer_start(
            &timer_, [](uv_timer_t* handle) { ++static_cast<Ticker*>(handle->data)->ticks_; }, 100,
            100);
    }

    int ticks() const noexcept { return ticks_; }
    void stop() { uv_close(as_handle(timer_), nullptr); }

  private:
    uv_timer_t timer_;
    int ticks_ = 0;
};

// Calls a function at SIGINT and SIGTERM.
class Signals {
  public:
    Signals(uv_loop_t& host, std::function<void()> fn) : fn_(std::move(fn)) {
        constexpr int numbers[] = {SIGINT, SIGTERM};
        for (std::size_t i = 0; i < std::size(handles_); ++i) {
            uv_signal_init(&host, &handles_[i]);
            handles_[i].data = this;
            auto on_signal = [](uv_signal_t* handle, int) {
                static_cast<Signals*>(handle->data)->fn_();
            };
            uv_signal_start(&handles_[i], on_signal, numbers[i]);
        }
    }
    void stop() {
        for (uv_signal_t& handle : handles_) uv_close(as_handle(handle), nullptr);
    }

  private:
    uv_signal_t handles_[2];
    std::function<void()> fn_;
};

Task<void> serve(web::RunOptions options, Ticker& ticker, Event& told_to_stop) {
    web::Application app;
    app.router().add_get("/", [&ticker](web::Request&) -> Task<web::Response> {
        co_return web::text("Hello from inside a uv_loop_t, which has ticked " +
                            std::to_string(ticker.ticks()) + " times");
    });
    web::AppRunner runner(std::move(app));
    co_await runner.setup();
    auto listener = std::make_unique<net::TcpListener>(options.host, options.port);
    std::printf("listening on http://%s\n", listener->address().c_str());
    std::fflush(stdout);
    runner.serve(std::move(listener));
    co_await told_to_stop.wait();
    co_await runner.cleanup();
}

}  // namespace

int main(int argc, char** argv) {
    auto options = examples::options(argc, argv, {.port = 8006});
    uv_loop_t host;
    uv_loop_init(&host);
    Ticker ticker(host);
    int code = 0;
    {
        EventLoop loop;
        Event told_to_stop;
        auto serving = loop.create_task(serve, options, std::ref(ticker), std::ref(told_to_stop));

        // From outside of the loop's turns, as from another thread: this makes its descriptor
        // readable.
        Signals signals(host, [&] { loop.call_soon_threadsafe([&] { told_to_stop.set(); }); });

        Guest guest(host, loop);
        guest.begin([&] {
            if (!serving.done()) return false;
            ticker.stop();
            signals.stop();
            return true;
        });
        uv_run(&host, UV_RUN_DEFAULT);
        try {
            serving.result();
        } catch (const Error& error) {
            std::fprintf(stderr, "%s\n", error.what());
            code = 1;
        }
    }
    uv_loop_close(&host);
    return code;
}
