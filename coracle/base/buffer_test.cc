// SPDX-License-Identifier: Apache-2.0
#include <coracle/base/buffer.h>

#include <gtest/gtest.h>

#include <string>

namespace coracle {
namespace {

TEST(Buffer, ConsumesWhatWasAppendedInOrder) {
    Buffer buffer;
    std::string expected;
    std::size_t taken = 0;
    for (int i = 0; i < 2000; ++i) {
        std::string piece(static_cast<std::size_t>(i % 37), static_cast<char>('a' + i % 26));
        expected += piece;
        buffer.append(piece);
        std::size_t drop = std::min<std::size_t>(buffer.size(), static_cast<std::size_t>(i % 23));
        EXPECT_EQ(buffer.view().substr(0, drop), std::string_view(expected).substr(taken, drop));
        buffer.consume(drop);
        taken += drop;
        ASSERT_EQ(buffer.view(), std::string_view(expected).substr(taken));
    }
}

TEST(Buffer, ReusesConsumedSpaceInsteadOfGrowing) {
    Buffer buffer;
    for (int i = 0; i < 10'000; ++i) {
        buffer.append("0123456789");
        buffer.consume(10);
    }
    EXPECT_LE(buffer.capacity(), 512u);
}

TEST(Buffer, ReleaseGivesMemoryBack) {
    Buffer buffer;
    buffer.append("hello");
    buffer.release();
    EXPECT_TRUE(buffer.empty());
    EXPECT_EQ(buffer.capacity(), 0u);
    buffer.append("again");
    EXPECT_EQ(buffer.view(), "again");
}

}  // namespace
}  // namespace coracle
