// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/scheduler.h>

#include <coracle/core/cancel.h>
#include <coracle/core/internal/frame_allocator.h>
#include <coracle/core/loop.h>
#include <coracle/core/scope.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>
#include <coracle/testing/seeds.h>
#include <coracle/testing/virtual_loop.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace coracle {
namespace {

using Times = std::vector<Duration>;

Task<void> note(Times& times, Duration takes) {
    times.push_back(testing::elapsed());
    co_await sleep(takes);
}

Times in_seconds(std::initializer_list<int> seconds) {
    Times times;
    for (int s : seconds) times.push_back(std::chrono::seconds(s));
    return times;
}

TEST(Scheduler, KeepsPeriodsWithoutDrift) {
    auto body = []() -> Task<void> {
        Times at_period, at_once, slow;
        Scheduler scheduler;
        scheduler.every(10s, note, std::ref(at_period), Duration(3s));
        scheduler.every(Period{.every = 20s, .first = 0s}, note, std::ref(at_once), Duration(0s));
        scheduler.every(5s, note, std::ref(slow), Duration(12s));  // skips what it is too late for
        EXPECT_FALSE(
            co_await move_on_after(41s, [&]() -> Task<void> { co_await scheduler.run(); }));
        EXPECT_EQ(at_period, in_seconds({10, 20, 30, 40}));
        EXPECT_EQ(at_once, in_seconds({0, 20, 40}));
        EXPECT_EQ(slow, in_seconds({5, 20, 35}));
        EXPECT_EQ(scheduler.statistics().skipped, 5u);  // 10, 15, 25, 30 and 40
        EXPECT_EQ(scheduler.statistics().completed, 10u);
        EXPECT_EQ(testing::elapsed(), 47s);  // the slow one was allowed to end
    };
    testing::run(body());
}

std::chrono::system_clock::time_point wall_clock() {
    using namespace std::chrono;
    return sys_days(year_month_day(2026y, January, 2d)) + hours(8) + 30s +
           duration_cast<system_clock::duration>(testing::elapsed());
}

TEST(Scheduler, KeepsTheCalendar) {
    auto body = []() -> Task<void> {
        Times morning, quarter;
        Scheduler scheduler({.wall_clock = wall_clock});
        scheduler.cron("0 9 * * MON-FRI", note, std::ref(morning), Duration(0s));
        scheduler.cron("*/15 8 * * *", note, std::ref(quarter), Duration(0s));
        EXPECT_THROW(scheduler.cron("nonsense", note, std::ref(quarter), Duration(0s)), Error);
        co_await move_on_after(std::chrono::hours(24 * 4),
                               [&]() -> Task<void> { co_await scheduler.run(); });
        constexpr Duration start = 30s;
        EXPECT_EQ(morning, (Times{1h - start, std::chrono::hours(73) - start}));
        EXPECT_EQ(quarter.size(), 16u);  // 3, three times 4, and 8:00 of the last day
        EXPECT_EQ(quarter.front(), 15min - start);
    };
    testing::run(body());
}

Task<void> rest(int& running, int& most, Duration span) {
    most = std::max(most, ++running);
    try {
        co_await sleep(span);
    } catch (const Cancelled&) {
        --running;
        throw;
    }
    --running;
}

TEST(Scheduler, LimitsWhatRunsAndWhatWaits) {
    auto body = []() -> Task<void> {
        int running = 0, most = 0;
        Scheduler scheduler({.limit = 2, .pending_max = 3});
        for (int i = 0; i < 5; ++i)
            EXPECT_TRUE(
                scheduler.spawn_nowait(rest, std::ref(running), std::ref(most), Duration(1s)));
        EXPECT_FALSE(scheduler.spawn_nowait(rest, std::ref(running), std::ref(most), Duration(1s)));
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(&Scheduler::run, &scheduler);
            co_await scheduler.spawn(rest, std::ref(running), std::ref(most), Duration(1s));
            EXPECT_EQ(testing::elapsed(), 1s);  // waited for a place
            co_await testing::wait_all_tasks_blocked();
            EXPECT_EQ(scheduler.statistics().running, 2u);
            co_await sleep(5s);
            EXPECT_EQ(scheduler.statistics().completed, 6u);
            scheduler.stop();
        });
        EXPECT_EQ(most, 2);
        EXPECT_THROW(
            co_await scheduler.spawn(rest, std::ref(running), std::ref(most), Duration(1s)), Error);
    };
    testing::run(body());
}

