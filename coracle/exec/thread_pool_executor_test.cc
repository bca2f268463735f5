// SPDX-License-Identifier: Apache-2.0
#include <coracle/exec/thread_pool_executor.h>

#include <coracle/core/gather.h>
#include <coracle/core/run.h>
#include <coracle/core/scope.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>
#include <coracle/core/task_tree.h>
#include <coracle/exec/run_in_executor.h>
#include <coracle/testing/seeds.h>
#include <coracle/testing/virtual_loop.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <latch>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace coracle {
namespace {

// Blocks threads until opened.
class Gate {
  public:
    void wait() { open_.wait(); }
    void open() { open_.count_down(); }

  private:
    std::latch open_{1};
};

// Starts a coroutine lambda, which must outlive the group: a local of the group's body does not.
template <class Body, class... A>
TaskHandle<void> start(TaskGroup& group, Body& body, A... args) {
    return group.create_task(
        [](Body& called, A... values) -> Task<void> { co_await called(values...); }, std::ref(body),
        args...);
}

// Lets the loop turn until the pool is as expected.
template <class Condition>
Task<void> until(const ThreadPoolExecutor& pool, Condition condition) {
    while (!condition(pool.statistics())) co_await sleep(0ms);
}

Task<void> block(ThreadPoolExecutor& pool, Gate& gate) {
    co_await run_in_executor(pool, [&] { gate.wait(); });
}

TEST(ThreadPool, RunsFourJobsOnThreeWorkersAndTheFourthWhenAPlaceIsFree) {
    auto body = []() -> Task<void> {
        ThreadPoolExecutor pool({.max_workers = 3});
        std::vector<Gate> gates(4);
        std::atomic<int> begun = 0;
        std::atomic<int> fourth_to_begin = -1;
        auto job = [&](int number) -> Task<void> {
            co_await run_in_executor(pool, [&, number] {
                if (++begun == 4) fourth_to_begin = number;
                gates[static_cast<std::size_t>(number)].wait();
            });
        };
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            for (int number = 0; number < 4; ++number) start(group, job, number);
            co_await until(pool, [](auto now) { return now.running == 3 && now.queued == 1; });
            while (begun < 3) co_await sleep(0ms);
            EXPECT_EQ(pool.statistics().workers, 3u);
            gates[1].open();
            co_await until(pool, [](auto now) { return now.completed == 1 && now.queued == 0; });
            EXPECT_EQ(pool.statistics().running, 3u);
            gates[0].open();
            gates[2].open();
            gates[3].open();
        });
        EXPECT_EQ(fourth_to_begin, 3);
        EXPECT_EQ(pool.statistics().workers, 3u);
    };
    run(body());
}

TEST(ThreadPool, StartsThreadsOnlyWhenNoneIsIdle) {
    auto body = []() -> Task<void> {
        ThreadPoolExecutor pool({.max_workers = 8});
        EXPECT_EQ(pool.statistics().workers, 0u);
        for (int i = 0; i < 200; ++i) co_await run_in_executor(pool, [] {});
        EXPECT_EQ(pool.statistics().workers, 1u);
    };
    run(body());
}

TEST(ThreadPool, RefusesPastTheBoundWithAHint) {
    auto body = []() -> Task<void> {
        ThreadPoolExecutor pool(
            {.max_workers = 2, .max_queue = 3, .on_full = QueuePolicy::reject, .name = "images"});
        Gate gate;
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            for (int i = 0; i < 5; ++i) {
                group.create_task(block, std::ref(pool), std::ref(gate));
            }
            co_await until(pool, [](auto now) { return now.submitted == 5; });
            std::optional<Duration> hint;
            try {
                co_await run_in_executor(pool, [] { ADD_FAILURE() << "ran past the bound"; });
            } catch (const QueueFull& full) {
                hint = full.retry_after();
                std::string text = full.what();
                EXPECT_NE(text.find("pool images is full: 2 workers are busy"), std::string::npos);
                EXPECT_NE(text.find("(max_queue 3)"), std::string::npos) << text;
            }
            EXPECT_EQ(hint, Duration(1s));  // nothing has been observed yet
            gate.open();
        });
        auto now = pool.statistics();
        EXPECT_EQ(now.rejected, 1u);
        EXPECT_EQ(now.completed, 5u);
        EXPECT_EQ(now.submitted, 5u);
        co_await run_in_executor(pool, [] {});  // there is room again
        EXPECT_GT(pool.retry_after(), Duration::zero());
        EXPECT_LT(pool.retry_after(), 1h);
    };
    run(body());
}

