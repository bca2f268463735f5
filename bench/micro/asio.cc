// SPDX-License-Identifier: Apache-2.0
// The same as coracle.cc in Boost.Asio's coroutines, as cheap as they get: one thread, the
// executor's own type instead of any_io_executor, and deferred, the token that makes no coroutine
// of its own.
//
//   micro_asio [--work NAME] [--share 0.01]
#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <thread>
#include <vector>

#include "repetition.h"

namespace {

namespace asio = boost::asio;
using asio::deferred;
using bench::Stopwatch;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;
using Executor = asio::io_context::executor_type;
using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor>;
using Queue = asio::experimental::channel<Executor, void(error_code, long)>;
using Signal = asio::experimental::channel<Executor, void(error_code)>;
template <class T>
using awaitable = asio::awaitable<T, Executor>;
constexpr asio::use_awaitable_t<Executor> use_awaitable;

[[gnu::noinline]] awaitable<long> child(long n) { co_return n; }
[[gnu::noinline]] awaitable<void> add(long& sum, long n) {
    sum += n;
    co_return;
}

awaitable<double> await_child(Executor, long count) {
    long sum = 0;
    Stopwatch watch(count);
    for (long i = 1; i <= count; ++i) sum += co_await child(i);
    double each = watch.ns_each();
    bench::require("await", sum, bench::sum_to(count));
    co_return each;
}

// Boost 1.81 cannot compile co_await of a deferred co_spawn that has a result.
awaitable<double> spawn(Executor executor, long count) {
    long sum = 0;
    Stopwatch watch(count);
    for (long i = 1; i <= count; ++i)
        sum += co_await asio::co_spawn(executor, child(i), use_awaitable);
    double each = watch.ns_each();
    bench::require("spawn", sum, bench::sum_to(count));
    co_return each;
}

// Counts children down, and tells who waits for the last.
class Group {
  public:
    explicit Group(Executor executor) : executor_(executor), all_ended_(executor, 1) {}

    void start(awaitable<void> started) {
        ++live_;
        asio::co_spawn(executor_, std::move(started), [this](std::exception_ptr) {
            if (--live_ == 0) all_ended_.try_send(error_code());
        });
    }
    Signal& all_ended() { return all_ended_; }

