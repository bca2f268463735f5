// SPDX-License-Identifier: Apache-2.0
#include <coracle/base/error.h>

#include <gtest/gtest.h>

#include <cerrno>

namespace coracle {
namespace {

TEST(SystemError, NamesOperationSubjectAndCause) {
    SystemError error("connect 10.0.0.7:443", ECONNREFUSED);
    EXPECT_STREQ(error.what(), "connect 10.0.0.7:443: Connection refused");
    EXPECT_EQ(error.code(), ECONNREFUSED);
}

}  // namespace
}  // namespace coracle
