// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/capacity_limiter.h>

#include <coracle/core/internal/frame_allocator.h>
#include <coracle/core/scope.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>
#include <coracle/testing/seeds.h>
#include <coracle/testing/virtual_loop.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <random>

namespace coracle {
namespace {

Task<void> borrow(CapacityLimiter& limiter, int& inside) {
    auto token = co_await limiter.acquire();
    ++inside;
    co_await sleep(1s);
    --inside;
}

TEST(CapacityLimiter, TheLimitMovesWhileItIsInUse) {
    auto body = []() -> Task<void> {
        CapacityLimiter limiter(1);
        int inside = 0;
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            for (int i = 0; i < 6; ++i)
                group.create_task(borrow, std::ref(limiter), std::ref(inside));
            co_await testing::wait_all_tasks_blocked();
            EXPECT_EQ(inside, 1);
            limiter.set_total(4);
            co_await testing::wait_all_tasks_blocked();
            EXPECT_EQ(inside, 4);
            EXPECT_EQ(limiter.statistics().waiting, 2u);
            limiter.set_total(0);
            EXPECT_EQ(limiter.borrowed(), 4u);
            EXPECT_EQ(limiter.available(), 0u);
            co_await sleep(2s);
            EXPECT_EQ(inside, 0);
            EXPECT_EQ(limiter.borrowed(), 0u);
            EXPECT_FALSE(limiter.acquire_nowait().has_value());
            limiter.set_total(1);
        });
        EXPECT_EQ(testing::elapsed(), 4s);
        EXPECT_EQ(limiter.available(), 1u);
    };
    testing::run(body());
}

Task<void> borrow_briefly(CapacityLimiter& limiter, int& inside, std::mt19937_64& random) {
    for (int i = 0; i < 5; ++i) {
        co_await move_on_after(std::chrono::milliseconds(random() % 4), [&]() -> Task<void> {
            auto token = co_await limiter.acquire();
            EXPECT_EQ(limiter.borrowed() > 0, true);
            ++inside;
            try {
                co_await sleep(std::chrono::milliseconds(random() % 3));
            } catch (const Cancelled&) {
                --inside;
                throw;
            }
            --inside;
        });
        limiter.set_total(random() % 4);
    }
}

TEST(CapacityLimiter, KeepsCountUnderEverySchedule) {
    testing::for_each_seed(
        [](std::uint64_t seed) {
            long frames = internal::live_frames();
            std::mt19937_64 random(seed);
            auto body = [&]() -> Task<void> {
                CapacityLimiter limiter(2);
                int inside = 0;
                co_await task_group([&](TaskGroup& group) -> Task<void> {
                    for (int i = 0; i < 6; ++i)
                        group.create_task(borrow_briefly, std::ref(limiter), std::ref(inside),
                                          std::ref(random));
                    co_return;
                });
                EXPECT_EQ(limiter.borrowed(), 0u);
                EXPECT_EQ(inside, 0);
                limiter.set_total(3);
                EXPECT_EQ(limiter.available(), 3u);
            };
            testing::run(body(), {.seed = seed});
            EXPECT_EQ(internal::live_frames(), frames);
        },
        {.failed = ::testing::Test::HasFailure});
}

}  // namespace
}  // namespace coracle
