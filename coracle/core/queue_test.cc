// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/queue.h>

#include <coracle/core/gather.h>
#include <coracle/core/run.h>
#include <coracle/core/scope.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace coracle {
namespace {

Task<void> put_all(Queue<int>& queue, int from, int to) {
    for (int i = from; i < to; ++i) co_await queue.put(i);
}

Task<void> take(Queue<int>& queue, std::vector<int>& out) {
    while (auto item = co_await queue.get()) {
        out.push_back(*item);
        queue.task_done();
    }
}

TEST(Queue, KeepsOrderAndBound) {
    std::vector<int> out;
    auto body = [&]() -> Task<void> {
        Queue<int> queue(2);
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(take, std::ref(queue), std::ref(out));
            co_await put_all(queue, 0, 100);
            EXPECT_LE(queue.size(), 2u);
            co_await queue.join();
            EXPECT_EQ(out.size(), 100u);
            queue.shutdown();
        });
    };
    run(body());
    for (int i = 0; i < 100; ++i) EXPECT_EQ(out[static_cast<std::size_t>(i)], i);
}

TEST(Queue, CancelledWaitsLoseNothing) {
    auto body = []() -> Task<void> {
        Queue<int> queue(1);
        EXPECT_FALSE(co_await move_on_after(1ms, [&]() -> Task<void> { co_await queue.get(); }));
        EXPECT_TRUE(queue.put_nowait(1));
        EXPECT_FALSE(queue.put_nowait(2));
        EXPECT_FALSE(co_await move_on_after(1ms, [&]() -> Task<void> { co_await queue.put(3); }));
        EXPECT_EQ(queue.get_nowait(), std::optional<int>(1));
        EXPECT_EQ(queue.get_nowait(), std::nullopt);
    };
    run(body());
}

TEST(Queue, AnItemHandedOverInTheStepOfTheCancelIsDelivered) {
    auto body = []() -> Task<void> {
        Queue<int> queue(4);
        std::vector<int> out;
        co_await cancel_scope([&](CancelScope& scope) -> Task<void> {
            co_await task_group([&](TaskGroup& group) -> Task<void> {
                group.create_task(take, std::ref(queue), std::ref(out));
                co_await sleep(0s);
                queue.put_nowait(1);
                scope.cancel();
            });
        });
        EXPECT_EQ(out, std::vector<int>{1});
    };
    run(body());
}

TEST(Queue, ShutdownEndsGettersAndRefusesPutters) {
    auto body = []() -> Task<void> {
        Queue<std::unique_ptr<int>> queue(1);
        co_await queue.put(std::make_unique<int>(5));
        int refused = 0;
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(
                [](Queue<std::unique_ptr<int>>& q, int& count) -> Task<void> {
                    try {
                        co_await q.put(std::make_unique<int>(6));
                    } catch (const QueueShutDown&) {
                        ++count;
                    }
                },
                std::ref(queue), std::ref(refused));
            co_await sleep(0s);
            queue.shutdown();
        });
        EXPECT_EQ(refused, 1);
        auto last = co_await queue.get();
        EXPECT_TRUE(last && **last == 5);
        EXPECT_FALSE((co_await queue.get()).has_value());
        EXPECT_THROW(queue.put_nowait(nullptr), QueueShutDown);
    };
    run(body());
}

TEST(Queue, RefusesABoundOfZero) { EXPECT_THROW(Queue<int>(0), Error); }

}  // namespace
}  // namespace coracle
