// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/task_group.h>

#include <coracle/core/run.h>
#include <coracle/core/scope.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_tree.h>
#include <coracle/testing/virtual_loop.h>

#include <gtest/gtest.h>

#include <memory>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace coracle {
namespace {

Task<void> append_later(std::vector<int>& out, int value, Duration after) {
    co_await sleep(after);
    out.push_back(value);
}

Task<void> sleep_for_ever(bool& cancelled) {
    try {
        co_await sleep(1h);
    } catch (const Cancelled&) {
        cancelled = true;
        throw;
    }
}

Task<void> fail_with(std::string message) {
    co_await sleep(0s);
    throw std::runtime_error(message);
}

Task<void> count_bytes(std::size_t& out, std::string_view text, const std::string& more) {
    co_await sleep(0s);
    out = text.size() + more.size();
}

struct Counter {
    int total = 0;
    Task<void> add(int n, std::unique_ptr<int> more) {
        co_await sleep(0s);
        total += n + *more;
    }
};

// What create_task() refuses: a reference to what the argument would have to be converted to.
using ByReference = Task<void> (*)(const std::string&, int);
using ByValue = Task<void> (*)(std::string, const int&);
struct Derived : std::string {};
struct Holder {
    Task<void> take(const std::string&) const;
};
static_assert(internal::dangles<ByReference, const char*, int>);
static_assert(internal::dangles<ByReference&, const char (&)[4], int>);
static_assert(!internal::dangles<ByReference, std::string, int>);
static_assert(!internal::dangles<ByReference, Derived&, long>);
static_assert(!internal::dangles<ByReference, std::reference_wrapper<std::string>, int>);
static_assert(!internal::dangles<ByValue, const char*, int>);
static_assert(internal::dangles<ByValue, const char*, long>);
static_assert(internal::dangles<decltype(&Holder::take), Holder*, const char*>);
static_assert(!internal::dangles<decltype(&Holder::take), Holder*, std::string>);
inline constexpr auto by_lambda = [](std::string&&) -> Task<void> { co_return; };
static_assert(internal::dangles<decltype(by_lambda), const char*>);
static_assert(!internal::dangles<decltype(by_lambda), std::string>);
inline constexpr auto generic = [](const auto&) -> Task<void> { co_return; };
static_assert(!internal::dangles<decltype(generic), const char*>);

TEST(TaskGroup, EndsWhenEveryChildHas) {
    std::vector<int> out;
    run([](std::vector<int>& values) -> Task<void> {
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(append_later, std::ref(values), 2, Duration(2ms));
            group.create_task(append_later, std::ref(values), 1, Duration(1ms));
            EXPECT_EQ(group.size(), 2u);
            co_return;
        });
        EXPECT_EQ(values.size(), 2u);
    }(out));
    EXPECT_EQ(out, (std::vector<int>{1, 2}));
}

TEST(TaskGroup, ArgumentsLiveAsLongAsTheTask) {
    std::size_t size = 0;
    Counter counter;
    run([](std::size_t& out, Counter& object) -> Task<void> {
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(count_bytes, std::ref(out), "abc", std::string(60, 'y'));
            group.create_task(&Counter::add, std::ref(object), 2, std::make_unique<int>(40));
            group.create_task(&Counter::add, &object, 1, std::make_unique<int>(0));
            co_return;
        });
    }(size, counter));
    EXPECT_EQ(size, 63u);
    EXPECT_EQ(counter.total, 43);
}

TEST(TaskGroup, FirstErrorCancelsSiblingsAndIsRethrown) {
    bool cancelled = false;
    auto body = [&]() -> Task<void> {
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(sleep_for_ever, std::ref(cancelled));
            group.create_task(fail_with, "boom");
            co_await sleep(1h);
        });
    };
    try {
        run(body());
        FAIL() << "the error was lost";
    } catch (const std::runtime_error& error) {
        EXPECT_STREQ(error.what(), "boom");
    }
    EXPECT_TRUE(cancelled);
}

TEST(TaskGroup, SeveralErrorsBecomeAnExceptionGroup) {
    auto body = []() -> Task<void> {
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(fail_with, "first");
            group.create_task(fail_with, "second");
            co_return;
        });
    };
    try {
        run(body());
        FAIL() << "the errors were lost";
    } catch (const ExceptionGroup& group) {
        EXPECT_EQ(group.exceptions().size(), 2u);
        EXPECT_STREQ(group.what(),
                     "2 tasks failed: std::runtime_error: first; std::runtime_error: second");
    }
}

TEST(TaskGroup, CancelEndsItWithoutAnError) {
    bool cancelled = false;
    auto body = [&]() -> Task<int> {
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(sleep_for_ever, std::ref(cancelled));
            co_await sleep(0s);
            group.cancel();
            co_await sleep(1h);
        });
        co_await sleep(0s);
        co_return 7;
    };
    EXPECT_EQ(run(body()), 7);
    EXPECT_TRUE(cancelled);
}

TEST(TaskGroup, HandlesCancelOneTaskAlone) {
    bool first = false, second = false;
    auto body = [&]() -> Task<void> {
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            auto one = group.create_task(sleep_for_ever, std::ref(first));
            auto two = group.create_task(sleep_for_ever, std::ref(second));
            co_await sleep(0s);
            one.cancel("not needed");
            bool thrown = false;
            try {
                co_await one;
            } catch (const TaskCancelledError& error) {
                thrown = true;
                EXPECT_NE(std::string(error.what()).find("not needed"), std::string::npos);
            }
            EXPECT_TRUE(thrown);
            EXPECT_TRUE(one.cancelled());
            EXPECT_FALSE(second);
            EXPECT_FALSE(two.done());
            group.cancel();
        });
    };
    run(body());
    EXPECT_TRUE(first);
    EXPECT_TRUE(second);
}