TEST(ThreadPool, WithoutAQueueTakesWhatAWorkerIsFreeFor) {
    auto body = []() -> Task<void> {
        ThreadPoolExecutor pool({.max_workers = 1, .max_queue = 0, .on_full = QueuePolicy::reject});
        // Its place is free as soon as the caller goes on.
        for (int i = 0; i < 200; ++i) co_await run_in_executor(pool, [] {});
        Gate gate;
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(block, std::ref(pool), std::ref(gate));
            co_await until(pool, [](auto now) { return now.submitted == 201; });
            bool refused = false;
            try {
                co_await run_in_executor(pool, [] {});
            } catch (const QueueFull&) {
                refused = true;
            }
            EXPECT_TRUE(refused);
            gate.open();
        });
    };
    run(body());
}

TEST(ThreadPool, LetsCallersWaitForAPlaceInOrder) {
    auto body = []() -> Task<void> {
        ThreadPoolExecutor pool({.max_workers = 1, .max_queue = 2});
        Gate gate;
        std::vector<int> order;  // written by the one worker
        auto job = [&](int number) -> Task<void> {
            co_await run_in_executor(pool, [&, number] { order.push_back(number); });
        };
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(block, std::ref(pool), std::ref(gate));
            for (int number = 0; number < 10; ++number) start(group, job, number);
            co_await until(pool, [](auto now) { return now.waiting == 8; });
            auto now = pool.statistics();
            EXPECT_EQ(now.running + now.queued, 3u);
            EXPECT_EQ(now.rejected, 0u);
            EXPECT_GT(now.oldest_wait, Duration::zero());
            gate.open();
        });
        EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
    };
    run(body());
}

TEST(ThreadPool, GivesUpWaitingForAPlaceAtTheCallersDeadline) {
    auto body = []() -> Task<void> {
        ThreadPoolExecutor pool({.max_workers = 1, .max_queue = 0});
        Gate gate;
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(block, std::ref(pool), std::ref(gate));
            co_await until(pool, [](auto now) { return now.running == 1; });
            bool late = false;
            try {
                co_await wait_for(run_in_executor(pool, [] { ADD_FAILURE() << "ran"; }), 1ms);
            } catch (const TimeoutError&) {
                late = true;
            }
            EXPECT_TRUE(late);
            EXPECT_EQ(pool.statistics().waiting, 0u);
            EXPECT_EQ(pool.statistics().cancelled, 1u);
            gate.open();
        });
        EXPECT_EQ(pool.statistics().completed, 1u);
    };
    run(body());
}

TEST(ThreadPool, NeverRunsAQueuedJobThatWasCancelledAndGivesItsPlaceAway) {
    auto body = []() -> Task<void> {
        ThreadPoolExecutor pool({.max_workers = 1, .max_queue = 1});
        Gate gate;
        bool ran = false;
        auto cancelled = [&]() -> Task<void> {
            co_await run_in_executor(pool, [] { ADD_FAILURE() << "ran"; });
        };
        auto next = [&]() -> Task<void> { co_await run_in_executor(pool, [&] { ran = true; }); };
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(block, std::ref(pool), std::ref(gate));
            co_await until(pool, [](auto now) { return now.running == 1; });
            auto queued = start(group, cancelled);
            start(group, next);
            co_await until(pool, [](auto now) { return now.waiting == 1; });
            EXPECT_NE(task_tree(EventLoop::current()).find(": a place in the queue"),
                      std::string::npos);
            queued.cancel();
            EXPECT_EQ(pool.statistics().waiting, 0u);
            EXPECT_EQ(pool.statistics().queued, 1u);
            gate.open();
        });
        EXPECT_TRUE(ran);
        EXPECT_EQ(pool.statistics().cancelled, 1u);
        EXPECT_EQ(pool.statistics().completed, 2u);
    };
    run(body());
}

