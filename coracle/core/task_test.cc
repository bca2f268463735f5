// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/task.h>

#include <coracle/core/internal/frame_allocator.h>
#include <coracle/core/run.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

namespace coracle {
namespace {

Task<int> ready(int n) { co_return n; }

Task<int> later(int n) {
    co_await sleep(0s);
    co_return n;
}

Task<long> sum_of_ready(long count) {
    long sum = 0;
    for (long i = 0; i < count; ++i) sum += co_await ready(1);
    co_return sum;
}

Task<long> sum_of_later(long count) {
    long sum = 0;
    for (long i = 0; i < count; ++i) sum += co_await later(1);
    co_return sum;
}

Task<int> nested(int depth) {
    if (depth == 0) co_return co_await later(0);
    co_return 1 + co_await nested(depth - 1);
}

Task<int> fails_at_once() {
    throw std::runtime_error("at once");
    co_return 0;
}

Task<int> fails_later() {
    co_await sleep(0s);
    throw std::runtime_error("later");
}

TEST(Task, TenMillionReadyAwaitsDoNotGrowTheStack) {
    EXPECT_EQ(run(sum_of_ready(10'000'000)), 10'000'000);
}

TEST(Task, AwaitsThatSuspendDoNotGrowTheStack) { EXPECT_EQ(run(sum_of_later(300'000)), 300'000); }

TEST(Task, TenThousandNestedAwaitsFitOnTheStack) { EXPECT_EQ(run(nested(10'000)), 10'000); }

TEST(Task, ExceptionsReachTheAwaiterWhetherItSuspendedOrNot) {
    auto both = []() -> Task<std::string> {
        std::string text;
        try {
            co_await fails_at_once();
        } catch (const std::runtime_error& error) {
            text += error.what();
        }
        try {
            co_await fails_later();
        } catch (const std::runtime_error& error) {
            text += std::string(" ") + error.what();
        }
        co_return text;
    };
    EXPECT_EQ(run(both()), "at once later");
}

TEST(Task, ResultsMayBeMoveOnlyOrReferences) {
    static int target = 1;
    auto reference = []() -> Task<int&> { co_return target; };
    auto body = [&]() -> Task<int> {
        auto owned =
            co_await []() -> Task<std::unique_ptr<int>> { co_return std::make_unique<int>(41); }();
        int& one = co_await reference();
        one = 2;
        co_return *owned + target;
    };
    EXPECT_EQ(run(body()), 43);
}

TEST(Task, LeavesNoFrameBehind) {
    long before = internal::live_frames();
    EXPECT_EQ(run(sum_of_later(10)), 10);
    {
        auto never_started = ready(1);
    }
    EXPECT_EQ(internal::live_frames(), before);
}

#ifndef NDEBUG
TEST(TaskDeathTest, AwaitingTwiceNamesTheCoroutine) {
    auto twice = []() -> Task<void> {
        auto task = later(1);
        co_await std::move(task);
        co_await std::move(task);
    };
    EXPECT_DEATH(run(twice()), "awaited twice.*later.*task_test.cc:");
}

Task<void> take_over(std::optional<Task<int>>& task) { co_await std::move(*task); }

TEST(TaskDeathTest, DroppingAStartedTaskNamesTheCoroutine) {
    auto drop = []() -> Task<void> {
        std::optional<Task<int>> task = later(1);
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(take_over, std::ref(task));
            co_await sleep(0s);
            task.reset();
        });
    };
    EXPECT_DEATH(run(drop()), "dropped after it started and before it ended.*later.*task_test.cc:");
}

TEST(TaskDeathTest, CreatingATaskFromAnotherThreadNamesTheLoop) {
    auto use_beside = []() -> Task<void> {
        co_await task_group([](TaskGroup& group) -> Task<void> {
            std::thread([&] { group.create_task(sum_of_later, 1); }).join();
            co_return;
        });
    };
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(run(use_beside()),
                 "an EventLoop \\(create_task\\), created in .*, was used from a thread that is "
                 "not its loop's");
}
#endif

}  // namespace
}  // namespace coracle
