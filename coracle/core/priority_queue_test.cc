// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/priority_queue.h>

#include <coracle/core/internal/frame_allocator.h>
#include <coracle/core/lifo_queue.h>
#include <coracle/core/queue.h>
#include <coracle/core/scope.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>
#include <coracle/testing/seeds.h>
#include <coracle/testing/virtual_loop.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace coracle {
namespace {

TEST(LifoQueue, GivesTheNewestFirst) {
    LifoQueue<std::string> queue(3);
    for (const char* text : {"a", "b", "c"}) EXPECT_TRUE(queue.put_nowait(text));
    EXPECT_FALSE(queue.put_nowait("d"));
    std::string order;
    while (auto item = queue.get_nowait()) order += *item;
    EXPECT_EQ(order, "cba");
    EXPECT_THROW(LifoQueue<int>(0), Error);
}

TEST(PriorityQueue, GivesTheLeastFirstAndEqualsInOrder) {
    using Job = std::pair<int, std::string>;
    struct ByPriority {
        bool operator()(const Job& a, const Job& b) const { return a.first < b.first; }
    };
    PriorityQueue<Job, ByPriority> queue(10);
    for (const auto& job : std::vector<Job>{{2, "c"}, {1, "a"}, {2, "d"}, {1, "b"}, {2, "e"}})
        EXPECT_TRUE(queue.put_nowait(job));
    std::string order;
    while (auto job = queue.get_nowait()) order += job->second;
    EXPECT_EQ(order, "abcde");
}

TEST(Queues, AnItemThatFindsNoPlaceStaysAsItWas) {
    Queue<std::unique_ptr<int>> queue(1);
    EXPECT_TRUE(queue.put_nowait(std::make_unique<int>(1)));
    auto item = std::make_unique<int>(2);
    EXPECT_FALSE(queue.put_nowait(std::move(item)));
    ASSERT_TRUE(item != nullptr);
    EXPECT_EQ(*item, 2);
}

TEST(Queues, ShutdownNowDropsWhatIsQueuedAndEndsJoin) {
    auto body = []() -> Task<void> {
        PriorityQueue<int> queue(10);
        for (int i : {3, 1, 2}) co_await queue.put(i);
        EXPECT_EQ(co_await queue.get(), std::optional<int>(1));
        EXPECT_EQ(queue.unfinished(), 3u);
        queue.shutdown(true);
        EXPECT_EQ(queue.unfinished(), 1u);
        EXPECT_EQ(co_await queue.get(), std::nullopt);
        queue.task_done();
        co_await queue.join();
        EXPECT_THROW(queue.task_done(), Error);
        EXPECT_THROW(co_await queue.put(1), QueueShutDown);
    };
    testing::run(body());
}

template <class Q>
Task<void> produce(Q& queue, int from, int count, std::mt19937_64& random) {
    int i = 0;
    while (i < count) {
        co_await move_on_after(std::chrono::milliseconds(1 + random() % 3), [&]() -> Task<void> {
            co_await queue.put(from + i);
            ++i;
        });
    }
}

template <class Q>
Task<void> consume(Q& queue, long& sum, int& seen, std::mt19937_64& random) {
    bool over = false;
    while (!over) {
        co_await move_on_after(std::chrono::milliseconds(1 + random() % 3), [&]() -> Task<void> {
            if (auto item = co_await queue.get()) {
                sum += *item;
                ++seen;
                queue.task_done();
            } else {
                over = true;
            }
        });
        if (random() % 4 == 0) co_await sleep(std::chrono::milliseconds(random() % 3));
    }
}

template <class Q>
void nothing_is_lost() {
    testing::for_each_seed(
        [](std::uint64_t seed) {
            long frames = internal::live_frames();
            std::mt19937_64 random(seed);
            auto body = [&]() -> Task<void> {
                Q queue(1 + random() % 3);
                long sum = 0;
                int seen = 0;
                co_await task_group([&](TaskGroup& group) -> Task<void> {
                    for (int i = 0; i < 2; ++i)
                        group.create_task(consume<Q>, std::ref(queue), std::ref(sum),
                                          std::ref(seen), std::ref(random));
                    co_await task_group([&](TaskGroup& producers) -> Task<void> {
                        for (int i = 0; i < 3; ++i)
                            producers.create_task(produce<Q>, std::ref(queue), 100 * i, 6,
                                                  std::ref(random));
                        co_return;
                    });
                    co_await queue.join();
                    queue.shutdown();
                });
                EXPECT_EQ(seen, 18);
                EXPECT_EQ(sum, 6 * 300 + 3 * 15);
            };
            testing::run(body(), {.seed = seed});
            EXPECT_EQ(internal::live_frames(), frames);
        },
        {.failed = ::testing::Test::HasFailure});
}

TEST(Queues, LoseNothingUnderAnySchedule) {
    nothing_is_lost<Queue<int>>();
    nothing_is_lost<LifoQueue<int>>();
    nothing_is_lost<PriorityQueue<int>>();
}

}  // namespace
}  // namespace coracle
