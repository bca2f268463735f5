// SPDX-License-Identifier: Apache-2.0
#include <coracle/testing/seeds.h>

#include <coracle/base/error.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>
#include <coracle/testing/virtual_loop.h>

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace coracle::testing {
namespace {

// Sets a variable for the length of a test, or takes it away.
class Variable {
  public:
    Variable(const char* name, const char* value) : name_(name) {
        if (const char* before = std::getenv(name)) before_ = before;
        set(value);
    }
    ~Variable() { set(before_ ? before_->c_str() : nullptr); }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;

  private:
    void set(const char* value) const {
        if (value) {
            setenv(name_, value, 1);
        } else {
            unsetenv(name_);
        }
    }
    const char* name_;
    std::optional<std::string> before_;
};

bool always() { return true; }

TEST(ForEachSeed, RunsTheSameDistinctSeedsEachTime) {
    Variable one("CORACLE_SEED", nullptr);
    Variable many("CORACLE_SEEDS", nullptr);
    std::vector<std::uint64_t> first, second;
    EXPECT_EQ(for_each_seed([&](std::uint64_t seed) { first.push_back(seed); }, {.count = 20}),
              20u);
    for_each_seed([&](std::uint64_t seed) { second.push_back(seed); }, {.count = 20});
    EXPECT_EQ(first, second);
    EXPECT_EQ(std::set<std::uint64_t>(first.begin(), first.end()).size(), 20u);
    EXPECT_EQ(std::set<std::uint64_t>(first.begin(), first.end()).count(0), 0u);
}

TEST(ForEachSeed, PrintsTheSeedThatThrewAndPassesTheException) {
    Variable one("CORACLE_SEED", nullptr);
    Variable many("CORACLE_SEEDS", nullptr);
    std::uint64_t bad = 0;
    int runs = 0;
    auto body = [&](std::uint64_t seed) {
        if (++runs < 3) return;
        bad = seed;
        throw std::runtime_error("this schedule breaks");
    };
    ::testing::internal::CaptureStderr();
    EXPECT_THROW(for_each_seed(body), std::runtime_error);
    std::string text = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(runs, 3);
    std::string seed = std::to_string(bad);
    EXPECT_EQ(text, "failed with seed " + seed + "; rerun with CORACLE_SEED=" + seed + "\n");
}

TEST(ForEachSeed, PrintsTheSeedWhoseBodyFailedWithoutThrowing) {
    Variable one("CORACLE_SEED", "77");
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(for_each_seed([](std::uint64_t) {}, {.count = 9, .failed = always}), 1u);
    EXPECT_EQ(::testing::internal::GetCapturedStderr(),
              "failed with seed 77; rerun with CORACLE_SEED=77\n");
}

TEST(ForEachSeed, TheEnvironmentChoosesOneSeedOrTheirNumber) {
    std::vector<std::uint64_t> seeds;
    auto note = [&](std::uint64_t seed) { seeds.push_back(seed); };
    {
        Variable one("CORACLE_SEED", "12345");
        for_each_seed(note);
        EXPECT_EQ(seeds, (std::vector<std::uint64_t>{12345}));
    }
    Variable one("CORACLE_SEED", nullptr);
    Variable many("CORACLE_SEEDS", "3");
    EXPECT_EQ(for_each_seed(note, {.count = 1000}), 3u);
    Variable wrong("CORACLE_SEEDS", "lots");
    EXPECT_THROW(for_each_seed(note), Error);
}

// The order in which ten tasks run their first step.
std::vector<int> order_under(std::uint64_t seed) {
    std::vector<int> order;
    auto note = [](int number, std::vector<int>& out) -> Task<void> {
        out.push_back(number);
        co_await sleep(0s);
        out.push_back(number);
    };
    auto body = [&]() -> Task<void> {
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            for (int i = 0; i < 10; ++i) group.create_task(note, i, std::ref(order));
            co_return;
        });
    };
    testing::run(body(), {.seed = seed});
    return order;
}

TEST(SeededScheduler, TheSeedDecidesTheOrder) {
    EXPECT_EQ(order_under(1), order_under(1));
    EXPECT_NE(order_under(1), order_under(2));
    std::vector<int> plain;
    for (int i = 0; i < 20; ++i) plain.push_back(i % 10);
    EXPECT_EQ(order_under(0), plain);
}

// A lost update that only some orders show: the kit must find it.
TEST(SeededScheduler, FindsARaceThatTheUsualOrderHides) {
    Variable one("CORACLE_SEED", nullptr);
    Variable many("CORACLE_SEEDS", nullptr);
    auto run_once = [](std::uint64_t seed) {
        bool ready = false;
        auto prepare = [](bool& flag) -> Task<void> {
            flag = true;
            co_return;
        };
        auto use = [](const bool& flag) -> Task<void> {
            if (!flag) throw std::runtime_error("used before it was prepared");
            co_return;
        };
        auto body = [&]() -> Task<void> {
            co_await task_group([&](TaskGroup& group) -> Task<void> {
                group.create_task(prepare, std::ref(ready));
                group.create_task(use, std::cref(ready));
                co_return;
            });
        };
        testing::run(body(), {.seed = seed});
    };
    EXPECT_NO_THROW(run_once(0));
    ::testing::internal::CaptureStderr();
    EXPECT_THROW(for_each_seed(run_once), std::runtime_error);
    EXPECT_NE(::testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace coracle::testing