TEST(ThreadPool, WaitsForARunningJobThatWasCancelled) {
    auto body = []() -> Task<void> {
        ThreadPoolExecutor pool({.max_workers = 1});
        Gate gate;
        std::atomic<bool> finished = false;
        int result = 0;
        auto job = [&]() -> Task<void> {
            result = co_await run_in_executor(pool, [&] {
                gate.wait();
                finished = true;
                return 5;
            });
            co_await sleep(0ms);
            ADD_FAILURE() << "went on after it was cancelled";
        };
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            auto handle = start(group, job);
            co_await until(pool, [](auto now) { return now.running == 1; });
            handle.cancel();
            co_await sleep(0ms);
            EXPECT_FALSE(handle.done());
            gate.open();
        });
        EXPECT_TRUE(finished);
        EXPECT_EQ(result, 5);
        EXPECT_EQ(pool.statistics().completed, 1u);
        EXPECT_EQ(pool.statistics().cancelled, 0u);
    };
    run(body());
}

TEST(ThreadPool, RunsTenThousandJobsOnThreeWorkers) {
    auto body = []() -> Task<void> {
        ThreadPoolExecutor pool({.max_workers = 3, .max_queue = 100});
        std::atomic<int> running = 0;
        std::atomic<int> most = 0;
        long sum = 0;
        auto job = [&](int number) -> Task<void> {
            sum += co_await run_in_executor(pool, [&, number] {
                int now = ++running;
                int seen = most.load();
                while (seen < now && !most.compare_exchange_weak(seen, now)) {
                }
                --running;
                return number;
            });
        };
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            for (int number = 0; number < 10000; ++number) start(group, job, number);
            co_return;
        });
        EXPECT_EQ(sum, 9999L * 10000 / 2);
        EXPECT_LE(most, 3);
        auto now = pool.statistics();
        EXPECT_EQ(now.completed, 10000u);
        EXPECT_EQ(now.running + now.queued + now.waiting, 0u);
        EXPECT_LE(now.workers, 3u);
    };
    run(body());
}

TEST(ThreadPool, ServesSeveralLoopsAndStaysWithinItsBound) {
    ThreadPoolExecutor pool({.max_workers = 3, .max_queue = 4});
    std::atomic<int> running = 0;
    std::atomic<int> most = 0;
    auto serve = [&]() -> Task<void> {
        auto job = [&]() -> Task<void> {
            for (int i = 0; i < 50; ++i) {
                auto home = std::this_thread::get_id();
                co_await run_in_executor(pool, [&] {
                    int now = ++running;
                    int seen = most.load();
                    while (seen < now && !most.compare_exchange_weak(seen, now)) {
                    }
                    std::this_thread::yield();
                    --running;
                });
                EXPECT_EQ(home, std::this_thread::get_id());
            }
        };
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            for (int i = 0; i < 10; ++i) start(group, job);
            co_return;
        });
    };
    {
        std::vector<std::jthread> loops;
        for (int i = 0; i < 4; ++i) loops.emplace_back([&] { run(serve()); });
    }
    EXPECT_LE(most, 3);
    auto now = pool.statistics();
    EXPECT_EQ(now.completed, 4u * 10 * 50);
    EXPECT_LE(now.workers, 3u);
}

TEST(ThreadPool, MayOutliveTheLoopsThatUseIt) {
    ThreadPoolExecutor pool({.max_workers = 2});
    auto body = [&]() -> Task<void> { co_await run_in_executor(pool, [] {}); };
    for (int i = 0; i < 500; ++i) run(body());
    EXPECT_EQ(pool.statistics().completed, 500u);
}

