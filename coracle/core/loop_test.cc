// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/loop.h>

#include <coracle/base/log.h>
#include <coracle/core/event.h>
#include <coracle/core/run.h>
#include <coracle/core/scope.h>
#include <coracle/core/sleep.h>

#include <gtest/gtest.h>

#include <csignal>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace coracle {
namespace {

TEST(EventLoop, CallbacksRunInOrderAndTimersByDeadline) {
    EventLoop loop;
    std::vector<int> order;
    loop.call_later(2ms, [&] { order.push_back(4); });
    loop.call_later(1ms, [&] { order.push_back(3); });
    loop.call_later(1ms, [&] { order.push_back(99); }).cancel();
    loop.call_soon([&] { order.push_back(1); });
    loop.call_soon([&] { order.push_back(2); });
    loop.call_later(4ms, [&] { loop.stop(); });
    loop.run_forever();
    EXPECT_EQ(order, (std::vector<int>{1, 2, 3, 4}));
}

TEST(EventLoop, OtherThreadsWakeIt) {
    EventLoop loop;
    int received = 0;
    std::thread other([&] {
        for (int i = 0; i < 1000; ++i) loop.call_soon_threadsafe([&] { ++received; });
        loop.stop_threadsafe();
    });
    loop.run_forever();
    other.join();
    EXPECT_EQ(received, 1000);
}

TEST(EventLoop, RunUntilCompleteGivesTheResultOrTheException) {
    EventLoop loop;
    EXPECT_EQ(loop.run_until_complete([]() -> Task<int> { co_return 5; }()), 5);
    auto fail = []() -> Task<int> {
        throw std::runtime_error("x");
        co_return 0;
    };
    EXPECT_THROW(loop.run_until_complete(fail()), std::runtime_error);
    auto stop = []() -> Task<void> {
        EventLoop::current().stop();
        co_await sleep(1h);
    };
    EXPECT_THROW(loop.run_until_complete(stop()), Error);
}

TEST(EventLoop, TasksLeftBehindAreCancelledAndJoined) {
    static bool cancelled;
    cancelled = false;
    {
        EventLoop loop;
        loop.run_until_complete([]() -> Task<void> {
            EventLoop::current().create_task([]() -> Task<void> {
                try {
                    co_await sleep(1h);
                } catch (const Cancelled&) {
                    cancelled = true;
                    throw;
                }
            });
            co_await sleep(0s);
        }());
    }
    EXPECT_TRUE(cancelled);
}

TEST(EventLoop, SignalsRunTheirHandlerOnTheLoop) {
    EventLoop loop;
    int seen = 0;
    loop.add_signal_handler(SIGUSR1, [&] {
        ++seen;
        EXPECT_TRUE(loop.remove_signal_handler(SIGUSR1));
        loop.stop();
    });
    loop.call_soon([] { std::raise(SIGUSR1); });
    loop.run_forever();
    EXPECT_EQ(seen, 1);
    EXPECT_THROW(loop.add_signal_handler(SIGKILL, [] {}), SystemError);
}

TEST(EventLoop, AHostCanDriveIt) {
    EventLoop loop;
    int called = 0;
    loop.call_soon([&] { ++called; });
    EXPECT_EQ(loop.next_deadline(), TimePoint::min());
    while (loop.poll()) {
    }
    EXPECT_EQ(called, 1);
    EXPECT_EQ(loop.next_deadline(), no_deadline);
    loop.call_later(1h, [] {});
    EXPECT_GT(loop.next_deadline(), loop.time() + 59min);
    EXPECT_GE(loop.fd(), 0);
}

TEST(EventLoop, ASlowStepIsLoggedWithTaskAndPlace) {
    std::mutex mutex;
    std::string text;
    log::set_sink([&](log::Level, std::string_view, std::string_view line) {
        std::lock_guard lock(mutex);
        text += std::string(line) + "\n";
    });
    auto block = []() -> Task<void> {
        co_await sleep(0s);
        std::this_thread::sleep_for(80ms);  // tidy: the subject is a blocked loop
        co_await sleep(0s);
    };
    EventLoop loop;
    loop.run_until_complete(block());
    log::set_sink({});
    EXPECT_NE(text.find("the loop was blocked for"), std::string::npos) << text;
    EXPECT_NE(text.find("Task-1"), std::string::npos) << text;
    EXPECT_NE(text.find("loop_test.cc:"), std::string::npos) << text;
    EXPECT_EQ(loop.statistics().slow_steps, 1u);
}

TEST(EventLoop, ATaskWhoseAwaitsAreAllReadyCannotStarveTheOthers) {
    auto body = []() -> Task<void> {
        Event always;
        always.set();
        bool other_ran = false;
        EventLoop::current().call_soon([&] { other_ran = true; });
        for (int i = 0; i < 1000; ++i) co_await always.wait();
        EXPECT_TRUE(other_ran);
    };
    run(body());
}

TEST(EventLoopDeathTest, OutsideOfALoopThereIsNone) {
    EXPECT_EQ(EventLoop::current_or_null(), nullptr);
    EXPECT_DEATH(EventLoop::current(), "no event loop runs on this thread");
}

TEST(EventLoop, CallbackExceptionsAreLoggedAndTheLoopGoesOn) {
    std::string text;
    log::set_sink([&](log::Level, std::string_view, std::string_view line) { text += line; });
    EventLoop loop;
    loop.call_soon([] { throw std::runtime_error("oops"); });
    loop.call_soon([&] { loop.stop(); });
    loop.run_forever();
    log::set_sink({});
    EXPECT_EQ(text, "a callback threw oops");
}

}  // namespace
}  // namespace coracle
