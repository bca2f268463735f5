// SPDX-License-Identifier: Apache-2.0
// In every test program that has loops: they run on what CORACLE_LOOP says, and how many tests did
// is said at the end.
#include <coracle/core/internal/backend_counts.h>
#include <coracle/core/loop.h>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace coracle {
namespace {

constexpr std::array<std::string_view, 4> names = {"epoll", "io_uring", "libuv", "virtual"};

// A test runs on each backend that it made a loop on.
class Report : public testing::EmptyTestEventListener {
  public:
    void OnTestStart(const testing::TestInfo&) override {
        for (std::size_t i = 0; i < names.size(); ++i) {
            before_[i] = internal::loops_made_on(names[i]);
        }
    }

    void OnTestEnd(const testing::TestInfo&) override {
        ++tests_;
        bool any = false;
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (internal::loops_made_on(names[i]) == before_[i]) continue;
            ++ran_on_[i];
            any = true;
        }
        if (!any) ++without_;
    }

    void print(std::string_view expected) const {
        std::printf("loops on %s: %d tests, of which", std::string(expected).c_str(), tests_);
        for (std::size_t i = 0; i < names.size(); ++i) {
            std::printf(" %d on %s,", ran_on_[i], std::string(names[i]).c_str());
        }
        std::printf(" %d without a loop\n", without_);
    }

  private:
    std::array<std::uint64_t, names.size()> before_{};
    std::array<int, names.size()> ran_on_{};
    int tests_ = 0;
    int without_ = 0;
};

// Epoll where the variable is not set. No fallback counts: that would be a run of something else.
class OnWhatWasAskedFor : public testing::Environment {
  public:
    explicit OnWhatWasAskedFor(Report& report) : report_(report) {
        const char* variable = std::getenv("CORACLE_LOOP");
        if (variable && *variable) expected_ = variable;
    }

    // A failure here and no test runs.
    void SetUp() override { ASSERT_EQ(EventLoop().backend_name(), expected_); }
    void TearDown() override { report_.print(expected_); }

  private:
    Report& report_;
    std::string expected_ = "epoll";
};

[[maybe_unused]] const bool added = [] {
    auto* report = new Report;  // googletest owns both
    testing::UnitTest::GetInstance()->listeners().Append(report);
    testing::AddGlobalTestEnvironment(new OnWhatWasAskedFor(*report));
    return true;
}();

}  // namespace
}  // namespace coracle