TEST(ThreadPool, ManyCancellationsRaceWithManyWorkers) {
    auto body = []() -> Task<void> {
        ThreadPoolExecutor pool({.max_workers = 2, .max_queue = 8});
        std::atomic<std::uint64_t> ran = 0;
        std::uint64_t ended = 0;
        auto job = [&](int number) -> Task<void> {
            auto span = std::chrono::microseconds(number % 400);
            bool done = co_await move_on_after(
                span, [&]() -> Task<void> { co_await run_in_executor(pool, [&] { ++ran; }); });
            if (done) ++ended;
        };
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            for (int number = 0; number < 4000; ++number) start(group, job, number);
            co_return;
        });
        auto now = pool.statistics();
        EXPECT_EQ(now.completed, ran);
        EXPECT_EQ(ended, ran);
        EXPECT_EQ(now.completed + now.cancelled, now.submitted);
        EXPECT_EQ(now.running + now.queued + now.waiting, 0u);
    };
    run(body());
}

// Tasks of one loop submit, and cancel each other, in an order drawn from the seed.
Task<void> cancel_at_random(std::uint64_t seed) {
    ThreadPoolExecutor pool({.max_workers = 2, .max_queue = 3});
    std::mt19937_64 random(seed);
    std::atomic<std::uint64_t> ran = 0;
    std::uint64_t delivered = 0;
    auto job = [&]() -> Task<void> {
        delivered += co_await run_in_executor(pool, [&] {
            ++ran;
            return std::uint64_t(1);
        });
    };
    co_await task_group([&](TaskGroup& group) -> Task<void> {
        std::vector<TaskHandle<void>> jobs;
        for (int i = 0; i < 20; ++i) jobs.push_back(start(group, job));
        for (int i = 0; i < 10; ++i) {
            co_await sleep(0ms);
            jobs[random() % jobs.size()].cancel();
        }
    });
    auto now = pool.statistics();
    EXPECT_EQ(delivered, ran);
    EXPECT_EQ(now.completed, ran);
    EXPECT_EQ(now.completed + now.cancelled, now.submitted);
    EXPECT_EQ(now.running + now.queued + now.waiting, 0u);
}

TEST(ThreadPool, CountsEveryJobOnceUnderManySchedules) {
    auto body = [](std::uint64_t seed) { testing::run(cancel_at_random(seed), {.seed = seed}); };
    testing::for_each_seed(body, {.count = 100, .failed = ::testing::Test::HasFailure});
}

TEST(ThreadPool, StopsTheVirtualClockWhileAJobIsOut) {
    auto body = []() -> Task<void> {
        ThreadPoolExecutor pool({.max_workers = 1, .max_queue = 0});
        auto job = [] { std::this_thread::yield(); };
        // The second waits for a place: that holds the clock as well.
        co_await wait_for(gather(run_in_executor(pool, job), run_in_executor(pool, job)), 1ns);
        EXPECT_EQ(testing::elapsed(), 0ns);
        co_await sleep(1h);
        EXPECT_EQ(testing::elapsed(), 1h);
    };
    testing::run(body());
}

// Destroys the pool while jobs are running, queued and waiting: no caller hangs.
TEST(ThreadPool, DestroyedWithJobsFailsThemAndJoins) {
    auto body = []() -> Task<void> {
        auto pool = std::make_optional<ThreadPoolExecutor>(
            ThreadPoolOptions{.max_workers = 1, .max_queue = 1, .name = "short-lived"});
        std::latch begun(1);
        int shut_down = 0;
        bool stopped = false;
        auto running = [&]() -> Task<void> {
            stopped = co_await run_in_executor(*pool, [&](std::stop_token token) {
                begun.count_down();
                while (!token.stop_requested()) std::this_thread::yield();
                return true;
            });
        };
        auto pending = [&]() -> Task<void> {
            try {
                co_await run_in_executor(*pool, [] { ADD_FAILURE() << "ran"; });
            } catch (const ExecutorShutdown& error) {
                ++shut_down;
                EXPECT_NE(std::string(error.what()).find("pool short-lived"), std::string::npos);
            }
        };
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            start(group, running);
            start(group, pending);
            start(group, pending);
            co_await until(*pool, [](auto now) { return now.waiting == 1; });
            begun.wait();
            pool.reset();
        });
        EXPECT_TRUE(stopped);
        EXPECT_EQ(shut_down, 2);
    };
    run(body());
}

