// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/context.h>

#include <coracle/core/context_var.h>
#include <coracle/core/gather.h>
#include <coracle/core/loop.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>
#include <coracle/testing/virtual_loop.h>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace coracle {
namespace {

ContextVar<std::string> request_id("request_id");
ContextVar<int> depth("depth", 7);

Task<std::string> read_and_change(std::string to) {
    std::string seen = request_id.get("none");
    request_id.set(std::move(to));
    co_await sleep(1s);
    co_return seen + "," + request_id.get();
}

TEST(ContextVar, ATaskBeginsWithItsCreatorsValuesAndKeepsItsOwn) {
    auto body = []() -> Task<void> {
        EXPECT_THROW(request_id.get(), Error);
        EXPECT_EQ(depth.get(), 7);
        auto before = EventLoop::current().create_task(read_and_change, "x");
        request_id.set("a");
        auto [first, second] = co_await gather(read_and_change("b"), read_and_change("c"));
        EXPECT_EQ(first, "a,b");
        EXPECT_EQ(second, "a,c");
        EXPECT_EQ(request_id.get(), "a");
        EXPECT_EQ(co_await before, "none,x");
    };
    testing::run(body());
    EXPECT_EQ(depth.get(), 7);  // outside of a task
    EXPECT_THROW(depth.set(1), Error);
}

TEST(ContextVar, ResetBringsBackTheValueBefore) {
    auto body = []() -> Task<void> {
        auto outer = depth.set(1);
        auto inner = depth.set(2);
        co_await sleep(0s);
        EXPECT_EQ(depth.get(), 2);
        depth.reset(std::move(inner));
        EXPECT_EQ(depth.get(), 1);
        depth.reset(std::move(outer));
        EXPECT_EQ(depth.get(), 7);
    };
    testing::run(body());
}

TEST(ContextVar, ValuesGoWithTheLastTask) {
    static ContextVar<std::shared_ptr<int>> shared("shared");
    std::weak_ptr<int> watch;
    auto body = [&]() -> Task<void> {
        auto parent = [](std::weak_ptr<int>& w) -> Task<void> {
            auto value = std::make_shared<int>(5);
            w = value;
            shared.set(std::move(value));
            EventLoop::current().create_task([]() -> Task<void> {
                co_await sleep(1s);
                EXPECT_EQ(*shared.get(), 5);
            });
            co_return;
        };
        auto task = EventLoop::current().create_task(parent, std::ref(watch));
        co_await task;
        EXPECT_FALSE(watch.expired());
        co_await sleep(2s);
        EXPECT_TRUE(watch.expired());
    };
    testing::run(body());
}

TEST(Context, IsACopyOfItsMomentAndKeepsWhatIsSetInIt) {
    auto body = []() -> Task<void> {
        request_id.set("before");
        Context context = copy_context();
        request_id.set("after");
        EXPECT_EQ(context.run([] { return request_id.get(); }), "before");
        context.run([] { request_id.set("inside"); });
        EXPECT_EQ(request_id.get(), "after");
        Context copy = context;
        copy.run([] { request_id.set("of the copy"); });
        EXPECT_EQ(context.run([] { return request_id.get(); }), "inside");
        // The innermost counts, the exception goes through, and afterwards all is as before.
        auto nested = [&] {
            return context.run([&] {
                return copy.run([] { return request_id.get(); }) + ", " + request_id.get();
            });
        };
        EXPECT_EQ(nested(), "of the copy, inside");
        EXPECT_THROW(context.run([] { throw Error("out"); }), Error);
        EXPECT_EQ(request_id.get(), "after");
        co_await sleep(0s);
    };
    testing::run(body());
}

TEST(Context, ServesOutsideOfTasks) {
    EXPECT_EQ(depth.get(), 7);
    Context context = copy_context();
    context.run([] { depth.set(8); });
    EXPECT_EQ(context.run([] { return depth.get(); }), 8);
    EXPECT_EQ(depth.get(), 7);
    // A loop inside has tasks with contexts of their own, which begin with this one.
    context.run([] {
        auto body = []() -> Task<void> {
            EXPECT_EQ(depth.get(), 8);
            depth.set(9);
            co_await sleep(0s);
            EXPECT_EQ(depth.get(), 9);
        };
        testing::run(body());
        EXPECT_EQ(depth.get(), 8);
    });
}

TEST(Context, ACallbackTakesItAlong) {
    auto body = []() -> Task<void> {
        request_id.set("of the task");
        std::string without, with;
        auto& loop = EventLoop::current();
        loop.call_soon([&] { without = request_id.get("none"); });
        loop.call_soon([&, context = copy_context()]() mutable {
            context.run([&] { with = request_id.get("none"); });
        });
        co_await sleep(1s);
        EXPECT_EQ(without, "none");
        EXPECT_EQ(with, "of the task");
    };
    testing::run(body());
}

}  // namespace
}  // namespace coracle