TEST(TaskGroup, HandlesGiveTheResult) {
    auto body = []() -> Task<int> {
        int sum = 0;
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            auto twenty = group.create_task(
                [](int n) -> Task<int> {
                    co_await sleep(0s);
                    co_return n;
                },
                20);
            sum += co_await twenty;
            EXPECT_TRUE(twenty.done());
        });
        co_return sum;
    };
    EXPECT_EQ(run(body()), 20);
}

TEST(TaskGroup, TheBodysValueIsReturned) {
    auto body = []() -> Task<std::string> {
        co_return co_await task_group([&](TaskGroup&) -> Task<std::string> { co_return "value"; });
    };
    EXPECT_EQ(run(body()), "value");
}

Task<void> serve_after(Duration span, const std::string& name, TaskStarted<std::string> started) {
    co_await sleep(span);
    started(name + " is ready");
    co_await sleep(span);
    throw std::runtime_error("later");
}

TEST(TaskGroup, StartWaitsUntilTheChildIsReady) {
    auto body = []() -> Task<void> {
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            std::string text =
                co_await group.start<std::string>(serve_after, Duration(2s), std::string("db"));
            EXPECT_EQ(text, "db is ready");
            EXPECT_EQ(testing::elapsed(), 2s);
            EXPECT_EQ(group.size(), 1u);
            co_await group.start([](TaskStarted<> started) -> Task<void> {
                started();
                co_return;
            });
        });
    };
    EXPECT_THROW(testing::run(body()),
                 std::runtime_error);  // what the child threw once it was ready
}

TEST(TaskGroup, StartThrowsWhatTheChildThrewBeforeItWasReady) {
    auto body = []() -> Task<void> {
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            auto fail = [](TaskStarted<int>) -> Task<void> {
                co_await sleep(1s);
                throw std::runtime_error("no");
            };
            EXPECT_THROW(co_await group.start<int>(fail), std::runtime_error);
            auto silent = [](TaskStarted<int>) -> Task<void> { co_return; };
            EXPECT_THROW(co_await group.start<int>(silent), Error);
            EXPECT_EQ(group.size(), 0u);
            co_await sleep(1s);  // the group goes on
        });
        EXPECT_EQ(testing::elapsed(), 2s);
    };
    testing::run(body());
}

TEST(TaskGroup, ACancelledStartEndsTheChild) {
    auto body = []() -> Task<void> {
        bool ended = false;
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            auto slow = [](bool& out, TaskStarted<int> started) -> Task<void> {
                try {
                    co_await sleep(1h);
                } catch (const Cancelled&) {
                    out = true;
                    throw;
                }
                started(1);
            };
            EXPECT_THROW(co_await wait_for(group.start<int>(slow, std::ref(ended)), 1s),
                         TimeoutError);
            EXPECT_TRUE(ended);
            EXPECT_EQ(group.size(), 0u);
        });
        EXPECT_EQ(testing::elapsed(), 1s);
    };
    testing::run(body());
}

TEST(TaskTree, ShowsWhoWaitsWhere) {
    std::string tree;
    bool cancelled = false;
    auto body = [&]() -> Task<void> {
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(sleep_for_ever, std::ref(cancelled)).set_name("sleeper");
            co_await sleep(0s);
            tree = task_tree(EventLoop::current());
            group.cancel();
        });
    };
    run(body());
    EXPECT_NE(tree.find("Task-1"), std::string::npos) << tree;
    EXPECT_NE(tree.find("  sleeper waits for sleep\n    in sleep_for_ever (task_group_test.cc:"),
              std::string::npos)
        << tree;
}

TEST(TaskGroup, ChildrenSeeWhyTheBodyWasCancelled) {
    std::string reason;
    auto child = [](std::string& seen) -> Task<void> {
        try {
            co_await sleep(1h);
        } catch (const Cancelled& cancelled) {
            seen = cancelled.reason();
            throw;
        }
    };
    auto body = [&]() -> Task<void> {
        co_await cancel_scope([&](CancelScope& scope) -> Task<void> {
            co_await task_group([&](TaskGroup& group) -> Task<void> {
                group.create_task(child, std::ref(reason));
                co_await sleep(1s);
                scope.cancel("the user pressed stop");
                co_await sleep(1h);
            });
        });
    };
    testing::run(body());
    EXPECT_EQ(reason, "the user pressed stop");
}

// Only possible by force: task_group() ends when its children have.
TEST(TaskGroupDeathTest, DestroyedWithChildrenNamesWhereItWasCreated) {
    auto abandon = []() -> Task<void> {
        TaskGroup group(internal::this_task(), std::source_location::current());
        group.create_task([]() -> Task<void> { co_await sleep(1h); });
        co_await sleep(0s);
    };
    EXPECT_DEATH(run(abandon()),
                 "a TaskGroup, created in .*task_group_test.cc:[0-9]+\\), was destroyed while it "
                 "had 1 child:");
}

}  // namespace
}  // namespace coracle
