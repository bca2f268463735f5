// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/barrier.h>

#include <coracle/core/internal/frame_allocator.h>
#include <coracle/core/scope.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>
#include <coracle/testing/seeds.h>
#include <coracle/testing/virtual_loop.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace coracle {
namespace {

Task<void> arrive(Barrier& barrier, std::vector<std::size_t>& indices, Duration after) {
    co_await sleep(after);
    indices.push_back(co_await barrier.wait());
}

TEST(Barrier, ReleasesAllWhenTheLastHasCome) {
    auto body = []() -> Task<void> {
        Barrier barrier(3);
        std::vector<std::size_t> indices;
        for (int round = 1; round <= 2; ++round) {
            co_await task_group([&](TaskGroup& group) -> Task<void> {
                for (auto after : {2s, 1s, 3s})
                    group.create_task(arrive, std::ref(barrier), std::ref(indices),
                                      Duration(after));
                co_await sleep(2s);
                co_await testing::wait_all_tasks_blocked();
                EXPECT_EQ(barrier.waiting(), 2u);
            });
            EXPECT_EQ(testing::elapsed(), 3s * round);
        }
        std::sort(indices.begin(), indices.end());
        EXPECT_EQ(indices, (std::vector<std::size_t>{0, 0, 1, 1, 2, 2}));
    };
    testing::run(body());
}

TEST(Barrier, ACancelledTaskIsNotCounted) {
    auto body = []() -> Task<void> {
        Barrier barrier(2);
        std::vector<std::size_t> indices;
        EXPECT_FALSE(co_await move_on_after(1s, [&]() -> Task<void> { co_await barrier.wait(); }));
        EXPECT_EQ(barrier.statistics().waiting, 0u);
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(arrive, std::ref(barrier), std::ref(indices), Duration(0s));
            co_await testing::wait_all_tasks_blocked();
            EXPECT_TRUE(indices.empty());
            EXPECT_EQ(co_await barrier.wait(), 1u);
        });
        EXPECT_EQ(indices, std::vector<std::size_t>{0});
    };
    testing::run(body());
}

Task<void> arrive_at_broken(Barrier& barrier, int& broken) {
    try {
        co_await barrier.wait();
    } catch (const BrokenBarrierError&) {
        ++broken;
    }
}

TEST(Barrier, AbortAndResetBreakWaits) {
    auto body = []() -> Task<void> {
        Barrier barrier(2);
        int broken = 0;
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(arrive_at_broken, std::ref(barrier), std::ref(broken));
            co_await testing::wait_all_tasks_blocked();
            barrier.abort();
            co_await arrive_at_broken(barrier, broken);
            EXPECT_TRUE(barrier.broken());
            barrier.reset();
            group.create_task(arrive_at_broken, std::ref(barrier), std::ref(broken));
            co_await testing::wait_all_tasks_blocked();
            barrier.reset();
        });
        EXPECT_EQ(broken, 3);
        EXPECT_FALSE(barrier.broken());
    };
    testing::run(body());
    EXPECT_THROW(Barrier(0), Error);
}

// As many tasks as parties, each impatient: after a cancelled wait it comes again, so every round
// ends and nobody is a round ahead.
Task<void> march(Barrier& barrier, int& round, std::vector<int>& rounds, std::mt19937_64& random) {
    while (round < 4) {
        co_await move_on_after(std::chrono::milliseconds(1 + random() % 3), [&]() -> Task<void> {
            co_await sleep(std::chrono::milliseconds(random() % 2));
            co_await barrier.wait();
            ++round;
            auto [least, most] = std::minmax_element(rounds.begin(), rounds.end());
            EXPECT_LE(*most - *least, 1);
        });
    }
}

TEST(Barrier, KeepsStepUnderEverySchedule) {
    testing::for_each_seed(
        [](std::uint64_t seed) {
            long frames = internal::live_frames();
            std::mt19937_64 random(seed);
            auto body = [&]() -> Task<void> {
                Barrier barrier(4);
                std::vector<int> rounds(4);
                co_await task_group([&](TaskGroup& group) -> Task<void> {
                    for (int& round : rounds)
                        group.create_task(march, std::ref(barrier), std::ref(round),
                                          std::ref(rounds), std::ref(random));
                    co_return;
                });
                EXPECT_EQ(rounds, std::vector<int>(4, 4));
                EXPECT_EQ(barrier.waiting(), 0u);
            };
            testing::run(body(), {.seed = seed});
            EXPECT_EQ(internal::live_frames(), frames);
        },
        {.failed = ::testing::Test::HasFailure});
}

}  // namespace
}  // namespace coracle
