// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/run_coroutine_threadsafe.h>

#include <coracle/core/run.h>
#include <coracle/core/sleep.h>

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace coracle {
namespace {

Task<std::string> greet(std::string name, std::unique_ptr<int> times) {
    co_await sleep(1ms);
    std::string text;
    for (int i = 0; i < *times; ++i) text += name;
    co_return text;
}

Task<void> fail() {
    co_await sleep(0s);
    throw std::runtime_error("no");
}

TEST(RunCoroutineThreadsafe, GivesAThreadTheResultOrTheException) {
    EventLoop loop;
    std::thread other([&] {
        auto greeting =
            run_coroutine_threadsafe(loop, greet, std::string("ab"), std::make_unique<int>(2));
        EXPECT_EQ(greeting.result(), "abab");
        EXPECT_TRUE(greeting.done());
        auto failing = run_coroutine_threadsafe(loop, fail);
        failing.wait();
        EXPECT_THROW(failing.result(), std::runtime_error);
        auto endless = run_coroutine_threadsafe(loop, []() -> Task<void> { co_await sleep(1h); });
        EXPECT_FALSE(endless.wait_for(1ms));
        endless.cancel("enough");
        try {
            endless.result();
            ADD_FAILURE() << "it was not cancelled";
        } catch (const TaskCancelledError& error) {
            EXPECT_STREQ(error.what(), "the task was cancelled: enough");
        }
        loop.stop_threadsafe();
    });
    loop.run_forever();
    other.join();
}

TEST(RunCoroutineThreadsafe, ALoopThatEndsCancels) {
    auto loop = std::make_unique<EventLoop>();
    auto endless = run_coroutine_threadsafe(*loop, []() -> Task<void> { co_await sleep(1h); });
    loop.reset();
    EXPECT_THROW(endless.result(), TaskCancelledError);
}

TEST(RunCoroutineThreadsafeDeathTest, DoesNotBlockALoop) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    auto body = []() -> Task<void> {
        auto future = run_coroutine_threadsafe(EventLoop::current(), fail);
        future.result();
        co_return;
    };
    EXPECT_DEATH(run(body()), "would block the loop of this thread");
}

}  // namespace
}  // namespace coracle
