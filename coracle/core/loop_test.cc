// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/loop.h>

#include <coracle/base/log.h>
#include <coracle/core/event.h>
#include <coracle/core/run.h>
#include <coracle/core/scope.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>

#include <gtest/gtest.h>

#include <unistd.h>

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

TEST(EventLoop, StatisticsCountTheTasksThatLive) {
    auto body = []() -> Task<void> {
        EventLoop& loop = get_running_loop();
        EXPECT_EQ(loop.statistics().tasks, 1u);
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            auto short_lived = group.create_task([]() -> Task<void> { co_return; });
            group.create_task([]() -> Task<void> { co_await sleep(1h); });
            EXPECT_EQ(loop.statistics().tasks, 3u);
            co_await short_lived;
            EXPECT_EQ(loop.statistics().tasks, 2u);
            group.cancel("seen");
        });
        EXPECT_EQ(loop.statistics().tasks, 1u);
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
    EXPECT_EQ(text, "a callback threw: std::runtime_error: oops");
}

TEST(EventLoop, ReadersAndWritersAreCalledWhileTheirDescriptorIsReady) {
    int fds[2];
    ASSERT_EQ(::pipe(fds), 0);
    std::string received;
    int writes = 0;
    EventLoop loop;
    loop.add_reader(fds[0], [&] {  // takes one byte at a time, though more is there
        char byte;
        if (::read(fds[0], &byte, 1) == 1) received += byte;
        if (received == "abcabc") {
            EXPECT_TRUE(loop.remove_reader(fds[0]));
            EXPECT_FALSE(loop.remove_reader(fds[0]));
            loop.stop();
        }
    });
    loop.call_soon([&] {
        loop.add_writer(fds[1], [&] { ADD_FAILURE() << "it was replaced"; });
        loop.add_writer(fds[1], [&] {
            EXPECT_EQ(::write(fds[1], "abc", 3), 3);
            if (++writes == 2) {
                EXPECT_TRUE(loop.remove_writer(fds[1]));
            }
        });
    });
    loop.run_forever();
    EXPECT_EQ(received, "abcabc");
    EXPECT_EQ(writes, 2);
    ::close(fds[0]);
    ::close(fds[1]);
}

TEST(EventLoop, AReaderThatWasRemovedLeavesItsDescriptor) {
    int fds[2];
    ASSERT_EQ(::pipe(fds), 0);
    EventLoop loop;
    loop.add_reader(fds[0], [] { ADD_FAILURE() << "it was removed"; });
    EXPECT_TRUE(loop.remove_reader(fds[0]));
    EXPECT_FALSE(loop.remove_writer(fds[0]));
    int calls = 0;
    auto body = [&]() -> Task<void> {
        EXPECT_EQ(::write(fds[1], "a", 1), 1);
        co_await sleep(0s);
        loop.add_reader(fds[0], [&] { ++calls; });
        while (calls < 3) co_await sleep(0s);
        EXPECT_TRUE(loop.remove_reader(fds[0]));
        int seen = calls;
        co_await sleep(1ms);
        EXPECT_EQ(calls, seen);
        EXPECT_THROW(loop.add_reader(-1, [] {}), SystemError);
    };
    loop.run_until_complete(body());
    ::close(fds[0]);
    ::close(fds[1]);
}

TEST(EventLoop, TheExceptionHandlerGetsWhatNobodyCatches) {
    EventLoop loop;
    std::vector<std::string> messages;
    loop.set_exception_handler([&](const ExceptionContext& context) {
        EXPECT_TRUE(context.exception != nullptr);
        messages.push_back(context.message);
    });
    loop.call_soon([] { throw Error("from a callback"); });
    loop.create_task([]() -> Task<void> {
        throw Error("from a task");
        co_return;
    });
    loop.call_later(1ms, [&] { loop.stop(); });
    loop.run_forever();
    EXPECT_EQ(messages,
              (std::vector<std::string>{"a callback threw",
                                        "Task-1 ended with an exception that nobody awaits"}));
}

TEST(Runner, RunsSeveralTasksOnOneLoopAndSurvivesCtrlC) {
    int background = 0;  // outlives the runner, whose destructor joins the task that counts
    Runner runner;
    runner.run([](int& count) -> Task<void> {
        EventLoop::current().create_task(
            [](int& n) -> Task<void> {
                for (;;) {
                    ++n;
                    co_await sleep(0s);
                }
            },
            std::ref(count));
        co_await sleep(1ms);
    }(background));
    int before = background;
    auto interrupted = []() -> Task<int> {
        std::raise(SIGINT);
        co_await sleep(1h);
        co_return 1;
    };
    EXPECT_THROW(runner.run(interrupted()), TaskCancelledError);
    EXPECT_EQ(runner.run([]() -> Task<int> {
        co_await sleep(1ms);
        co_return 7;
    }()),
              7);
    EXPECT_GT(background, before);
}

}  // namespace
}  // namespace coracle
