// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/try_finally.h>

#include <coracle/base/error.h>
#include <coracle/core/sleep.h>
#include <coracle/testing/virtual_loop.h>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace coracle {
namespace {

TEST(TryFinally, CleansUpAndReturnsTheBodysValue) {
    auto body = []() -> Task<void> {
        bool clean = false;
        auto value = co_await try_finally([&]() -> Task<std::string> { co_return "value"; },
                                          [&]() -> Task<void> {
                                              co_await sleep(1s);
                                              clean = true;
                                          });
        EXPECT_EQ(value, "value");
        EXPECT_TRUE(clean);
    };
    testing::run(body());
}

TEST(TryFinally, CleansUpAfterACancellationAndAnError) {
    auto body = []() -> Task<void> {
        int clean = 0;
        auto cleanup = [&]() -> Task<void> {
            co_await sleep(1s);
            ++clean;
        };
        bool ended = co_await move_on_after(1s, [&]() -> Task<void> {
            co_await try_finally([&]() -> Task<void> { co_await sleep(1h); }, cleanup);
        });
        EXPECT_FALSE(ended);
        EXPECT_EQ(testing::elapsed(), 2s);
        auto fail = []() -> Task<int> {
            throw std::runtime_error("no");
            co_return 1;
        };
        EXPECT_THROW(co_await try_finally(fail, cleanup), std::runtime_error);
        EXPECT_EQ(clean, 2);
    };
    testing::run(body());
}

TEST(TryFinally, TheCleanupHasADeadlineAndTheBodysErrorWins) {
    auto body = []() -> Task<void> {
        auto stuck = []() -> Task<void> { co_await sleep(1h); };
        auto nothing = []() -> Task<void> { co_return; };
        EXPECT_THROW(co_await try_finally(nothing, stuck, {.cleanup_limit = 2s}), TimeoutError);
        EXPECT_EQ(testing::elapsed(), 2s);
        auto fail = []() -> Task<void> {
            throw std::runtime_error("first");
            co_return;
        };
        EXPECT_THROW(co_await try_finally(fail, stuck, {.cleanup_limit = 2s}), std::runtime_error);
    };
    testing::run(body());
}

}  // namespace
}  // namespace coracle
