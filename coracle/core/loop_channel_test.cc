// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/loop_channel.h>

#include <coracle/core/internal/frame_allocator.h>
#include <coracle/core/run.h>
#include <coracle/core/scope.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>
#include <coracle/testing/seeds.h>
#include <coracle/testing/virtual_loop.h>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <random>
#include <thread>
#include <vector>

namespace coracle {
namespace {

TEST(LoopChannel, WorksWithinALoop) {
    auto body = []() -> Task<void> {
        LoopChannel<int> channel(1);
        EXPECT_TRUE(channel.send_nowait(1));
        EXPECT_FALSE(channel.send_nowait(2));
        EXPECT_FALSE(co_await move_on_after(1s, [&]() -> Task<void> { co_await channel.send(3); }));
        EXPECT_EQ(co_await channel.receive(), std::optional<int>(1));
        EXPECT_EQ(channel.receive_nowait(), std::nullopt);
        EXPECT_FALSE(
            co_await move_on_after(1s, [&]() -> Task<void> { co_await channel.receive(); }));
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(
                [](LoopChannel<int>& c) -> Task<void> {
                    EXPECT_EQ(co_await c.receive(), std::optional<int>(4));
                    EXPECT_EQ(co_await c.receive(), std::nullopt);
                    EXPECT_THROW(co_await c.send(5), ChannelClosed);
                },
                std::ref(channel));
            co_await testing::wait_all_tasks_blocked();
            co_await channel.send(4);
            co_await testing::wait_all_tasks_blocked();
            channel.close();
        });
        EXPECT_TRUE(channel.is_closed());
    };
    testing::run(body());
    EXPECT_THROW(LoopChannel<int>(0), Error);
}

struct Tally {
    std::atomic<int> seen{0};
    std::atomic<long> sum{0};
};

// Short deadlines, so that withdrawals meet deliveries from other threads.
Task<void> send_all(LoopChannel<int>& channel, int from, int count, unsigned seed) {
    std::mt19937 random(seed);
    for (int i = 0; i < count;) {
        co_await move_on_after(std::chrono::microseconds(random() % 200), [&]() -> Task<void> {
            co_await channel.send(from + i);
            ++i;
        });
    }
}

Task<void> receive_all(LoopChannel<int>& channel, Tally& tally, unsigned seed) {
    std::mt19937 random(seed);
    bool over = false;
    while (!over) {
        co_await move_on_after(std::chrono::microseconds(random() % 200), [&]() -> Task<void> {
            if (auto item = co_await channel.receive()) {
                ++tally.seen;
                tally.sum += *item;
            } else {
                over = true;
            }
        });
    }
}

TEST(LoopChannel, LosesNothingBetweenLoops) {
    constexpr int senders = 2, receivers = 2, each = 400;
    LoopChannel<int> channel(3);
    Tally tally;
    std::vector<std::thread> receiving, sending;
    for (int i = 0; i < receivers; ++i)
        receiving.emplace_back([&, i] { run(receive_all(channel, tally, 7u + unsigned(i))); });
    for (int i = 0; i < senders; ++i)
        sending.emplace_back([&, i] { run(send_all(channel, 1000 * i, each, 17u + unsigned(i))); });
    // A plain thread takes part as well.
    for (int sent = 0; sent < each;) {
        if (channel.send_nowait(1)) {
            ++sent;
        } else {
            std::this_thread::yield();
        }
    }
    for (auto& thread : sending) thread.join();
    channel.close();
    for (auto& thread : receiving) thread.join();
    EXPECT_EQ(tally.seen, (senders + 1) * each);
    EXPECT_EQ(tally.sum, long(each) * 1000 + 2 * (each * (each - 1) / 2) + each);
    EXPECT_EQ(channel.size(), 0u);
}

Task<void> send_some(LoopChannel<int>& channel, int count, std::mt19937_64& random) {
    for (int i = 0; i < count;) {
        co_await move_on_after(std::chrono::milliseconds(random() % 3), [&]() -> Task<void> {
            co_await channel.send(i);
            ++i;
        });
    }
}

Task<void> receive_some(LoopChannel<int>& channel, int& seen, std::mt19937_64& random) {
    bool over = false;
    while (!over) {
        co_await move_on_after(std::chrono::milliseconds(1 + random() % 3), [&]() -> Task<void> {
            if (co_await channel.receive()) {
                ++seen;
            } else {
                over = true;
            }
        });
    }
}

TEST(LoopChannel, LosesNothingUnderAnySchedule) {
    testing::for_each_seed(
        [](std::uint64_t seed) {
            long frames = internal::live_frames();
            std::mt19937_64 random(seed);
            auto body = [&]() -> Task<void> {
                LoopChannel<int> channel(1 + random() % 3);
                int seen = 0;
                co_await task_group([&](TaskGroup& group) -> Task<void> {
                    for (int i = 0; i < 2; ++i)
                        group.create_task(receive_some, std::ref(channel), std::ref(seen),
                                          std::ref(random));
                    co_await task_group([&](TaskGroup& producers) -> Task<void> {
                        for (int i = 0; i < 3; ++i)
                            producers.create_task(send_some, std::ref(channel), 6,
                                                  std::ref(random));
                        co_return;
                    });
                    channel.close();
                });
                EXPECT_EQ(seen, 18);
            };
            testing::run(body(), {.seed = seed});
            EXPECT_EQ(internal::live_frames(), frames);
        },
        {.failed = ::testing::Test::HasFailure});
}

}  // namespace
}  // namespace coracle
