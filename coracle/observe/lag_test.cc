// SPDX-License-Identifier: Apache-2.0
#include <coracle/observe/lag.h>

#include <coracle/base/error.h>
#include <coracle/core/run.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>
#include <coracle/testing/virtual_loop.h>

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

namespace coracle {
namespace {

// Runs `body(group)` beside a running monitor.
template <class Body>
Task<void> beside(LoopLagMonitor& lag, Body& body) {
    co_await task_group([&](TaskGroup& group) -> Task<void> {
        auto monitor = group.create_task(&LoopLagMonitor::run, &lag);
        co_await sleep(0ms);
        co_await body();
        monitor.cancel();
    });
}

TEST(LoopLagMonitor, IsZeroOnALoopThatIsNeverLate) {
    LoopLagMonitor lag({.period = 10ms, .sample = 100ms, .samples_max = 5});
    auto body = []() -> Task<void> { co_await sleep(250ms); };
    testing::VirtualLoop loop;
    loop.run(beside(lag, body));
    EXPECT_EQ(lag.current(), 0ns);
    EXPECT_EQ(lag.max(), 0ns);
    EXPECT_EQ(lag.samples(), std::vector<Duration>(3, 0ns));
}

TEST(LoopLagMonitor, ShowsABlockInEverySampleItCovered) {
    LoopLagMonitor lag({.period = 10ms, .sample = 100ms, .samples_max = 5});
    testing::VirtualLoop loop;
    auto body = [&]() -> Task<void> {
        co_await sleep(105ms);
        loop.clock().advance(300ms);  // this step takes so long; the timer was due after 5 ms of it
        co_await sleep(1ms);
        EXPECT_EQ(lag.current(), 295ms);
        co_await sleep(20ms);
        EXPECT_EQ(lag.current(), 0ns);
    };
    loop.run(beside(lag, body));
    EXPECT_EQ(lag.max(), 295ms);
    EXPECT_EQ(lag.samples(), (std::vector<Duration>{0ns, 295ms, 295ms, 295ms, 0ns}));
}

TEST(LoopLagMonitor, ForgetsWhatIsOlderThanItsSamples) {
    LoopLagMonitor lag({.period = 10ms, .sample = 100ms, .samples_max = 5});
    testing::VirtualLoop loop;
    auto body = [&]() -> Task<void> {
        loop.clock().advance(1h);  // covers more samples than are kept
        co_await sleep(20ms);
        EXPECT_EQ(lag.max(), 1h - 10ms);
        EXPECT_EQ(lag.samples().size(), 5u);
        co_await sleep(300ms);
        EXPECT_GT(lag.max(), 0ns);
        co_await sleep(200ms);
        EXPECT_EQ(lag.max(), 0ns);
    };
    loop.run(beside(lag, body));
}

TEST(LoopLagMonitor, SeesABlockOfARealLoop) {
    LoopLagMonitor lag({.period = 1ms});
    auto body = [&]() -> Task<void> {
        auto until = std::chrono::steady_clock::now() + 30ms;
        while (std::chrono::steady_clock::now() < until) {
        }
        co_await sleep(2ms);
        EXPECT_GE(lag.max(), 20ms);
    };
    run(beside(lag, body));
}

TEST(LoopLagMonitor, RunsOnceAtATimeAndAgainAfterItEnded) {
    LoopLagMonitor lag;
    auto twice = [&]() -> Task<void> {
        bool refused = false;
        try {
            co_await lag.run();
        } catch (const Error&) {
            refused = true;
        }
        EXPECT_TRUE(refused);
    };
    testing::run(beside(lag, twice));
    testing::run(beside(lag, twice));
}

TEST(LoopLagMonitor, PublishesItself) {
    LoopLagMonitor lag;
    auto sources = read_sources();
    ASSERT_FALSE(sources.empty());
    EXPECT_EQ(sources.back().first, "loop lag");
    EXPECT_EQ(sources.back().second.front(), Statistic("current_seconds", 0));
}

TEST(LoopLagMonitor, RefusesOptionsThatMeasureNothing) {
    EXPECT_THROW(LoopLagMonitor({.period = 0ms}), Error);
    EXPECT_THROW(LoopLagMonitor({.sample = 0ms}), Error);
    EXPECT_THROW(LoopLagMonitor({.samples_max = 0}), Error);
}

}  // namespace
}  // namespace coracle
