// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/wait.h>

#include <coracle/core/internal/frame_allocator.h>
#include <coracle/core/scope.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>
#include <coracle/testing/seeds.h>
#include <coracle/testing/virtual_loop.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <stdexcept>
#include <vector>

namespace coracle {
namespace {

Task<int> number_after(int n, Duration span) {
    co_await sleep(span);
    co_return n;
}

Task<int> fail_after_sleep(Duration span) {
    co_await sleep(span);
    throw std::runtime_error("no");
}

using Handles = std::vector<TaskHandle<int>>;

Handles three(EventLoop& loop) {
    Handles handles;
    for (auto span : {3s, 1s, 2s})
        handles.push_back(loop.create_task(number_after, int(span.count()), Duration(span)));
    return handles;
}

TEST(Wait, ReturnsAtTheFirstThatCompletes) {
    auto body = []() -> Task<void> {
        auto [done, pending] = co_await wait(three(EventLoop::current()),
                                             {.return_when = ReturnWhen::first_completed});
        EXPECT_EQ(testing::elapsed(), 1s);
        EXPECT_EQ(done.size(), 1u);
        EXPECT_EQ(done[0].result(), 1);
        EXPECT_EQ(pending.size(), 2u);
        auto rest = co_await wait(std::move(pending));
        EXPECT_EQ(rest.done.size(), 2u);
        EXPECT_EQ(rest.done[0].result(), 3);  // in the order of the argument
        EXPECT_EQ(testing::elapsed(), 3s);
    };
    testing::run(body());
}

TEST(Wait, ReturnsAtTheFirstExceptionOrAtTheEnd) {
    auto body = []() -> Task<void> {
        auto& loop = EventLoop::current();
        Handles handles = three(loop);
        handles.push_back(loop.create_task(fail_after_sleep, Duration(2s)));
        handles[1].cancel();  // a cancellation is no failure
        auto [done, pending] = co_await wait(handles, {.return_when = ReturnWhen::first_exception});
        EXPECT_EQ(testing::elapsed(), 2s);
        EXPECT_EQ(done.size() + pending.size(), 4u);
        EXPECT_TRUE(done.back().exception() != nullptr);
        Handles good = three(loop);
        auto all = co_await wait(good, {.return_when = ReturnWhen::first_exception});
        EXPECT_EQ(all.done.size(), 3u);
    };
    testing::run(body());
}

TEST(Wait, ATimeoutGivesThePendingAndCancelsNone) {
    auto body = []() -> Task<void> {
        Handles handles = three(EventLoop::current());
        auto result = co_await wait(handles, {.timeout = 1500ms});
        EXPECT_EQ(testing::elapsed(), 1500ms);
        EXPECT_EQ(result.done.size(), 1u);
        EXPECT_EQ(result.pending.size(), 2u);
        auto now = co_await wait(handles, {.timeout = 0s});
        EXPECT_EQ(now.pending.size(), 2u);
        EXPECT_FALSE(
            co_await move_on_after(100ms, [&]() -> Task<void> { co_await wait(handles); }));
        auto all = co_await wait(handles);
        EXPECT_EQ(all.done.size(), 3u);
        for (auto& handle : all.done) EXPECT_FALSE(handle.cancelled());
        Handles none;
        auto nothing = co_await wait(none);
        EXPECT_TRUE(nothing.done.empty() && nothing.pending.empty());
    };
    testing::run(body());
}

TEST(Wait, TakesTasksOfDifferentTypes) {
    auto body = []() -> Task<void> {
        auto& loop = EventLoop::current();
        std::vector<TaskRef> tasks;
        tasks.push_back(loop.create_task(number_after, 1, Duration(1s)));
        tasks.push_back(loop.create_task([]() -> Task<void> { co_await sleep(2s); }));
        auto result = co_await wait(tasks);
        EXPECT_EQ(result.done.size(), 2u);
        EXPECT_TRUE(result.done[0] == tasks[0]);
    };
    testing::run(body());
}

TEST(Wait, HoldsUnderEverySchedule) {
    testing::for_each_seed(
        [](std::uint64_t seed) {
            long frames = internal::live_frames();
            std::mt19937_64 random(seed);
            auto body = [&]() -> Task<void> {
                Handles handles;
                for (int i = 0; i < 8; ++i)
                    handles.push_back(EventLoop::current().create_task(
                        number_after, i, Duration(std::chrono::milliseconds(random() % 5))));
                std::size_t done = 0;
                while (!handles.empty()) {
                    Duration limit = std::chrono::milliseconds(random() % 3);
                    auto result = co_await wait(
                        std::move(handles),
                        {.timeout = limit, .return_when = ReturnWhen::first_completed});
                    done += result.done.size();
                    handles = std::move(result.pending);
                    co_await sleep(std::chrono::milliseconds(1));
                }
                EXPECT_EQ(done, 8u);
            };
            testing::run(body(), {.seed = seed});
            EXPECT_EQ(internal::live_frames(), frames);
        },
        {.failed = ::testing::Test::HasFailure});
}

}  // namespace
}  // namespace coracle
