// SPDX-License-Identifier: Apache-2.0
#include <coracle/base/log.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace coracle {
namespace {

class LogTest : public ::testing::Test {
  protected:
    void SetUp() override {
        log::set_sink([this](log::Level, std::string_view logger, std::string_view text) {
            lines.push_back(std::string(logger) + ": " + std::string(text));
        });
    }
    void TearDown() override {
        log::set_sink({});
        log::set_level(log::Level::info);
    }
    std::vector<std::string> lines;
};

TEST_F(LogTest, ControlBytesCannotForgeALine) {
    log::info("web", "GET /a\r\nfake line\x1b[31m");
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_EQ(lines[0], "web: GET /a\\x0d\\x0afake line\\x1b[31m");
}

TEST_F(LogTest, EventsBelowTheLevelAreDropped) {
    log::debug("web", "quiet");
    log::set_level(log::Level::debug);
    log::debug("web", "loud");
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_EQ(lines[0], "web: loud");
}

}  // namespace
}  // namespace coracle
