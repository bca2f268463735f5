// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/semaphore.h>

#include <coracle/base/error.h>
#include <coracle/core/internal/frame_allocator.h>
#include <coracle/core/scope.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>
#include <coracle/testing/seeds.h>
#include <coracle/testing/virtual_loop.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>

namespace coracle {
namespace {

struct Crowd {
    int inside = 0;
    int most = 0;
    class Visit {
      public:
        explicit Visit(Crowd& crowd) : crowd_(crowd) {
            crowd_.most = std::max(crowd_.most, ++crowd_.inside);
        }
        ~Visit() { --crowd_.inside; }
        Visit(const Visit&) = delete;
        Visit& operator=(const Visit&) = delete;

      private:
        Crowd& crowd_;
    };
};

Task<void> visit(Semaphore& semaphore, Crowd& crowd) {
    auto permit = co_await semaphore.acquire();
    Crowd::Visit inside(crowd);
    co_await sleep(1s);
}

TEST(Semaphore, LetsInAsManyAsItHasPermits) {
    auto body = []() -> Task<void> {
        Semaphore semaphore(3);
        Crowd crowd;
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            for (int i = 0; i < 10; ++i)
                group.create_task(visit, std::ref(semaphore), std::ref(crowd));
            co_await testing::wait_all_tasks_blocked();
            EXPECT_TRUE(semaphore.locked());
            EXPECT_EQ(semaphore.statistics().waiting, 7u);
        });
        EXPECT_EQ(crowd.most, 3);
        EXPECT_EQ(semaphore.available(), 3u);
        EXPECT_EQ(testing::elapsed(), 4s);
    };
    testing::run(body());
}

TEST(Semaphore, IsASignalBetweenTasks) {
    auto body = []() -> Task<void> {
        Semaphore ready(0);
        EXPECT_FALSE(ready.acquire_nowait().has_value());
        int seen = 0;
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(
                [](Semaphore& s, int& count) -> Task<void> {
                    for (int i = 0; i < 3; ++i) {
                        auto signal = co_await s.acquire();
                        signal.forget();
                        ++count;
                    }
                },
                std::ref(ready), std::ref(seen));
            ready.release();
            ready.release();
            co_await testing::wait_all_tasks_blocked();
            EXPECT_EQ(seen, 2);
            ready.release();
        });
        EXPECT_EQ(seen, 3);
        EXPECT_EQ(ready.available(), 0u);
    };
    testing::run(body());
}

TEST(BoundedSemaphore, RefusesAReleaseTooMany) {
    auto body = []() -> Task<void> {
        BoundedSemaphore semaphore(1);
        EXPECT_THROW(semaphore.release(), Error);
        {
            auto permit = co_await semaphore.acquire();
            EXPECT_TRUE(semaphore.locked());
            permit.forget();
        }
        semaphore.release();
        EXPECT_THROW(semaphore.release(), Error);
        EXPECT_EQ(semaphore.available(), 1u);
    };
    testing::run(body());
}

Task<void> visit_briefly(Semaphore& semaphore, Crowd& crowd, std::mt19937_64& random) {
    for (int i = 0; i < 5; ++i) {
        co_await move_on_after(std::chrono::milliseconds(random() % 4), [&]() -> Task<void> {
            auto permit = co_await semaphore.acquire();
            Crowd::Visit inside(crowd);
            co_await sleep(std::chrono::milliseconds(random() % 3));
        });
    }
}

TEST(Semaphore, LosesNoPermitUnderAnySchedule) {
    testing::for_each_seed(
        [](std::uint64_t seed) {
            long frames = internal::live_frames();
            std::mt19937_64 random(seed);
            std::size_t permits = 1 + random() % 3;
            auto body = [&]() -> Task<void> {
                Semaphore semaphore(permits);
                Crowd crowd;
                co_await task_group([&](TaskGroup& group) -> Task<void> {
                    for (int i = 0; i < 8; ++i)
                        group.create_task(visit_briefly, std::ref(semaphore), std::ref(crowd),
                                          std::ref(random));
                    co_return;
                });
                EXPECT_EQ(semaphore.available(), permits);
                EXPECT_LE(crowd.most, static_cast<int>(permits));
                EXPECT_EQ(crowd.inside, 0);
            };
            testing::run(body(), {.seed = seed});
            EXPECT_EQ(internal::live_frames(), frames);
        },
        {.failed = ::testing::Test::HasFailure});
}

}  // namespace
}  // namespace coracle
