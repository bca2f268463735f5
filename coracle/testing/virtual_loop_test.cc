// SPDX-License-Identifier: Apache-2.0
#include <coracle/testing/virtual_loop.h>

#include <coracle/core/event.h>
#include <coracle/core/queue.h>
#include <coracle/core/run.h>
#include <coracle/core/scope.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>
#include <coracle/net/tcp.h>
#include <coracle/testing/sequencer.h>

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace coracle::testing {
namespace {

// The text of the Deadlock that running the task ends with; empty if it does not.
std::string deadlock_of(Task<void> task, TestOptions options = {}) {
    try {
        testing::run(std::move(task), options);
    } catch (const Deadlock& deadlock) {
        return deadlock.what();
    }
    return {};
}

TEST(VirtualLoop, AnHourTakesNoTime) {
    auto began = std::chrono::steady_clock::now();
    auto body = []() -> Task<int> {
        co_await sleep(1h);
        EXPECT_EQ(elapsed(), 1h);
        co_await sleep(30min);
        co_return 7;
    };
    VirtualLoop loop;
    EXPECT_EQ(loop.run(body()), 7);
    EXPECT_EQ(loop.clock().elapsed(), 90min);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
}

TEST(VirtualLoop, TasksMeetTheirDeadlinesInOrder) {
    std::vector<int> order;
    const std::array<int, 3> seconds_each{3, 1, 2};
    auto body = [&]() -> Task<void> {
        auto wait = [](int seconds, std::vector<int>& out) -> Task<void> {
            co_await sleep(std::chrono::seconds(seconds));
            out.push_back(seconds);
        };
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            for (int seconds : seconds_each) group.create_task(wait, seconds, std::ref(order));
            co_return;
        });
        EXPECT_EQ(elapsed(), 3s);
        EXPECT_THROW(co_await timeout(5s, []() -> Task<void> { co_await sleep(1h); }),
                     TimeoutError);
        EXPECT_EQ(elapsed(), 8s);
    };
    testing::run(body());
    EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

Task<void> wait_for_ever(Event& event) { co_await event.wait(); }

TEST(VirtualLoop, ADeadlockIsReportedWithTheTaskTree) {
    bool unwound = false;
    auto body = [&]() -> Task<void> {
        Event never;
        Queue<int> queue(1);
        try {
            co_await task_group([&](TaskGroup& group) -> Task<void> {
                group.create_task(wait_for_ever, std::ref(never)).set_name("patient");
                co_await queue.get();
            });
        } catch (const Cancelled& cancelled) {
            EXPECT_EQ(cancelled.reason(), "deadlock");
            unwound = true;
            throw;
        }
    };
    std::string text = deadlock_of(body());
    EXPECT_TRUE(unwound);
    EXPECT_NE(text.find("deadlock: every task waits"), std::string::npos) << text;
    EXPECT_NE(text.find("Task-1 waits for queue.get (1 waiting)"), std::string::npos) << text;
    EXPECT_NE(text.find("  patient waits for event"), std::string::npos) << text;
    EXPECT_NE(text.find("in wait_for_ever (virtual_loop_test.cc:"), std::string::npos) << text;
}

TEST(VirtualLoop, ADeadlockIsThrownWhateverTheTaskMadeOfIt) {
    auto recovers = []() -> Task<void> {
        Event never;
        co_await cancel_scope([&](CancelScope&) -> Task<void> {
            try {
                co_await never.wait();
            } catch (const Cancelled&) {
                throw std::runtime_error("something else");
            }
        });
    };
    EXPECT_NE(deadlock_of(recovers()), "");
    auto cleans_up = []() -> Task<void> {
        Event never;
        bool cancelled = false;
        try {
            co_await never.wait();
        } catch (const Cancelled&) {
            cancelled = true;
        }
        EXPECT_TRUE(cancelled);
        co_await shield(sleep(5s));  // time goes on while tasks unwind
        EXPECT_EQ(elapsed(), 5s);
    };
    EXPECT_NE(deadlock_of(cleans_up()), "");
}

TEST(VirtualLoopDeathTest, ATaskThatOutlivesTheDeadlockIsNamed) {
    auto body = []() -> Task<void> {
        Event never;
        co_await shield(wait_for_ever(never));
    };
    EXPECT_DEATH(testing::run(body()), "Task-1 waits for event[^$]*did not end after a deadlock");
}

// Or else a busy machine would give another order than an idle one.
TEST(VirtualLoop, RealTimeDoesNotDecideWhatRunsWhen) {
    std::string order;
    VirtualLoop loop({.seed = 1});
    auto body = [&]() -> Task<void> {
        loop.loop().call_later(1s, [&] { order += "timer "; });
        loop.clock().advance(1s);
        for (int i = 0; i < 3; ++i) {
            auto until = std::chrono::steady_clock::now() + 10ms;  // more than a coarse tick
            while (std::chrono::steady_clock::now() < until) continue;
            co_await sleep(0s);
            order += "step ";
        }
        co_await wait_all_tasks_blocked();
    };
    loop.run(body());
    EXPECT_EQ(order, "step step step timer ");
}

TEST(VirtualLoop, OrdinaryExceptionsPass) {
    auto body = []() -> Task<void> {
        co_await sleep(1s);
        throw std::runtime_error("mine");
    };
    EXPECT_THROW(testing::run(body()), std::runtime_error);
}

TEST(VirtualLoop, AThreadThatWasAnnouncedIsWaitedForWhileTimeStandsStill) {
    auto body = []() -> Task<void> {
        EventLoop& loop = EventLoop::current();
        Event done;
        loop.external_begin();
        std::thread worker([&] {
            std::this_thread::sleep_for(20ms);  // tidy: real time passes elsewhere
            loop.call_soon_threadsafe([&] {
                loop.external_end();
                done.set();
            });
        });
        // A virtual clock that jumped would let this pass first.
        EXPECT_TRUE(co_await move_on_after(1ms, [&]() -> Task<void> { co_await done.wait(); }));
        EXPECT_EQ(elapsed(), 0s);
        worker.join();
    };
    testing::run(body());
}

TEST(VirtualLoop, AThreadThatNeverComesIsADeadlockToo) {
    auto body = []() -> Task<void> {
        Event never;
        EventLoop::current().external_begin();
        try {
            co_await never.wait();
        } catch (const Cancelled&) {
            EventLoop::current().external_end();
            throw;
        }
    };
    EXPECT_NE(deadlock_of(body(), {.external_limit = 1ms}), "");
}

TEST(VirtualLoop, ManyThreadsWakeIt) {
    constexpr int threads = 4;
    constexpr int posts = 500;
    auto body = []() -> Task<void> {
        EventLoop& loop = EventLoop::current();
        int received = 0;
        Event done;
        loop.external_begin();
        std::vector<std::thread> workers;
        for (int i = 0; i < threads; ++i) {
            workers.emplace_back([&] {
                for (int k = 0; k < posts; ++k) {
                    loop.call_soon_threadsafe([&] {
                        if (++received == threads * posts) done.set();
                    });
                }
            });
        }
        co_await done.wait();
        loop.external_end();
        for (std::thread& worker : workers) worker.join();
    };
    testing::run(body());
}

TEST(VirtualLoop, RealDescriptorsAreRefusedWithASentence) {
    auto body = []() -> Task<void> {
        net::TcpListener listener("127.0.0.1", 0);
        std::string text;
        try {
            co_await listener.accept();
        } catch (const Error& error) {
            text = error.what();
        }
        EXPECT_NE(text.find("a virtual loop has no descriptors"), std::string::npos) << text;
    };
    testing::run(body());
}

TEST(WaitAllTasksBlocked, LetsTheOthersGetAsFarAsTheyCan) {
    auto body = []() -> Task<void> {
        Queue<int> queue(1);
        int taken = 0;
        auto consume = [](Queue<int>& from, int& count) -> Task<void> {
            while (co_await from.get()) {
                for (int i = 0; i < 10; ++i) co_await sleep(0s);
                ++count;
            }
        };
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(consume, std::ref(queue), std::ref(taken));
            for (int i = 1; i <= 3; ++i) {
                queue.put_nowait(i);
                co_await wait_all_tasks_blocked();
                EXPECT_EQ(taken, i);
            }
            EXPECT_EQ(elapsed(), 0s);
            queue.shutdown();
        });
    };
    testing::run(body());
}

