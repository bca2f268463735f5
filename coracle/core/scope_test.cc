// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/scope.h>

#include <coracle/core/checkpoint.h>
#include <coracle/core/event.h>
#include <coracle/core/gather.h>
#include <coracle/core/queue.h>
#include <coracle/core/run.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>
#include <coracle/testing/virtual_loop.h>

#include <gtest/gtest.h>

#include <string>

namespace coracle {
namespace {

Task<int> forever() {
    co_await sleep(1h);
    co_return 1;
}

Task<int> quick(int n) {
    co_await sleep(1ms);
    co_return n;
}

TEST(Timeout, ThrowsTimeoutErrorAfterTheBodyWasCancelled) {
    bool cancelled = false;
    auto body = [&]() -> Task<void> {
        co_await timeout(2ms, [&]() -> Task<void> {
            try {
                co_await sleep(1h);
            } catch (const Cancelled& reason) {
                cancelled = true;
                EXPECT_EQ(reason.reason(), "timeout");
                throw;
            }
        });
    };
    EXPECT_THROW(run(body()), TimeoutError);
    EXPECT_TRUE(cancelled);
}

TEST(Timeout, ReturnsTheBodysValueInTime) {
    auto body = []() -> Task<int> {
        co_return co_await timeout(1h, [&]() -> Task<int> { co_return co_await quick(5); });
    };
    EXPECT_EQ(run(body()), 5);
}

TEST(Timeout, ABodyMayBeAnyFunctionThatReturnsATask) {
    auto body = []() -> Task<int> {
        std::string text = "kept by value";
        auto size = [text](CancelScope& scope) -> Task<int> {
            EXPECT_EQ(&scope, &current_scope());
            co_await checkpoint();
            co_return static_cast<int>(text.size());
        };
        int sum = co_await timeout(1h, size);
        auto forwards = [] { return quick(5); };
        sum += co_await timeout(1h, forwards);
        co_return sum;
    };
    EXPECT_EQ(run(body()), 13 + 5);
}

TEST(Timeout, WhatABodyThrowsInsteadOfReturningATaskLeavesTheScope) {
    auto body = []() -> Task<void> {
        CancelScope& around = current_scope();
        auto refuses = []() -> Task<void> { throw Error("no task today"); };
        std::string caught;
        try {
            co_await timeout(1h, refuses);
        } catch (const Error& error) {
            caught = error.what();
        }
        EXPECT_EQ(caught, "no task today");
        EXPECT_EQ(&current_scope(), &around);
        EXPECT_EQ(get_running_loop().statistics().timers, 0u);
        auto cancels = [](CancelScope& scope) -> Task<void> {
            scope.cancel("at once");
            throw Cancelled("at once");
        };
        EXPECT_FALSE(co_await cancel_scope(cancels));
    };
    run(body());
}

TEST(WaitFor, AcceptsTasksBuildersAndOtherScopes) {
    auto body = []() -> Task<int> {
        co_await wait_for(sleep(1ms), 1h);
        int n = co_await wait_for(quick(3), 1h);
        auto [a, b] = co_await wait_for(gather(quick(1), quick(2)), 1h);
        n += co_await wait_for(wait_for(quick(4), 1h), 1h);
        bool late = false;
        try {
            co_await wait_for(gather(forever(), forever()), 1ms);
        } catch (const TimeoutError&) {
            late = true;
        }
        EXPECT_TRUE(late);
        co_return n + a + b;
    };
    EXPECT_EQ(run(body()), 10);
}

TEST(WaitFor, AcceptsOperationsOfObjectsAndTaskHandles) {
    auto body = []() -> Task<void> {
        Event event;
        Queue<int> queue(1);
        EXPECT_THROW(co_await wait_for(event.wait(), 1ms), TimeoutError);
        EXPECT_THROW(co_await wait_for(queue.get(), 1ms), TimeoutError);
        co_await wait_for(queue.put(4), 1h);
        EXPECT_EQ(co_await wait_for(queue.get(), 1h), std::optional<int>(4));
        event.set();
        auto [nothing, n] = co_await gather(event.wait(), quick(2));
        static_cast<void>(nothing);
        EXPECT_EQ(n, 2);
        auto handle = EventLoop::current().create_task(quick, 3);
        EXPECT_EQ(co_await wait_for(handle, 1h), 3);
    };
    run(body());
}

TEST(Timeout, ABodyThatTakesItsScopeMovesTheDeadline) {
    auto body = []() -> Task<void> {
        auto& loop = EventLoop::current();
        int n = co_await timeout(1s, [&](CancelScope& scope) -> Task<int> {
            for (int i = 0; i < 5; ++i) {
                scope.set_deadline(loop.time() + 1s);
                co_await sleep(900ms);
            }
            EXPECT_FALSE(scope.deadline_passed());
            co_return 5;
        });
        EXPECT_EQ(n, 5);
        TimePoint began = loop.time();
        auto rescheduled = [&](CancelScope& scope) -> Task<void> {
            scope.set_deadline(began + 3s);
            co_await sleep(1h);
        };
        EXPECT_THROW(co_await timeout_at(began + 1h, rescheduled), TimeoutError);
        EXPECT_EQ(loop.time(), began + 3s);
        auto by_hand = [&](CancelScope& scope) -> Task<void> {
            scope.cancel("by hand");
            co_await sleep(1h);
        };
        std::string text;
        try {
            co_await timeout(1h, by_hand);
        } catch (const TimeoutError& error) {
            text = error.what();
        }
        EXPECT_EQ(text, "cancelled before the deadline: by hand");
        auto answer = co_await cancel_scope([&](CancelScope&) -> Task<int> { co_return 42; });
        EXPECT_EQ(answer, std::optional<int>(42));
    };
    testing::run(body());
}

TEST(MoveOnAfter, SaysWhetherTheBodyEnded) {
    auto body = []() -> Task<void> {
        EXPECT_TRUE(co_await move_on_after(1h, [&]() -> Task<void> { co_await quick(1); }));
        EXPECT_FALSE(co_await move_on_after(1ms, [&]() -> Task<void> { co_await forever(); }));
        auto some = co_await move_on_after(1h, [&]() -> Task<int> { co_return co_await quick(9); });
        auto none =
            co_await move_on_after(1ms, [&]() -> Task<int> { co_return co_await forever(); });
        EXPECT_EQ(some, std::optional<int>(9));
        EXPECT_FALSE(none.has_value());
    };
    run(body());
}

TEST(CancelScope, IsLevelTriggered) {
    int cancelled = 0;
    auto body = [&]() -> Task<void> {
        bool done = co_await cancel_scope([&](CancelScope& scope) -> Task<void> {
            scope.cancel("enough");
            for (int i = 0; i < 3; ++i) {
                try {
                    co_await sleep(1h);
                } catch (
                    const Cancelled& reason) {  // swallowed on purpose: the scope stays cancelled
                    EXPECT_EQ(reason.reason(), "enough");
                    ++cancelled;
                }
            }
            co_await sleep(0s);
        });
        EXPECT_FALSE(done);
        co_await sleep(0s);  // outside of the scope nothing is cancelled
    };
    run(body());
    EXPECT_EQ(cancelled, 3);
}

TEST(CancelScope, OuterCancellationPassesThroughInnerScopes) {
    auto body = []() -> Task<void> {
        bool outer = co_await move_on_after(1ms, [&]() -> Task<void> {
            bool inner = co_await move_on_after(1h, [&]() -> Task<void> { co_await forever(); });
            ADD_FAILURE() << "the inner scope absorbed " << inner;
        });
        EXPECT_FALSE(outer);
    };
    run(body());
}

TEST(CancelScope, DeadlinesNestAndTheEarliestApplies) {
    auto body = []() -> Task<void> {
        co_await timeout(1h, [&]() -> Task<void> {
            TimePoint outer = current_deadline();
            co_await timeout(2h, [&]() -> Task<void> {
                EXPECT_EQ(current_deadline(), outer);
                co_return;
            });
            co_await timeout(1s, [&]() -> Task<void> {
                EXPECT_LT(current_deadline(), outer);
                co_return;
            });
        });
        EXPECT_EQ(current_deadline(), no_deadline);
    };
    run(body());
}

TEST(Shield, KeepsCancellationOutUntilItEnds) {
    bool flushed = false;
    auto body = [&]() -> Task<void> {
        bool done = co_await cancel_scope([&](CancelScope& scope) -> Task<void> {
            scope.cancel();
            co_await shield(quick(1));
            flushed = true;
            co_await sleep(0s);
            ADD_FAILURE() << "the checkpoint after the shield did not throw";
        });
        EXPECT_FALSE(done);
    };
    run(body());
    EXPECT_TRUE(flushed);
}

TEST(Cancellation, AResultThatWonIsDelivered) {
    auto body = []() -> Task<void> {
        Event event;
        bool delivered = false;
        bool done = co_await cancel_scope([&](CancelScope& scope) -> Task<void> {
            co_await task_group([&](TaskGroup& group) -> Task<void> {
                group.create_task(
                    [](Event& e, CancelScope& s) -> Task<void> {
                        co_await sleep(0s);
                        e.set();     // the wait has completed
                        s.cancel();  // in the same step, too late for it
                    },
                    std::ref(event), std::ref(scope));
                co_await event.wait();
                delivered = true;
                co_await sleep(0s);
                ADD_FAILURE() << "the next checkpoint did not throw";
            });
        });
        EXPECT_TRUE(delivered);
        EXPECT_FALSE(done);
    };
    run(body());
}

TEST(CurrentScope, IsTheTasksOwnWhenItHasEnteredNone) {
    auto body = []() -> Task<void> {
        int ended = 0;
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            auto cancels_itself = group.create_task([]() -> Task<void> {
                EXPECT_EQ(&current_scope(), &current_scope());
                current_scope().cancel("me");
                co_await sleep(0s);
                ADD_FAILURE() << "the checkpoint did not throw";
            });
            group.create_task(
                [](int& count) -> Task<void> {
                    co_await sleep(1s);
                    ++count;
                },
                std::ref(ended));
            co_await sleep(2s);
            EXPECT_TRUE(cancels_itself.cancelled());
            EXPECT_FALSE(group.scope().cancel_called());
        });
        EXPECT_EQ(ended, 1);
        bool done = co_await cancel_scope([](CancelScope& scope) -> Task<void> {
            EXPECT_EQ(&current_scope(), &scope);
            co_return;
        });
        EXPECT_TRUE(done);
    };
    testing::run(body());
}

TEST(Gather, SaysThatATaskCancelledItself) {
    auto cancels_itself = []() -> Task<int> {
        current_scope().cancel();
        co_await sleep(0s);
        co_return 1;
    };
    auto body = [&]() -> Task<void> {
        std::string said;
        try {
            co_await gather(quick(1), cancels_itself());
        } catch (const Error& error) {
            said = error.what();
        }
        EXPECT_EQ(said, "gather: a task was cancelled before it returned a value");
    };
    testing::run(body());
}

}  // namespace
}  // namespace coracle
