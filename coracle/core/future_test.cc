// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/future.h>

#include <coracle/base/log.h>
#include <coracle/core/gather.h>
#include <coracle/core/internal/frame_allocator.h>
#include <coracle/core/loop.h>
#include <coracle/core/scope.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>
#include <coracle/testing/seeds.h>
#include <coracle/testing/virtual_loop.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace coracle {
namespace {

static_assert(Awaitable<Future<int>&>);
static_assert(!Awaitable<Future<int>>, "a future is awaited by name");

Task<std::string> read(Future<std::string> future) { co_return co_await future; }

TEST(Future, GivesItsResultToAllWhoWait) {
    auto body = []() -> Task<void> {
        auto future = create_future<std::string>();
        EXPECT_FALSE(future.done());
        EXPECT_THROW(future.result(), InvalidStateError);
        EventLoop::current().call_later(1s, [future]() mutable { future.set_result("x"); });
        auto [a, b] = co_await gather(read(future), read(future));
        EXPECT_EQ(a + b, "xx");
        EXPECT_EQ(testing::elapsed(), 1s);
        EXPECT_EQ(co_await future, "x");
        EXPECT_EQ(future.result(), "x");
        EXPECT_THROW(future.set_result("y"), InvalidStateError);
        auto owned = create_future<std::unique_ptr<int>>();
        owned.set_result(std::make_unique<int>(5));
        auto moved = co_await owned;
        EXPECT_EQ(*moved, 5);
        auto nothing = create_future();
        nothing.set_result();
        co_await nothing;
    };
    testing::run(body());
}

TEST(Future, CallsBackFromTheLoop) {
    auto body = []() -> Task<void> {
        std::vector<int> calls;
        auto future = create_future<int>();
        future.add_done_callback([&, future]() mutable { calls.push_back(future.result()); });
        future.set_result(1);
        EXPECT_TRUE(calls.empty());
        co_await sleep(0s);
        EXPECT_EQ(calls, std::vector<int>{1});
        future.add_done_callback([&] { calls.push_back(2); });
        co_await sleep(0s);
        EXPECT_EQ(calls, (std::vector<int>{1, 2}));
    };
    testing::run(body());
}

TEST(Future, ExceptionsAndCancellationAreTheReadersErrors) {
    auto body = []() -> Task<void> {
        auto failed = create_future<int>();
        failed.set_exception(std::runtime_error("no"));
        EXPECT_THROW(co_await failed, std::runtime_error);
        EXPECT_TRUE(failed.exception() != nullptr);
        auto cancelled = create_future<int>();
        EXPECT_TRUE(cancelled.cancel("enough"));
        EXPECT_FALSE(cancelled.cancel());
        EXPECT_TRUE(cancelled.cancelled());
        std::string text;
        try {
            co_await cancelled;
        } catch (const TaskCancelledError& error) {
            text = error.what();
        }
        EXPECT_EQ(text, "the future was cancelled: enough");
        EXPECT_EQ(cancelled.exception(), nullptr);
    };
    testing::run(body());
}

TEST(Future, ACancelledWaitLeavesItAlone) {
    auto body = []() -> Task<void> {
        auto future = create_future<int>();
        EXPECT_THROW(co_await wait_for(future, 1s), TimeoutError);
        EXPECT_FALSE(future.done());
        future.set_result(3);
        EXPECT_EQ(co_await wait_for(future, 1s), 3);
    };
    testing::run(body());
}

TEST(Future, AnExceptionThatNobodyReadsIsReported) {
    std::vector<std::string> reports;
    auto body = [&]() -> Task<void> {
        EventLoop::current().set_exception_handler(
            [&](const ExceptionContext& context) { reports.push_back(context.message); });
        create_future<int>().set_exception(Error("unread"));
        auto read_one = create_future<int>();
        read_one.set_exception(Error("read"));
        EXPECT_THROW(read_one.result(), Error);
        co_return;
    };
    testing::run(body());
    EXPECT_EQ(reports, std::vector<std::string>{"nobody read the exception of a future"});
}

TEST(Future, MayOutliveItsLoop) {
    std::vector<std::string> lines;
    log::set_sink(
        [&](log::Level, std::string_view, std::string_view line) { lines.emplace_back(line); });
    {
        std::optional<Future<int>> kept;
        auto body = [&]() -> Task<void> {
            kept.emplace(create_future<int>());
            kept->set_exception(Error("unread"));
            co_return;
        };
        testing::run(body());
        EXPECT_TRUE(kept->done());
    }
    log::set_sink({});
    EXPECT_EQ(lines, std::vector<std::string>{
                         "nobody read the exception of a future: coracle::Error: unread"});
}

Task<void> wait_impatiently(Future<int> future, int& seen, std::mt19937_64& random) {
    bool over = false;
    while (!over) {
        co_await move_on_after(std::chrono::milliseconds(random() % 3), [&]() -> Task<void> {
            seen += co_await future;
            over = true;
        });
        co_await sleep(1ms);
    }
}

TEST(Future, WakesEverybodyUnderEverySchedule) {
    testing::for_each_seed(
        [](std::uint64_t seed) {
            long frames = internal::live_frames();
            std::mt19937_64 random(seed);
            auto body = [&]() -> Task<void> {
                auto future = create_future<int>();
                int seen = 0;
                co_await task_group([&](TaskGroup& group) -> Task<void> {
                    for (int i = 0; i < 6; ++i)
                        group.create_task(wait_impatiently, future, std::ref(seen),
                                          std::ref(random));
                    co_await sleep(std::chrono::milliseconds(random() % 8));
                    future.set_result(1);
                });
                EXPECT_EQ(seen, 6);
            };
            testing::run(body(), {.seed = seed});
            EXPECT_EQ(internal::live_frames(), frames);
        },
        {.failed = ::testing::Test::HasFailure});
}

}  // namespace
}  // namespace coracle
