// SPDX-License-Identifier: Apache-2.0
#include <coracle/base/clock.h>

#include <gtest/gtest.h>

namespace coracle {
namespace {

TEST(Clock, AddingTheLargestSpanMeansNoDeadline) {
    TimePoint start{std::chrono::seconds(5)};
    EXPECT_EQ(saturating_add(start, Duration::max()), no_deadline);
    EXPECT_EQ(saturating_add(start, 3s), TimePoint{8s});
}

TEST(Clock, SpansTooLongForNanosecondsAreHeldAtTheMaximum) {
    EXPECT_EQ(to_duration(std::chrono::hours::max()), Duration::max());
    EXPECT_EQ(to_duration(std::chrono::seconds(2)), Duration(2s));
    EXPECT_EQ(to_duration(std::chrono::duration<double>(0.25)), Duration(250ms));
}

}  // namespace
}  // namespace coracle