TEST(Scheduler, GivesRunningJobsTheirGraceAndDropsWaitingOnes) {
    auto body = []() -> Task<void> {
        int running = 0, most = 0;
        Scheduler scheduler({.limit = 2, .grace = 5s});
        auto start = [&](Duration span) {
            EXPECT_TRUE(scheduler.spawn_nowait(rest, std::ref(running), std::ref(most), span));
        };
        start(3s);
        start(1h);
        start(1s);
        EXPECT_FALSE(co_await move_on_after(1s, [&]() -> Task<void> { co_await scheduler.run(); }));
        EXPECT_EQ(testing::elapsed(), 6s);
        EXPECT_EQ(running, 0);
        EXPECT_EQ(scheduler.statistics().completed, 2u);
        EXPECT_EQ(scheduler.statistics().pending, 0u);
    };
    testing::run(body());
}

TEST(Scheduler, AFailingJobIsReportedAndComesAgain) {
    std::vector<std::string> reports;
    auto body = [&]() -> Task<void> {
        EventLoop::current().set_exception_handler(
            [&](const ExceptionContext& context) { reports.push_back(context.message); });
        Scheduler scheduler;
        auto id = scheduler.every(
            1s,
            [](const std::string& text) -> Task<void> {
                co_await sleep(0s);
                throw Error(text);
            },
            std::string("no"));
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(&Scheduler::run, &scheduler);
            co_await sleep(2500ms);
            EXPECT_TRUE(scheduler.cancel(id));
            EXPECT_FALSE(scheduler.cancel(id));
            Times times;
            scheduler.every(1s, note, std::ref(times), Duration(0s));  // while it runs
            co_await sleep(2500ms);
            EXPECT_EQ(times.size(), 2u);
            scheduler.stop();
        });
        EXPECT_EQ(scheduler.statistics().failed, 2u);
        EXPECT_THROW(scheduler.every(0s, note, std::ref(*std::make_unique<Times>()), Duration()),
                     Error);
    };
    testing::run(body());
    EXPECT_EQ(reports, std::vector<std::string>(2, "a scheduled job failed"));
}

Task<void> spawn_some(Scheduler& scheduler, int& running, int& most, int& accepted,
                      std::mt19937_64& random) {
    for (int i = 0; i < 5; ++i) {
        bool done =
            co_await move_on_after(std::chrono::milliseconds(random() % 4), [&]() -> Task<void> {
                co_await scheduler.spawn(rest, std::ref(running), std::ref(most),
                                         Duration(std::chrono::milliseconds(random() % 4)));
            });
        accepted += done ? 1 : 0;
    }
}

TEST(Scheduler, RunsEachAcceptedJobOnceUnderEverySchedule) {
    testing::for_each_seed(
        [](std::uint64_t seed) {
            long frames = internal::live_frames();
            std::mt19937_64 random(seed);
            auto body = [&]() -> Task<void> {
                int running = 0, most = 0, accepted = 0;
                Scheduler scheduler({.limit = 2, .pending_max = 2});
                co_await task_group([&](TaskGroup& group) -> Task<void> {
                    group.create_task(&Scheduler::run, &scheduler);
                    co_await task_group([&](TaskGroup& spawners) -> Task<void> {
                        for (int i = 0; i < 4; ++i)
                            spawners.create_task(spawn_some, std::ref(scheduler), std::ref(running),
                                                 std::ref(most), std::ref(accepted),
                                                 std::ref(random));
                        co_return;
                    });
                    co_await sleep(1s);
                    scheduler.stop();
                });
                EXPECT_EQ(scheduler.statistics().completed, static_cast<std::uint64_t>(accepted));
                EXPECT_LE(most, 2);
                EXPECT_EQ(running, 0);
            };
            testing::run(body(), {.seed = seed});
            EXPECT_EQ(internal::live_frames(), frames);
        },
        {.failed = ::testing::Test::HasFailure});
}

}  // namespace
}  // namespace coracle
