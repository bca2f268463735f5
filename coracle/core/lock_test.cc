// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/lock.h>

#include <coracle/core/internal/frame_allocator.h>
#include <coracle/core/scope.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>
#include <coracle/testing/seeds.h>
#include <coracle/testing/virtual_loop.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace coracle {
namespace {

Task<void> hold(Lock& lock, std::vector<int>& order, int number, Duration span) {
    auto guard = co_await lock.lock();
    order.push_back(number);
    co_await sleep(span);
}

TEST(Lock, ServesWaitersInOrderOfArrival) {
    std::vector<int> order;
    auto body = [&]() -> Task<void> {
        Lock lock;
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            for (int i = 0; i < 4; ++i)
                group.create_task(hold, std::ref(lock), std::ref(order), i, Duration(1s));
            co_await testing::wait_all_tasks_blocked();
            EXPECT_TRUE(lock.locked());
            EXPECT_EQ(lock.statistics().waiting, 3u);
            EXPECT_FALSE(lock.lock_nowait().has_value());
        });
        EXPECT_FALSE(lock.locked());
        EXPECT_TRUE(lock.lock_nowait().has_value());
        EXPECT_FALSE(lock.locked());
        EXPECT_EQ(testing::elapsed(), 4s);
    };
    testing::run(body());
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3}));
}

TEST(Lock, NobodyOvertakesThoseWhoWait) {
    auto body = []() -> Task<void> {
        Lock lock;
        std::vector<int> order;
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            auto guard = co_await lock.lock();
            group.create_task(hold, std::ref(lock), std::ref(order), 1, Duration(1s));
            co_await testing::wait_all_tasks_blocked();
            guard.release();
            EXPECT_FALSE(guard.is_held());
            EXPECT_FALSE(lock.lock_nowait().has_value());  // it belongs to the waiter already
            order.push_back(0);
            auto again = co_await lock.lock();
            order.push_back(2);
        });
        EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
    };
    testing::run(body());
}

TEST(Lock, IsReleasedByAnExceptionAndPassesOnByMove) {
    auto body = []() -> Task<void> {
        Lock lock;
        auto fail = [&]() -> Task<void> {
            auto guard = co_await lock.lock();
            throw Error("x");
        };
        EXPECT_THROW(co_await fail(), Error);
        EXPECT_FALSE(lock.locked());
        auto first = co_await lock.lock();
        auto second = std::move(first);
        EXPECT_FALSE(lock.is_held_by(first));
        EXPECT_TRUE(lock.is_held_by(second));
        second.release();
        EXPECT_FALSE(lock.locked());
    };
    testing::run(body());
}

// Passed on and cancelled in the same step: the lock arrives, and is released while unwinding.
TEST(Lock, APassedLockIsNotLostToACancellation) {
    auto body = []() -> Task<void> {
        Lock lock;
        std::vector<int> order;
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            auto guard = co_await lock.lock();
            auto unlucky =
                group.create_task(hold, std::ref(lock), std::ref(order), 1, Duration(1h));
            group.create_task(hold, std::ref(lock), std::ref(order), 2, Duration(1s));
            co_await testing::wait_all_tasks_blocked();
            guard.release();
            unlucky.cancel();
        });
        EXPECT_EQ(order, (std::vector<int>{1, 2}));
        EXPECT_EQ(testing::elapsed(), 1s);
        EXPECT_FALSE(lock.locked());
    };
    testing::run(body());
}

struct Shared {
    Lock lock;
    int inside = 0;
    int entered = 0;
};

Task<void> visit_often(Shared& shared, std::mt19937_64& random) {
    for (int i = 0; i < 5; ++i) {
        co_await move_on_after(std::chrono::milliseconds(random() % 4), [&]() -> Task<void> {
            auto guard = co_await shared.lock.lock();
            EXPECT_EQ(++shared.inside, 1);
            ++shared.entered;
            try {
                co_await sleep(std::chrono::milliseconds(random() % 3));
            } catch (const Cancelled&) {
                --shared.inside;
                throw;
            }
            --shared.inside;
        });
    }
}

TEST(Lock, HoldsUnderEverySchedule) {
    testing::for_each_seed(
        [](std::uint64_t seed) {
            long frames = internal::live_frames();
            std::mt19937_64 random(seed);
            auto body = [&]() -> Task<void> {
                Shared shared;
                co_await task_group([&](TaskGroup& group) -> Task<void> {
                    for (int i = 0; i < 6; ++i)
                        group.create_task(visit_often, std::ref(shared), std::ref(random));
                    co_return;
                });
                EXPECT_GT(shared.entered, 0);
                EXPECT_EQ(shared.inside, 0);
                EXPECT_TRUE(shared.lock.lock_nowait().has_value());
            };
            testing::run(body(), {.seed = seed});
            EXPECT_EQ(internal::live_frames(), frames);
        },
        {.failed = ::testing::Test::HasFailure});
}

}  // namespace
}  // namespace coracle
