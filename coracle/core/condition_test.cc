// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/condition.h>

#include <coracle/core/cancel.h>
#include <coracle/core/internal/frame_allocator.h>
#include <coracle/core/scope.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>
#include <coracle/testing/seeds.h>
#include <coracle/testing/virtual_loop.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <vector>

namespace coracle {
namespace {

struct Store {
    Condition changed;
    int stock = 0;
    int sold = 0;
    std::vector<int> order;
};

Task<void> buy(Store& store, int number) {
    auto guard = co_await store.changed.lock();
    co_await store.changed.wait_for(guard, [&] { return store.stock > 0; });
    --store.stock;
    ++store.sold;
    store.order.push_back(number);
}

TEST(Condition, WakesThoseWhoHaveWaitedLongest) {
    auto body = []() -> Task<void> {
        Store store;
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            for (int i = 0; i < 4; ++i) group.create_task(buy, std::ref(store), i);
            co_await testing::wait_all_tasks_blocked();
            EXPECT_EQ(store.changed.statistics().waiting, 4u);
            {
                auto guard = co_await store.changed.lock();
                store.stock = 2;
                store.changed.notify(2);
                EXPECT_EQ(store.changed.statistics().lock.waiting, 0u);
            }
            co_await testing::wait_all_tasks_blocked();
            EXPECT_EQ(store.order, (std::vector<int>{0, 1}));
            auto guard = co_await store.changed.lock();
            store.stock = 2;
            store.changed.notify_all();
        });
        EXPECT_EQ(store.order, (std::vector<int>{0, 1, 2, 3}));
    };
    testing::run(body());
}

TEST(Condition, TwoShareALock) {
    auto body = []() -> Task<void> {
        Lock lock;
        Condition odd(lock), even(lock);
        int n = 0;
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(
                [](Condition& mine, Condition& other, int& count) -> Task<void> {
                    auto guard = co_await mine.lock();
                    while (count < 9) {
                        co_await mine.wait_for(guard, [&] { return count % 2 == 1; });
                        ++count;
                        other.notify();
                    }
                },
                std::ref(odd), std::ref(even), std::ref(n));
            auto guard = co_await even.lock();
            while (n < 9) {
                co_await even.wait_for(guard, [&] { return n % 2 == 0; });
                ++n;
                odd.notify();
            }
        });
        EXPECT_EQ(n, 10);
    };
    testing::run(body());
}

TEST(Condition, ACancelledWaitHoldsTheLockAgain) {
    auto body = []() -> Task<void> {
        Condition changed;
        bool held = false;
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(
                [](Condition& c, bool& was_held) -> Task<void> {
                    co_await move_on_after(1s, [&]() -> Task<void> {
                        auto guard = co_await c.lock();
                        try {
                            co_await c.wait(guard);
                        } catch (const Cancelled&) {
                            was_held = guard.is_held();
                            throw;
                        }
                    });
                    EXPECT_EQ(testing::elapsed(), 3s);  // the lock was busy until then
                },
                std::ref(changed), std::ref(held));
            co_await testing::wait_all_tasks_blocked();
            auto guard = co_await changed.lock();
            co_await sleep(3s);
        });
        EXPECT_TRUE(held);
        EXPECT_FALSE(changed.statistics().lock.locked);
    };
    testing::run(body());
}

TEST(Condition, ANotifiedWaitReturnsThoughItIsCancelledThen) {
    auto body = []() -> Task<void> {
        Store store;
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            auto unlucky = group.create_task(buy, std::ref(store), 1);
            group.create_task(buy, std::ref(store), 2);
            co_await testing::wait_all_tasks_blocked();
            {
                auto guard = co_await store.changed.lock();
                store.stock = 1;
                store.changed.notify();
                unlucky.cancel();
            }
            co_await testing::wait_all_tasks_blocked();
            EXPECT_EQ(store.order, std::vector<int>{1});
            group.cancel();
        });
        EXPECT_EQ(store.stock, 0);
    };
    testing::run(body());
}

TEST(ConditionDeathTest, RefusesAWrongGuardAndANotifyWithoutTheLock) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    auto foreign = []() -> Task<void> {
        Condition changed;
        Lock other;
        auto guard = co_await other.lock();
        co_await changed.wait(guard);
    };
    EXPECT_DEATH(testing::run(foreign()), "is_held_by");
    EXPECT_DEATH(Condition().notify(), "locked");
}

Task<void> buy_impatiently(Store& store, int wanted, std::mt19937_64& random) {
    while (wanted > 0) {
        co_await move_on_after(std::chrono::milliseconds(random() % 4), [&]() -> Task<void> {
            co_await buy(store, 0);
            --wanted;
        });
    }
}

Task<void> deliver(Store& store, int goods, std::mt19937_64& random) {
    while (goods-- > 0) {
        co_await sleep(std::chrono::milliseconds(random() % 3));
        auto guard = co_await store.changed.lock();
        ++store.stock;
        store.changed.notify();
    }
}

// One notification per item, and every item must be sold: a notification that a cancelled buyer
// took with it would leave the patient ones waiting, which the virtual loop reports as a deadlock.
TEST(Condition, LosesNoNotificationUnderAnySchedule) {
    testing::for_each_seed(
        [](std::uint64_t seed) {
            long frames = internal::live_frames();
            std::mt19937_64 random(seed);
            auto body = [&]() -> Task<void> {
                Store store;
                co_await task_group([&](TaskGroup& group) -> Task<void> {
                    for (int i = 0; i < 3; ++i) {
                        group.create_task(buy_impatiently, std::ref(store), 3, std::ref(random));
                        group.create_task(buy, std::ref(store), i);
                        group.create_task(deliver, std::ref(store), 4, std::ref(random));
                    }
                    co_return;
                });
                EXPECT_EQ(store.sold, 12);
                EXPECT_EQ(store.stock, 0);
            };
            testing::run(body(), {.seed = seed});
            EXPECT_EQ(internal::live_frames(), frames);
        },
        {.failed = ::testing::Test::HasFailure});
}

TEST(Condition, WaitForIsACheckpointAlsoWhenThePredicateHolds) {
    auto body = []() -> Task<void> {
        Condition changed;
        bool went_on = false;
        co_await cancel_scope([&](CancelScope& scope) -> Task<void> {
            auto guard = co_await changed.lock();
            scope.cancel();
            co_await changed.wait_for(guard, [] { return true; });
            went_on = true;
        });
        EXPECT_FALSE(went_on);
        EXPECT_FALSE(changed.statistics().lock.locked);
    };
    testing::run(body());
}

}  // namespace
}  // namespace coracle
