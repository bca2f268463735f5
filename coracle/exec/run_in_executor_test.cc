// SPDX-License-Identifier: Apache-2.0
#include <coracle/exec/run_in_executor.h>

#include <coracle/core/context_var.h>
#include <coracle/core/gather.h>
#include <coracle/core/run.h>
#include <coracle/core/scope.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <latch>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace coracle {
namespace {

int add(int a, int b) { return a + b; }

std::string join(std::string_view left, const std::string& right) {
    return std::string(left) + right;
}

std::unique_ptr<int> doubled(std::unique_ptr<int> value) {
    *value *= 2;
    return value;
}

void append(std::vector<int>& to, int value) { to.push_back(value); }

struct Account {
    int balance = 7;
    int paid(int amount) { return balance -= amount; }
};

struct OutOfPaper : std::runtime_error {
    using std::runtime_error::runtime_error;
};

[[noreturn]] int print_page() { throw OutOfPaper("tray 2"); }

// Starts a coroutine lambda, which must outlive the group: a local of the group's body does not.
template <class Body, class... A>
TaskHandle<void> start(TaskGroup& group, Body& body, A... args) {
    return group.create_task(
        [](Body& called, A... values) -> Task<void> { co_await called(values...); }, std::ref(body),
        args...);
}

TEST(RunInExecutor, CallsFunctionsMembersAndLambdas) {
    auto body = []() -> Task<void> {
        ThreadPoolExecutor pool({.max_workers = 2});
        EXPECT_EQ(co_await run_in_executor(pool, add, 1, 2), 3);
        EXPECT_EQ(co_await run_in_executor(&pool, &add, 3, 4), 7);

        Account account;
        EXPECT_EQ(co_await run_in_executor(pool, &Account::paid, &account, 2), 5);
        EXPECT_EQ(co_await run_in_executor(pool, &Account::paid, std::ref(account), 1), 4);
        EXPECT_EQ(co_await run_in_executor(pool, &Account::balance, std::cref(account)), 4);

        int local = 1;
        co_await run_in_executor(pool, [&] { local = 2; });
        EXPECT_EQ(local, 2);
        EXPECT_EQ(co_await run_in_executor(pool, [local] { return local + 1; }), 3);

        std::string owned(100, 'x');
        auto named = [owned] { return owned.size(); };
        EXPECT_EQ(co_await run_in_executor(pool, named), 100u);
        EXPECT_EQ(co_await run_in_executor(pool, named), 100u);
    };
    run(body());
}

TEST(RunInExecutor, RunsOnAnotherThread) {
    auto body = []() -> Task<std::thread::id> {
        co_return co_await to_thread(std::this_thread::get_id);
    };
    EXPECT_NE(run(body()), std::this_thread::get_id());
}

TEST(RunInExecutor, UsesANamedMoveOnlyCallableWhereItStands) {
    auto body = []() -> Task<void> {
        auto count = [left = std::make_unique<int>(2)]() mutable { return --*left; };
        EXPECT_EQ(co_await to_thread(count), 1);
        EXPECT_EQ(co_await to_thread(count), 0);
    };
    run(body());
}

TEST(RunInExecutor, MovesArgumentsInAndResultsOut) {
    auto body = []() -> Task<void> {
        auto value = co_await to_thread(doubled, std::make_unique<int>(21));
        EXPECT_EQ(*value, 42);

        std::vector<int> numbers;
        co_await to_thread(append, std::ref(numbers), 1);
        EXPECT_EQ(numbers, std::vector<int>{1});

        std::string left(50, 'l');
        auto text = co_await to_thread(join, std::string_view(left), "right");
        EXPECT_EQ(text, left + "right");
        auto again = co_await to_thread(join, left, std::cref(text));
        EXPECT_EQ(again, left + text);

        const int& kept = co_await to_thread([&]() -> const int& { return numbers.front(); });
        EXPECT_EQ(&kept, &numbers.front());
    };
    run(body());
}

// Records the thread that destroys it; moved-from ones do not count.
struct DestructionSite {
    explicit DestructionSite(std::thread::id& where) : where_(&where) {}
    DestructionSite(DestructionSite&& other) noexcept
        : where_(std::exchange(other.where_, nullptr)) {}
    ~DestructionSite() {
        if (where_) *where_ = std::this_thread::get_id();
    }
    std::thread::id* where_;
};

TEST(RunInExecutor, DestroysArgumentsOnTheThreadBeforeTheAwaitEnds) {
    auto body = []() -> Task<void> {
        std::thread::id destroyed_on;
        auto thread =
            co_await to_thread([](const DestructionSite&) { return std::this_thread::get_id(); },
                               DestructionSite(destroyed_on));
        EXPECT_EQ(destroyed_on, thread);
    };
    run(body());
}

TEST(RunInExecutor, BringsExceptionsBackWithTheirType) {
    auto body = []() -> Task<std::string> {
        try {
            co_await to_thread(print_page);
        } catch (const OutOfPaper& error) {
            co_return error.what();
        }
        co_return "nothing was thrown";
    };
    EXPECT_EQ(run(body()), "tray 2");
}

TEST(RunInExecutor, ComposesWithGatherAndWaitFor) {
    auto body = []() -> Task<void> {
        ThreadPoolExecutor pool({.max_workers = 3});
        auto [a, b] = co_await gather(run_in_executor(pool, add, 1, 1), to_thread(add, 2, 2));
        EXPECT_EQ(a + b, 6);
        EXPECT_EQ(co_await wait_for(run_in_executor(pool, add, 2, 3), 1h), 5);
    };
    run(body());
}

TEST(RunInExecutor, NothingRunsWithoutAnAwait) {
    std::atomic<bool> ran = false;
    {
        auto offload = to_thread([&] { ran = true; });
        static_cast<void>(offload);
    }
    EXPECT_FALSE(ran);
}

TEST(RunInExecutor, IsACheckpointEvenThoughItWouldOnlySubmit) {
    std::atomic<bool> ran = false;
    auto body = [&]() -> Task<void> {
        bool ended = co_await cancel_scope([&](CancelScope& scope) -> Task<void> {
            scope.cancel("enough");
            co_await to_thread([&] { ran = true; });
        });
        EXPECT_FALSE(ended);
    };
    run(body());
    EXPECT_FALSE(ran);
}

TEST(RunInExecutor, LeavesTheLoopFreeWhileJobsBlock) {
    auto body = []() -> Task<void> {
        ThreadPoolExecutor pool({.max_workers = 2});
        std::latch beats(10);
        auto blocked = [&]() -> Task<void> {
            co_await run_in_executor(pool, [&] { beats.wait(); });
        };
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            start(group, blocked);
            start(group, blocked);
            for (int beat = 0; beat < 10; ++beat) {
                co_await sleep(0ms);
                beats.count_down();
            }
            co_await sleep(0ms);
        });
        EXPECT_EQ(pool.statistics().completed, 2u);
    };
    run(body());
}

