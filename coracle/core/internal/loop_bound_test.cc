// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/internal/loop_bound.h>

#include <coracle/core/event.h>
#include <coracle/core/loop.h>
#include <coracle/core/queue.h>
#include <coracle/core/run.h>

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace coracle {
namespace {

// Runs `use` on this thread while a loop that has used the event and the queue runs on another.
template <class Use>
void use_beside_the_loop(Use use) {
    set_debug(true);
    std::atomic<EventLoop*> running{nullptr};
    Event event;
    Queue<int> queue(1);
    std::thread other([&] {
        EventLoop loop;
        loop.call_soon([&] {
            event.clear();
            queue.get_nowait();
            running = &loop;
        });
        loop.run_forever();
    });
    while (!running) std::this_thread::yield();
    use(*running, event, queue);
    running.load()->stop_threadsafe();
    other.join();
}

TEST(LoopBoundDeathTest, AnotherThreadIsOneClearAbort) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(use_beside_the_loop([](EventLoop&, Event& event, Queue<int>&) { event.set(); }),
                 "an Event, created in .*loop_bound_test.cc:[0-9]+\\), was used from a thread "
                 "that is not its loop's");
    EXPECT_DEATH(
        use_beside_the_loop([](EventLoop&, Event&, Queue<int>& queue) { queue.put_nowait(1); }),
        "a queue, created in .*loop_bound_test.cc");
    EXPECT_DEATH(
        use_beside_the_loop([](EventLoop& loop, Event&, Queue<int>&) { loop.call_soon([] {}); }),
        "an EventLoop \\(call_soon\\), created in .*loop_bound_test.cc");
}

TEST(LoopBound, AnObjectMayMoveOnWhenItsLoopHasEnded) {
    set_debug(true);
    Event event;
    auto set_and_clear = [&]() -> Task<void> {
        event.set();
        co_await event.wait();
        event.clear();
    };
    run(set_and_clear());
    std::thread([&] { run(set_and_clear()); }).join();
    event.set();  // no loop runs here
    run(set_and_clear());
    EXPECT_FALSE(event.is_set());
}

}  // namespace
}  // namespace coracle
