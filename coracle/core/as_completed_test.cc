// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/as_completed.h>

#include <coracle/core/internal/frame_allocator.h>
#include <coracle/core/scope.h>
#include <coracle/core/sleep.h>
#include <coracle/testing/seeds.h>
#include <coracle/testing/virtual_loop.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <set>
#include <stdexcept>
#include <vector>

namespace coracle {
namespace {

Task<int> number_after(int n, Duration span) {
    co_await sleep(span);
    co_return n;
}

TEST(AsCompleted, GivesHandlesInTheOrderOfTheirEnds) {
    auto body = []() -> Task<void> {
        std::vector<TaskHandle<int>> handles;
        for (int n : {3, 1, 2})
            handles.push_back(EventLoop::current().create_task(number_after, n, Duration(n * 1s)));
        co_await sleep(1500ms);
        auto completed = as_completed(handles);
        std::vector<int> order;
        while (auto task = co_await completed.next()) order.push_back(task->result());
        EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
        EXPECT_FALSE((co_await completed.next()).has_value());
    };
    testing::run(body());
}

TEST(AsCompleted, RunsTasksAndCallsTheBodyInTheOrderOfTheirEnds) {
    auto body = []() -> Task<void> {
        std::vector<Task<int>> tasks;
        for (int n : {3, 1, 2}) tasks.push_back(number_after(n, Duration(n * 1s)));
        std::vector<int> order;
        auto note = [&](int n) -> Task<void> {
            order.push_back(n);
            co_return;
        };
        co_await as_completed(std::move(tasks), note);
        EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
        EXPECT_EQ(testing::elapsed(), 3s);
        order.clear();
        std::vector<Task<int>> more;
        for (int n : {3, 1, 2}) more.push_back(number_after(n, Duration(n * 1s)));
        co_await as_completed(std::move(more), note, {.limit = 1});
        EXPECT_EQ(order, (std::vector<int>{3, 1, 2}));
        std::vector<Task<int>> none;
        co_await as_completed(std::move(none), note);
    };
    testing::run(body());
}

TEST(AsCompleted, TheFirstErrorCancelsTheRest) {
    auto body = []() -> Task<void> {
        std::vector<Task<int>> tasks;
        for (int n : {1, 3600}) tasks.push_back(number_after(n, Duration(n * 1s)));
        auto fail = [&](int) -> Task<void> {
            throw std::runtime_error("no");
            co_return;
        };
        EXPECT_THROW(co_await as_completed(std::move(tasks), fail), std::runtime_error);
        EXPECT_EQ(testing::elapsed(), 1s);
    };
    testing::run(body());
}

// Several readers, each impatient: every task is given to exactly one of them.
Task<void> collect(AsCompleted<TaskHandle<int>>& completed, std::multiset<int>& seen,
                   std::mt19937_64& random) {
    bool over = false;
    while (!over) {
        co_await move_on_after(std::chrono::milliseconds(random() % 3), [&]() -> Task<void> {
            if (auto task = co_await completed.next()) {
                seen.insert(task->result());
            } else {
                over = true;
            }
        });
    }
}

TEST(AsCompleted, LosesNoTaskUnderAnySchedule) {
    testing::for_each_seed(
        [](std::uint64_t seed) {
            long frames = internal::live_frames();
            std::mt19937_64 random(seed);
            auto body = [&]() -> Task<void> {
                std::multiset<int> seen;
                std::vector<TaskHandle<int>> handles;
                for (int i = 0; i < 8; ++i)
                    handles.push_back(EventLoop::current().create_task(
                        number_after, i, Duration(std::chrono::milliseconds(random() % 6))));
                auto completed = as_completed(handles);
                co_await task_group([&](TaskGroup& group) -> Task<void> {
                    for (int i = 0; i < 3; ++i)
                        group.create_task(collect, std::ref(completed), std::ref(seen),
                                          std::ref(random));
                    co_return;
                });
                EXPECT_EQ(seen, (std::multiset<int>{0, 1, 2, 3, 4, 5, 6, 7}));
            };
            testing::run(body(), {.seed = seed});
            EXPECT_EQ(internal::live_frames(), frames);
        },
        {.failed = ::testing::Test::HasFailure});
}

}  // namespace
}  // namespace coracle