// Returns true once stopped.
bool until_stopped(std::stop_token token, std::latch& begun) {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    begun.count_down();
    wake.wait(lock, token, [] { return false; });
    return token.stop_requested();
}

TEST(StopToken, IsAskedToStopWhenTheCallersScopeIsCancelled) {
    auto body = []() -> Task<void> {
        std::latch begun(1);
        bool stopped = false;
        bool ended = co_await cancel_scope([&](CancelScope& scope) -> Task<void> {
            auto canceller = [&]() -> Task<void> {
                co_await to_thread([&] { begun.wait(); });
                scope.cancel("enough");
            };
            co_await task_group([&](TaskGroup& group) -> Task<void> {
                start(group, canceller);
                // A result that won is delivered; the checkpoint after it throws.
                stopped = co_await to_thread(until_stopped, std::ref(begun));
                co_await sleep(0ms);
                ADD_FAILURE() << "went on in a cancelled scope";
            });
        });
        EXPECT_TRUE(stopped);
        EXPECT_FALSE(ended);
    };
    run(body());
}

TEST(StopToken, IsAskedToStopAtTheCallersDeadline) {
    auto body = []() -> Task<void> {
        std::latch begun(1);
        bool stopped = false;
        co_await cancel_scope([&](CancelScope& scope) -> Task<void> {
            auto hurry = [&]() -> Task<void> {
                co_await to_thread([&] { begun.wait(); });
                scope.set_deadline(EventLoop::current().time());
            };
            co_await task_group([&](TaskGroup& group) -> Task<void> {
                start(group, hurry);
                stopped = co_await to_thread(until_stopped, std::ref(begun));
            });
        });
        EXPECT_TRUE(stopped);
    };
    run(body());
}

TEST(StopToken, ComesBeforeTheArgumentsAndOnlyWhereItFits) {
    auto body = []() -> Task<void> {
        bool possible = co_await to_thread(
            [](std::stop_token token, int one) { return token.stop_possible() && one == 1; }, 1);
        EXPECT_TRUE(possible);
        EXPECT_EQ(co_await to_thread([](int one) { return one; }, 1), 1);
    };
    run(body());
}

