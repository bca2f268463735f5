// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/memory_channel.h>

#include <coracle/core/internal/frame_allocator.h>
#include <coracle/core/scope.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>
#include <coracle/testing/seeds.h>
#include <coracle/testing/virtual_loop.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <random>
#include <utility>
#include <vector>

namespace coracle {
namespace {

Task<void> send_numbers(MemorySender<int> sender, int from, int to) {
    for (int i = from; i < to; ++i) co_await sender.send(i);
}

TEST(MemoryChannel, EndsWhenTheLastSenderHasGone) {
    auto body = []() -> Task<void> {
        auto [sender, receiver] = open_memory_channel<int>(2);
        std::vector<int> seen;
        co_await task_group([&, &from = sender, &to = receiver](TaskGroup& group) -> Task<void> {
            group.create_task(send_numbers, from.clone(), 0, 5);
            group.create_task(send_numbers, std::move(from), 5, 10);
            while (auto item = co_await to.receive()) seen.push_back(*item);
        });
        EXPECT_EQ(seen.size(), 10u);
        EXPECT_EQ(receiver.statistics().senders, 0u);
        EXPECT_TRUE(sender.is_closed());
        EXPECT_THROW(sender.clone(), ChannelClosed);
    };
    testing::run(body());
}

TEST(MemoryChannel, WithoutABufferTheyMeet) {
    auto body = []() -> Task<void> {
        auto channel = open_memory_channel<std::unique_ptr<int>>(0);
        EXPECT_FALSE(channel.sender.send_nowait(std::make_unique<int>(0)));
        int received = 0;
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(
                [](MemoryReceiver<std::unique_ptr<int>>& receiver, int& out) -> Task<void> {
                    auto item = co_await receiver.receive();
                    out = **item;
                },
                std::ref(channel.receiver), std::ref(received));
            co_await testing::wait_all_tasks_blocked();
            EXPECT_EQ(channel.sender.statistics().receiving, 1u);
            co_await channel.sender.send(std::make_unique<int>(5));
        });
        EXPECT_EQ(received, 5);
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(
                [](MemorySender<std::unique_ptr<int>>& sender) -> Task<void> {
                    co_await sender.send(std::make_unique<int>(6));
                },
                std::ref(channel.sender));
            co_await testing::wait_all_tasks_blocked();
            auto item = channel.receiver.receive_nowait();
            EXPECT_TRUE(item && **item == 6);
        });
    };
    testing::run(body());
}

TEST(MemoryChannel, WithoutReceiversSendersAreRefused) {
    auto body = []() -> Task<void> {
        auto channel = open_memory_channel<int>(1);
        co_await channel.sender.send(1);
        auto second = channel.receiver.clone();
        int refused = 0;
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(
                [](MemorySender<int>& sender, int& count) -> Task<void> {
                    try {
                        co_await sender.send(2);
                    } catch (const ChannelClosed&) {
                        ++count;
                    }
                },
                std::ref(channel.sender), std::ref(refused));
            co_await testing::wait_all_tasks_blocked();
            channel.receiver.close();
            co_await testing::wait_all_tasks_blocked();
            EXPECT_EQ(refused, 0);
            second.close();
        });
        EXPECT_EQ(refused, 1);
        EXPECT_THROW(channel.sender.send_nowait(3), ChannelClosed);
        EXPECT_EQ(co_await channel.receiver.receive(), std::nullopt);
    };
    testing::run(body());
}

Task<void> send_all(MemorySender<int> sender, int from, int count, std::mt19937_64& random) {
    for (int i = 0; i < count;) {
        co_await move_on_after(std::chrono::milliseconds(1 + random() % 3), [&]() -> Task<void> {
            co_await sender.send(from + i);
            ++i;
        });
    }
}

Task<void> receive_all(MemoryReceiver<int> receiver, int& seen, long& sum,
                       std::mt19937_64& random) {
    bool over = false;
    while (!over) {
        co_await move_on_after(std::chrono::milliseconds(1 + random() % 3), [&]() -> Task<void> {
            if (auto item = co_await receiver.receive()) {
                ++seen;
                sum += *item;
            } else {
                over = true;
            }
        });
        if (random() % 4 == 0) co_await sleep(std::chrono::milliseconds(random() % 3));
    }
}

TEST(MemoryChannel, LosesNothingUnderAnySchedule) {
    testing::for_each_seed(
        [](std::uint64_t seed) {
            long frames = internal::live_frames();
            std::mt19937_64 random(seed);
            auto body = [&]() -> Task<void> {
                int seen = 0;
                long sum = 0;
                co_await task_group([&](TaskGroup& group) -> Task<void> {
                    auto channel = open_memory_channel<int>(random() % 3);
                    for (int i = 0; i < 3; ++i) {
                        group.create_task(send_all, channel.sender.clone(), 100 * i, 6,
                                          std::ref(random));
                        group.create_task(receive_all, channel.receiver.clone(), std::ref(seen),
                                          std::ref(sum), std::ref(random));
                    }
                    co_return;
                });
                EXPECT_EQ(seen, 18);
                EXPECT_EQ(sum, 6 * 300 + 3 * 15);
            };
            testing::run(body(), {.seed = seed});
            EXPECT_EQ(internal::live_frames(), frames);
        },
        {.failed = ::testing::Test::HasFailure});
}

}  // namespace
}  // namespace coracle
