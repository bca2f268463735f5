// SPDX-License-Identifier: Apache-2.0
// What the smallest operations of the runtime cost, in the words that a user writes them in.
//
//   micro_coracle [--work NAME] [--share 0.01]     subjects/micro.py says what each work is
#include <coracle/core/loop.h>
#include <coracle/core/queue.h>
#include <coracle/core/run.h>
#include <coracle/core/scope.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>
#include <coracle/core/timer.h>

#include <algorithm>
#include <functional>
#include <future>
#include <memory>
#include <thread>

#include "repetition.h"

namespace {

using namespace coracle;
using bench::Stopwatch;

// Kept from being inlined: what is called elsewhere is seldom a function that the compiler sees.
[[gnu::noinline]] Task<long> child(long n) { co_return n; }
[[gnu::noinline]] Task<void> add(long& sum, long n) {
    sum += n;
    co_return;
}

// A loop that is not let go of for 50 ms says so.
constexpr long steps_a_turn = 100'000;

Task<double> await_child(long count) {
    long sum = 0;
    Stopwatch watch(count);
    for (long i = 1; i <= count;) {
        for (long end = std::min(count + 1, i + steps_a_turn); i < end; ++i) {
            sum += co_await child(i);
        }
        co_await sleep(0s);
    }
    double each = watch.ns_each();
    bench::require("await", sum, bench::sum_to(count));
    co_return each;
}

Task<double> spawn(long count) {
    double each = 0;
    long sum = 0;
    co_await task_group([&](TaskGroup& group) -> Task<void> {
        Stopwatch watch(count);
        for (long i = 1; i <= count; ++i) sum += co_await group.create_task(child, i);
        each = watch.ns_each();
    });
    bench::require("spawn", sum, bench::sum_to(count));
    co_return each;
}

Task<double> spawn_100(long count) {
    long groups = (count + bench::children - 1) / bench::children;
    long sum = 0;
    Stopwatch watch(groups * bench::children);
    for (long i = 0; i < groups; ++i) {
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            for (long n = 1; n <= bench::children; ++n) group.create_task(add, std::ref(sum), n);
            co_return;
        });
    }
    double each = watch.ns_each();
    bench::require("spawn_100", sum, groups * bench::sum_to(bench::children));
    co_return each;
}

Task<void> take_turns(long& turns, long count) {
    for (long i = 0; i < count; ++i) {
        co_await sleep(0s);
        ++turns;
    }
}

Task<double> switch_tasks(long count) {
    long half = (count + 1) / 2;
    long turns = 0;
    Stopwatch watch(2 * half);
    co_await task_group([&](TaskGroup& group) -> Task<void> {
        group.create_task(take_turns, std::ref(turns), half);
        group.create_task(take_turns, std::ref(turns), half);
        co_return;
    });
    double each = watch.ns_each();
    bench::require("switch", turns, 2 * half);
    co_return each;
}

Task<void> answer(Queue<long>& questions, Queue<long>& answers) {
    while (auto question = co_await questions.get()) co_await answers.put(*question);
}

Task<double> queue(long count) {
    Queue<long> questions(1), answers(1);
    double each = 0;
    long sum = 0;
    co_await task_group([&](TaskGroup& group) -> Task<void> {
        group.create_task(answer, std::ref(questions), std::ref(answers));
        Stopwatch watch(count);
        for (long i = 1; i <= count; ++i) {
            co_await questions.put(i);
            auto answered = co_await answers.get();
            sum += *answered;
        }
        each = watch.ns_each();
        questions.shutdown();
    });
    bench::require("queue", sum, bench::sum_to(count));
    co_return each;
}

Task<double> time_out(long count) {
    long sum = 0;
    Stopwatch watch(count);
    for (long i = 1; i <= count;) {
        for (long end = std::min(count + 1, i + steps_a_turn); i < end; ++i) {
            co_await timeout(5s, [&]() -> Task<void> { sum += co_await child(i); });
        }
        co_await sleep(0s);
    }
    double each = watch.ns_each();
    bench::require("timeout", sum, bench::sum_to(count));
    co_return each;
}

class Reminder final : public Timer {
    void fire() noexcept override { bench::require("timer", 1, 0); }
};

Task<double> timer(long count) {
    EventLoop& loop = get_running_loop();
    bench::Delays delays;
    TimePoint now = loop.time();
    auto live = std::make_unique<Reminder[]>(bench::timers_live);
    for (int i = 0; i < bench::timers_live; ++i) loop.timers().add(live[i], now + delays.next());
    Stopwatch watch(count);
    for (long i = 1; i <= count; ++i) {
        Reminder& oldest = live[i % bench::timers_live];
        oldest.cancel();
        loop.timers().add(oldest, now + delays.next());
        if (i % bench::timers_a_turn == 0) co_await sleep(0s);
    }
    double each = watch.ns_each();
    bench::require("timer", static_cast<long>(loop.timers().size()), bench::timers_live);
    co_return each;
}

Task<double> call_later(long count) {
    EventLoop& loop = get_running_loop();
    bench::Delays delays;
    long calls = 0;
    for (int i = 0; i < bench::timers_live; ++i) loop.call_later(delays.next(), [&] { ++calls; });
    Stopwatch watch(count);
    for (long i = 1; i <= count; ++i) {
        auto handle = loop.call_later(delays.next(), [&] { ++calls; });
        handle.cancel();
        if (i % bench::timers_a_turn == 0) co_await sleep(0s);
    }
    double each = watch.ns_each();
    bench::require("call_later", static_cast<long>(loop.timers().size()), bench::timers_live);
    bench::require("call_later", calls, 0);
    co_return each;
}

template <Task<double> (*work)(long)>
double on_a_loop(long count) {
    return run(work(count));
}

// Posts to the other side's loop whenever something has been posted to its own.
class Side {
  public:
    EventLoop& loop() { return loop_; }
    void play(Side& other, long turns) {
        if (turns == 0) return end(other);
        other.loop_.call_soon_threadsafe([&, turns] { other.play(*this, turns - 1); });
    }

  private:
    void end(Side& other) {
        loop_.stop();
        other.loop_.stop_threadsafe();
    }

    EventLoop loop_;
};

double wake(long count) {
    bench::Cores cores;
    std::promise<Side*> there;
    std::promise<void> over;
    std::thread thread([&, ended = over.get_future()]() mutable {
        cores.take_last();
        Side side;
        there.set_value(&side);
        side.loop().run_forever();
        ended.wait();  // the other side may still be telling this loop to stop
    });
    cores.take_first();
    Side side;
    Side& other = *there.get_future().get();
    Stopwatch watch(count);
    side.loop().call_soon([&] { side.play(other, 2 * count); });
    side.loop().run_forever();
    double each = watch.ns_each();
    over.set_value();
    thread.join();
    return each;
}

}  // namespace

int main(int argc, char** argv) {
    return bench::repeat(argc, argv,
                         {{"await", 20'000'000, on_a_loop<await_child>},
                          {"spawn", 2'000'000, on_a_loop<spawn>},
                          {"spawn_100", 4'000'000, on_a_loop<spawn_100>},
                          {"switch", 10'000'000, on_a_loop<switch_tasks>},
                          {"queue", 3'000'000, on_a_loop<queue>},
                          {"timeout", 3'000'000, on_a_loop<time_out>},
                          {"timer", 4'000'000, on_a_loop<timer>},
                          {"call_later", 1'000'000, on_a_loop<call_later>},
                          {"wake", 5'000, wake}});
}
