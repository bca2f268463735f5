// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/percent.h>

#include <gtest/gtest.h>

#include <string>

namespace coracle::http {
namespace {

TEST(Percent, DecodesOnce) {
    EXPECT_EQ(percent_decode("a%20b%2520c+d"), "a b%20c+d");
    EXPECT_EQ(form_decode("a%20b%2520c+d%2B"), "a b%20c d+");
    EXPECT_EQ(percent_decode("%"), "%");
    EXPECT_EQ(percent_decode("%4"), "%4");
    EXPECT_EQ(percent_decode("%4g%g4%%41"), "%4g%g4%A");
    EXPECT_EQ(percent_decode("%C3%a9"), "\xC3\xA9");
}

TEST(Percent, EncodesWhatDecodingGivesBack) {
    std::string every;
    for (unsigned byte = 0; byte < 256; ++byte) every.push_back(static_cast<char>(byte));
    EXPECT_EQ(percent_decode(percent_encode(every)), every);
    EXPECT_EQ(percent_decode(percent_encode_path(every)), every);
    EXPECT_EQ(percent_encode("a b/c~d"), "a%20b%2Fc~d");
    EXPECT_EQ(percent_encode_path("/a b/?#%"), "/a%20b/%3F%23%25");
}

}  // namespace
}  // namespace coracle::http