TEST(ThreadPool, ShutdownLetsWhatIsQueuedRunAndRefusesMore) {
    auto body = []() -> Task<void> {
        ThreadPoolExecutor pool({.max_workers = 1, .max_queue = 1});
        Gate gate;
        int ran = 0;
        auto job = [&]() -> Task<void> { co_await run_in_executor(pool, [&] { ++ran; }); };
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(block, std::ref(pool), std::ref(gate));
            start(group, job);
            start(group, job);
            co_await until(pool, [](auto now) { return now.waiting == 1; });

            bool late = false;
            try {
                co_await wait_for(pool.shutdown(), 1ms);
            } catch (const TimeoutError&) {
                late = true;
            }
            EXPECT_TRUE(late);
            bool refused = false;
            try {
                co_await run_in_executor(pool, [] {});
            } catch (const ExecutorShutdown&) {
                refused = true;
            }
            EXPECT_TRUE(refused);

            gate.open();
            co_await pool.shutdown();
            EXPECT_EQ(ran, 2);
            EXPECT_EQ(pool.statistics().workers, 0u);
            co_await pool.shutdown();
        });
    };
    run(body());
}

TEST(ThreadPool, ShutdownWithCancelPendingDropsWhatHasNotBegun) {
    auto body = []() -> Task<void> {
        ThreadPoolExecutor pool({.max_workers = 1});
        int dropped = 0;
        std::latch begun(1);
        auto running = [&]() -> Task<void> {
            co_await run_in_executor(pool, [&](std::stop_token token) {
                begun.count_down();
                while (!token.stop_requested()) std::this_thread::yield();
            });
        };
        auto queued = [&]() -> Task<void> {
            try {
                co_await run_in_executor(pool, [] { ADD_FAILURE() << "ran"; });
            } catch (const ExecutorShutdown&) {
                ++dropped;
            }
        };
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            start(group, running);
            start(group, queued);
            co_await until(pool, [](auto now) { return now.running == 1 && now.queued == 1; });
            begun.wait();
            co_await pool.shutdown({.cancel_pending = true});
        });
        EXPECT_EQ(dropped, 1);
        EXPECT_EQ(pool.statistics().cancelled, 1u);
    };
    run(body());
}

TEST(ThreadPool, PublishesItsNumbersUnderItsName) {
    auto read = [](std::string_view name) -> std::optional<std::vector<Statistic>> {
        for (auto& [source, numbers] : read_sources()) {
            if (source == name) return numbers;
        }
        return std::nullopt;
    };
    {
        ThreadPoolExecutor pool({.max_workers = 2, .name = "numbers"});
        auto body = [&]() -> Task<void> { co_await run_in_executor(pool, [] {}); };
        run(body());
        auto numbers = read("pool numbers");
        ASSERT_TRUE(numbers);
        EXPECT_NE(std::find(numbers->begin(), numbers->end(), Statistic("completed", 1)),
                  numbers->end());
    }
    EXPECT_FALSE(read("pool numbers"));
}

TEST(ThreadPool, HasDefaults) {
    ThreadPoolExecutor pool;
    EXPECT_EQ(pool.max_queue(), 1024u);
    EXPECT_EQ(pool.max_workers(),
              std::min<std::size_t>(32, std::thread::hardware_concurrency() + 4));
    EXPECT_EQ(pool.name().rfind("pool-", 0), 0u);
    EXPECT_EQ(pool.retry_after(), 1s);
}

}  // namespace
}  // namespace coracle