TEST(WaitAllTasksBlocked, CanBeCancelledAndNeedsAVirtualLoop) {
    auto body = []() -> Task<void> {
        bool ended = co_await cancel_scope([](CancelScope& scope) -> Task<void> {
            scope.cancel();
            co_await wait_all_tasks_blocked();
        });
        EXPECT_FALSE(ended);
    };
    testing::run(body());
    auto elsewhere = []() -> Task<void> { co_await wait_all_tasks_blocked(); };
    EXPECT_THROW(coracle::run(elsewhere()), Error);
}

TEST(Sequencer, RunsStepsOfSeveralTasksInOrder) {
    std::vector<int> order;
    auto take_steps = [](Sequencer& sequence, std::vector<int>& out, int first,
                         int last) -> Task<void> {
        for (int number = first; number <= last; number += 2) {
            auto step = co_await sequence.step(number);
            co_await sleep(1s);
            out.push_back(number);
        }
    };
    auto body = [&]() -> Task<void> {
        Sequencer sequence;
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(take_steps, std::ref(sequence), std::ref(order), 1, 5);
            group.create_task(take_steps, std::ref(sequence), std::ref(order), 0, 4);
            co_return;
        });
    };
    testing::run(body());
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5}));
}

TEST(VirtualLoop, ATimerThatTheTestMadeDueFiresWhileAThreadIsAwaited) {
    VirtualLoop loop({.external_limit = 1h});
    auto body = [&]() -> Task<void> {
        loop.loop().external_begin();
        EXPECT_FALSE(co_await move_on_after(5s, [&]() -> Task<void> {
            loop.clock().advance(5s);
            co_await Event().wait();
        }));
        loop.loop().external_end();
    };
    loop.run(body());
}

}  // namespace
}  // namespace coracle::testing