  private:
    Executor executor_;
    Signal all_ended_;
    long live_ = 0;
};

awaitable<double> spawn_100(Executor executor, long count) {
    long groups = (count + bench::children - 1) / bench::children;
    long sum = 0;
    Stopwatch watch(groups * bench::children);
    for (long i = 0; i < groups; ++i) {
        Group group(executor);
        for (long n = 1; n <= bench::children; ++n) group.start(add(sum, n));
        co_await group.all_ended().async_receive(deferred);
    }
    double each = watch.ns_each();
    bench::require("spawn_100", sum, groups * bench::sum_to(bench::children));
    co_return each;
}

awaitable<void> take_turns(Executor executor, long& turns, long count) {
    for (long i = 0; i < count; ++i) {
        co_await asio::post(executor, deferred);
        ++turns;
    }
}

awaitable<double> switch_tasks(Executor executor, long count) {
    long half = (count + 1) / 2;
    long turns = 0;
    Stopwatch watch(2 * half);
    Group group(executor);
    group.start(take_turns(executor, turns, half));
    group.start(take_turns(executor, turns, half));
    co_await group.all_ended().async_receive(deferred);
    double each = watch.ns_each();
    bench::require("switch", turns, 2 * half);
    co_return each;
}

awaitable<void> answer(Queue& questions, Queue& answers, long count) {
    for (long i = 0; i < count; ++i) {
        long question = co_await questions.async_receive(deferred);
        co_await answers.async_send(error_code(), question, deferred);
    }
}

awaitable<double> queue(Executor executor, long count) {
    Queue questions(executor, 1), answers(executor, 1);
    long sum = 0;
    Group group(executor);
    group.start(answer(questions, answers, count));
    Stopwatch watch(count);
    for (long i = 1; i <= count; ++i) {
        co_await questions.async_send(error_code(), i, deferred);
        sum += co_await answers.async_receive(deferred);
    }
    double each = watch.ns_each();
    co_await group.all_ended().async_receive(deferred);
    bench::require("queue", sum, bench::sum_to(count));
    co_return each;
}

awaitable<double> time_out(Executor executor, long count) {
    using namespace asio::experimental::awaitable_operators;
    Timer deadline(executor);
    long sum = 0;
    Stopwatch watch(count);
    for (long i = 1; i <= count; ++i) {
        deadline.expires_after(std::chrono::seconds(5));
        auto first = co_await (child(i) || deadline.async_wait(use_awaitable));
        sum += std::get<0>(first);
    }
    double each = watch.ns_each();
    bench::require("timeout", sum, bench::sum_to(count));
    co_return each;
}

using Timers = std::vector<Timer>;

void wait(Timer& timer, long& fired, long& taken_back) {
    timer.async_wait([&](error_code error) { ++(error ? taken_back : fired); });
}

Timers live_timers(Executor executor, bench::Delays& delays, Clock::time_point now, long& fired,
                   long& taken_back) {
    Timers live;
    live.reserve(bench::timers_live);
    for (int i = 0; i < bench::timers_live; ++i) {
        live.emplace_back(executor, now + delays.next());
        wait(live.back(), fired, taken_back);
    }
    return live;
}

// Their handlers, which are called with an error, must not outlive what they refer to.
awaitable<void> drop(Executor executor, Timers live) {
    live.clear();
    co_await asio::post(executor, deferred);
}

awaitable<double> timer(Executor executor, long count) {
    bench::Delays delays;
    long fired = 0, taken_back = 0;
    Clock::time_point now = Clock::now();
    Timers live = live_timers(executor, delays, now, fired, taken_back);
    Stopwatch watch(count);
    for (long i = 1; i <= count; ++i) {
        Timer& oldest = live[i % bench::timers_live];
        oldest.cancel();
        oldest.expires_at(now + delays.next());
        wait(oldest, fired, taken_back);
        if (i % bench::timers_a_turn == 0) co_await asio::post(executor, deferred);
    }
    double each = watch.ns_each();
    co_await drop(executor, std::move(live));
    bench::require("timer", taken_back, count + bench::timers_live);
    bench::require("timer", fired, 0);
    co_return each;
}

awaitable<double> call_later(Executor executor, long count) {
    bench::Delays delays;
    long fired = 0, taken_back = 0;
    Timers live = live_timers(executor, delays, Clock::now(), fired, taken_back);
    Stopwatch watch(count);
    for (long i = 1; i <= count; ++i) {
        Timer later(executor, delays.next());
        wait(later, fired, taken_back);
        later.cancel();
        if (i % bench::timers_a_turn == 0) co_await asio::post(executor, deferred);
    }
    double each = watch.ns_each();
    co_await drop(executor, std::move(live));
    bench::require("call_later", taken_back, count + bench::timers_live);
    bench::require("call_later", fired, 0);
    co_return each;
}

template <awaitable<double> (*work)(Executor, long)>
double on_a_loop(long count) {
    asio::io_context loop(1);
    double each = 0;
    asio::co_spawn(loop, work(loop.get_executor(), count),
                   [&](std::exception_ptr error, double ns) {
                       if (error) std::rethrow_exception(error);
                       each = ns;
                   });
    loop.run();
    return each;
}

// Posts to the other side's loop whenever something has been posted to its own.
class Side {
  public:
    void run() { loop_.run(); }
    void play(Side& other, long turns) {
        if (turns == 0) return end(other);
        asio::post(other.loop_, [&, turns] { other.play(*this, turns - 1); });
    }

  private:
    void end(Side& other) {
        loop_.stop();
        other.loop_.stop();
    }

    asio::io_context loop_{1};
    asio::executor_work_guard<Executor> busy_ = asio::make_work_guard(loop_);
};

double wake(long count) {
    bench::Cores cores;
    Side here, there;
    std::thread thread([&] {
        cores.take_last();
        there.run();
    });
    cores.take_first();
    bench::Stopwatch watch(count);
    here.play(there, 2 * count);
    here.run();
    double each = watch.ns_each();
    thread.join();
    return each;
}

}  // namespace

int main(int argc, char** argv) {
    return bench::repeat(argc, argv,
                         {{"await", 10'000'000, on_a_loop<await_child>},
                          {"spawn", 700'000, on_a_loop<spawn>},
                          {"spawn_100", 700'000, on_a_loop<spawn_100>},
                          {"switch", 2'000'000, on_a_loop<switch_tasks>},
                          {"queue", 400'000, on_a_loop<queue>},
                          {"timeout", 100'000, on_a_loop<time_out>},
                          {"timer", 500'000, on_a_loop<timer>},
                          {"call_later", 500'000, on_a_loop<call_later>},
                          {"wake", 5'000, wake}});
}
