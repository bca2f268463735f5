// SPDX-License-Identifier: Apache-2.0
#include <coracle/base/intrusive_list.h>

#include <gtest/gtest.h>

namespace coracle {
namespace {

struct Element : ListLink<> {
    explicit Element(int v) : value(v) {}
    int value;
};

TEST(IntrusiveList, IsFirstInFirstOut) {
    Element one(1), two(2), three(3);
    IntrusiveList<Element> list;
    list.push_back(one);
    list.push_back(two);
    list.push_front(three);
    EXPECT_EQ(list.size(), 3u);
    EXPECT_EQ(list.pop_front()->value, 3);
    EXPECT_EQ(list.pop_front()->value, 1);
    EXPECT_EQ(list.pop_front()->value, 2);
    EXPECT_EQ(list.pop_front(), nullptr);
}

TEST(IntrusiveList, AnElementThatDiesLeavesTheList) {
    IntrusiveList<Element> list;
    Element first(1);
    list.push_back(first);
    {
        Element second(2);
        list.push_back(second);
        EXPECT_EQ(list.back().value, 2);
    }
    EXPECT_EQ(list.size(), 1u);
    first.unlink();
    EXPECT_TRUE(list.empty());
    EXPECT_FALSE(first.is_linked());
}

}  // namespace
}  // namespace coracle
