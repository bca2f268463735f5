// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/current_task.h>

#include <coracle/core/checkpoint.h>
#include <coracle/core/loop.h>
#include <coracle/core/scope.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>
#include <coracle/testing/virtual_loop.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace coracle {
namespace {

Task<void> rest() { co_await sleep(1h); }

TEST(CurrentTask, NamesTheRunningTaskAndItsSiblings) {
    auto body = []() -> Task<void> {
        EXPECT_EQ(current_task().name(), "Task-1");
        current_task().set_name("main");
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            auto handle = group.create_task(rest);
            handle.set_name("rest");
            auto tasks = all_tasks();
            EXPECT_EQ(tasks.size(), 2u);
            EXPECT_EQ(tasks[0].name(), "main");
            EXPECT_TRUE(tasks[0] == current_task());
            TaskRef other = tasks[1];
            EXPECT_EQ(other.name(), "rest");
            EXPECT_NE(std::string(other.created().file_name()).find("current_task_test.cc"),
                      std::string::npos);
            co_await testing::wait_all_tasks_blocked();
            EXPECT_NE(other.describe().find("rest, which now awaits sleep"), std::string::npos)
                << other.describe();
            other.cancel("enough");
            co_await other;  // however it ends
            EXPECT_TRUE(other.cancelled());
            EXPECT_TRUE(other.done());
            EXPECT_EQ(other.exception(), nullptr);
            EXPECT_EQ(all_tasks().size(), 1u);
        });
    };
    testing::run(body());
}

TEST(TaskHandle, CallsBackWhenItIsDone) {
    auto body = []() -> Task<void> {
        std::vector<int> calls;
        auto task = EventLoop::current().create_task(rest);
        task.add_done_callback([&] { calls.push_back(1); });
        task.add_done_callback([&] { calls.push_back(2); });
        co_await sleep(30min);
        EXPECT_TRUE(calls.empty());
        co_await sleep(31min);
        EXPECT_EQ(calls, (std::vector<int>{1, 2}));
        task.add_done_callback([&] { calls.push_back(3); });
        co_await sleep(0s);
        EXPECT_EQ(calls, (std::vector<int>{1, 2, 3}));
    };
    testing::run(body());
}

TEST(Checkpoint, ThrowsWhenCancelledAndYieldsInTheLongRun) {
    auto body = []() -> Task<void> {
        int others = 0;
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(
                [](int& count) -> Task<void> {
                    ++count;
                    co_return;
                },
                std::ref(others));
            for (int i = 0; i < 1000 && others == 0; ++i) co_await checkpoint();
            EXPECT_EQ(others, 1);
        });
        bool ended = co_await cancel_scope([&](CancelScope& scope) -> Task<void> {
            co_await checkpoint();
            scope.cancel();
            co_await checkpoint();
            ADD_FAILURE() << "the checkpoint did not throw";
        });
        EXPECT_FALSE(ended);
    };
    testing::run(body());
}

TEST(CurrentTask, ForEachTaskGivesEveryLiveTaskOldestFirst) {
    auto body = []() -> Task<void> {
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            auto child = group.create_task([]() -> Task<void> { co_await sleep(1h); });
            child.set_name("child");
            std::vector<std::string> names;
            get_running_loop().for_each_task(
                [&](const TaskRef& task) { names.push_back(task.name()); });
            EXPECT_EQ(names, (std::vector<std::string>{current_task().name(), "child"}));
            group.cancel();
            co_return;
        });
    };
    testing::run(body());
}

}  // namespace
}  // namespace coracle
