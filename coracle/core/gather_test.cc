// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/gather.h>

#include <coracle/core/run.h>
#include <coracle/core/sleep.h>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace coracle {
namespace {

Task<std::string> named_after(int n, Duration delay, int& running, int& most) {
    most = std::max(most, ++running);
    co_await sleep(delay);
    --running;
    co_return std::to_string(n);
}

TEST(Gather, ReturnsResultsInArgumentOrderWithinTheLimit) {
    int running = 0, most = 0;
    auto body = [&]() -> Task<std::vector<std::string>> {
        std::vector<Task<std::string>> tasks;
        for (int i = 0; i < 9; ++i)
            tasks.push_back(named_after(i, Duration((9 - i) * 1ms), running, most));
        co_return co_await gather(std::move(tasks), {.limit = 3});
    };
    auto results = run(body());
    ASSERT_EQ(results.size(), 9u);
    for (std::size_t i = 0; i < 9; ++i) EXPECT_EQ(results[i], std::to_string(i));
    EXPECT_EQ(most, 3);
}

TEST(Gather, TakesDifferentThings) {
    auto body = []() -> Task<int> {
        auto number = []() -> Task<int> { co_return 40; };
        auto text = []() -> Task<std::string> { co_return "ab"; };
        auto [n, s, nothing] = co_await gather(number(), text(), sleep(1ms));
        static_cast<void>(nothing);
        co_return n + static_cast<int>(s.size());
    };
    EXPECT_EQ(run(body()), 42);
}

TEST(Gather, TheFirstErrorCancelsTheRest) {
    int running = 0, most = 0;
    auto body = [&]() -> Task<void> {
        auto fail = []() -> Task<std::string> {
            co_await sleep(0s);
            throw std::runtime_error("no");
        };
        co_await gather(named_after(1, 1h, running, most), fail());
    };
    EXPECT_THROW(run(body()), std::runtime_error);
}

TEST(Gather, AnEmptyVectorGivesAnEmptyVector) {
    auto body = []() -> Task<std::size_t> {
        std::vector<Task<int>> none;
        auto results = co_await gather(std::move(none));
        std::vector<Task<void>> nothing;
        co_await gather(std::move(nothing), {.limit = 2});
        co_return results.size();
    };
    EXPECT_EQ(run(body()), 0u);
}

TEST(GatherSettled, AFailureDisturbsNoneOfTheOthers) {
    auto body = []() -> Task<void> {
        auto fail = []() -> Task<int> {
            co_await sleep(0s);
            throw std::runtime_error("no");
        };
        auto good = [](int n) -> Task<int> {
            co_await sleep(1ms);
            co_return n;
        };
        std::vector<Task<int>> tasks;
        tasks.push_back(good(1));
        tasks.push_back(fail());
        tasks.push_back(good(3));
        auto results = co_await gather_settled(std::move(tasks), {.limit = 2});
        EXPECT_EQ(results.size(), 3u);
        EXPECT_EQ(*results[0], 1);
        EXPECT_FALSE(results[1].has_value());
        EXPECT_THROW(results[1].value(), std::runtime_error);
        EXPECT_EQ(std::move(results[2]).value(), 3);
        auto [nothing, failed] = co_await gather_settled(sleep(1ms), fail());
        EXPECT_TRUE(nothing);
        EXPECT_TRUE(failed.error() != nullptr);
        std::vector<Task<int>> none;
        EXPECT_TRUE((co_await gather_settled(std::move(none))).empty());
    };
    run(body());
}

TEST(GatherSettled, ACancellationPasses) {
    auto body = []() -> Task<void> {
        bool ended = co_await move_on_after(1ms, [&]() -> Task<void> {
            co_await gather_settled(sleep(1h), sleep(2h));
            ADD_FAILURE() << "the cancellation was swallowed";
        });
        EXPECT_FALSE(ended);
    };
    run(body());
}

}  // namespace
}  // namespace coracle
