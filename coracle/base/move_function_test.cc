// SPDX-License-Identifier: Apache-2.0
#include <coracle/base/move_function.h>

#include <gtest/gtest.h>

#include <array>
#include <memory>

namespace coracle {
namespace {

TEST(MoveFunction, HoldsMoveOnlyCallables) {
    MoveFunction<int(int)> add = [base = std::make_unique<int>(40)](int n) { return *base + n; };
    MoveFunction<int(int)> moved = std::move(add);
    EXPECT_FALSE(add);
    EXPECT_EQ(moved(2), 42);
}

TEST(MoveFunction, DestroysTheCallableExactlyOnce) {
    auto counter = std::make_shared<int>(0);
    {
        std::array<char, 100> padding{};
        MoveFunction<std::size_t()> large = [counter, padding] { return padding.size(); };
        MoveFunction<long()> small = [counter] { return counter.use_count(); };
        EXPECT_EQ(counter.use_count(), 3);
        MoveFunction<std::size_t()> other = std::move(large);
        other = nullptr;
        EXPECT_EQ(small(), 2);
    }
    EXPECT_EQ(counter.use_count(), 1);
}

TEST(MoveFunctionDeathTest, CallingAnEmptyOneAborts) {
    MoveFunction<void()> empty;
    EXPECT_DEATH(empty(), "assertion failed");
}

}  // namespace
}  // namespace coracle