TEST(DefaultExecutor, IsOneForTheProcessAndNamed) {
    auto one = default_executor();
    EXPECT_EQ(one, default_executor());
    EXPECT_EQ(one->name(), "default");
    EXPECT_GE(one->max_workers(), 5u);
    EXPECT_LE(one->max_workers(), 32u);
}

TEST(DefaultExecutor, CanBeReplaced) {
    auto mine =
        std::make_shared<ThreadPoolExecutor>(ThreadPoolOptions{.max_workers = 1, .name = "mine"});
    auto before = set_default_executor(mine);
    auto body = []() -> Task<void> {
        EXPECT_EQ(co_await to_thread(add, 1, 2), 3);
        EXPECT_EQ(co_await run_in_executor(nullptr, add, 1, 2), 3);
    };
    run(body());
    EXPECT_EQ(mine->statistics().completed, 2u);
    EXPECT_EQ(set_default_executor(before), mine);
}

// Forms that must not compile are refused by a static_assert inside make_offload(), so no
// expression can ask for them; what decides is asked here.
TEST(RunInExecutor, KeepsCallablesAsDocumented) {
    struct MoveOnly {
        std::unique_ptr<int> owned;
        void operator()() {}
    };
    using internal::KeptCallable;
    static_assert(std::is_same_v<KeptCallable<int (&)(int, int)>, int (*)(int, int)>);
    static_assert(std::is_same_v<KeptCallable<MoveOnly&>, std::reference_wrapper<MoveOnly>>);
    auto owning = [text = std::string()] { return text.size(); };
    static_assert(std::is_same_v<KeptCallable<decltype(owning)&>, decltype(owning)>);
    static_assert(internal::takes_stop_token<void (*)(std::stop_token, int), int>);
    static_assert(!internal::takes_stop_token<void (*)(int), int>);
    // A parameter that is a non-const reference does not take a stored argument.
    static_assert(!std::is_invocable_v<void (*)(int&), internal::Delivered<int>>);
    static_assert(
        std::is_invocable_v<void (*)(int&), internal::Delivered<std::reference_wrapper<int>>>);
}

ContextVar<std::string> request_id("request_id", "none");

// What it sees, and then sets for itself.
std::string rename_request(std::string to) {
    std::string seen = request_id.get();
    request_id.set(std::move(to));
    return seen + " " + request_id.get();
}

TEST(RunInExecutor, TheFunctionHasTheContextOfTheTaskAndKeepsItsChanges) {
    auto body = []() -> Task<void> {
        ThreadPoolExecutor pool({.max_workers = 1});
        EXPECT_EQ(co_await run_in_executor(pool, rename_request, "a"), "none a");
        request_id.set("mine");
        EXPECT_EQ(co_await run_in_executor(pool, rename_request, "b"), "mine b");
        EXPECT_EQ(co_await to_thread(rename_request, "c"), "mine c");
        EXPECT_EQ(request_id.get(), "mine");
        auto of_a_child = []() -> Task<std::string> {
            request_id.set("child");
            co_return co_await to_thread(rename_request, "d");
        };
        auto [child, own] = co_await gather(of_a_child(), to_thread(rename_request, "e"));
        EXPECT_EQ(child, "child d");
        EXPECT_EQ(own, "mine e");
    };
    run(body());
    EXPECT_THROW(request_id.set("outside"), Error);
}

TEST(RunInExecutor, AJobThatNeverRunsGivesItsContextBack) {
    static ContextVar<std::shared_ptr<int>> shared("shared");
    auto value = std::make_shared<int>(5);
    auto body = [&]() -> Task<void> {
        shared.set(value);
        ThreadPoolExecutor pool({.max_workers = 1, .max_queue = 1});
        std::latch open(1);
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(
                [](ThreadPoolExecutor& its_pool, std::latch& its_latch) -> Task<void> {
                    co_await run_in_executor(its_pool, [&] { its_latch.wait(); });
                },
                std::ref(pool), std::ref(open));
            while (pool.statistics().running == 0) co_await sleep(0s);
            bool in_time = co_await move_on_after(1ms, [&]() -> Task<void> {
                co_await run_in_executor(pool, [] { ADD_FAILURE() << "ran"; });
            });
            EXPECT_FALSE(in_time);
            open.count_down();
        });
    };
    run(body());
    EXPECT_EQ(value.use_count(), 1);
}

}  // namespace
}  // namespace coracle
