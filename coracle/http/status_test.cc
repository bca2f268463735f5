// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/status.h>

#include <gtest/gtest.h>

#include <string>

namespace coracle::http {
namespace {

TEST(Status, HasARegisteredPhrase) {
    EXPECT_EQ(reason_phrase(Status::OK), "OK");
    EXPECT_EQ(reason_phrase(Status::URITooLong), "URI Too Long");
    EXPECT_EQ(reason_phrase(418), "");
    int registered = 0;
    for (int status = 0; status < 1000; ++status)
        registered += reason_phrase(status).empty() ? 0 : 1;
    EXPECT_EQ(registered, 61);
    EXPECT_TRUE(status_forbids_body(304));
    EXPECT_FALSE(status_forbids_body(205));
}

}  // namespace
}  // namespace coracle::http
