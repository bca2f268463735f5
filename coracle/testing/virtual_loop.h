// SPDX-License-Identifier: Apache-2.0
// A loop on a virtual clock: time jumps when every task waits, and a deadlock is an exception.
#pragma once

#include <coracle/base/clock.h>
#include <coracle/base/error.h>
#include <coracle/base/intrusive_list.h>
#include <coracle/core/loop.h>
#include <coracle/core/park.h>
#include <coracle/core/task.h>

#include <coroutine>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace coracle::testing {

// Every task waits, no timer is set, and nothing outside of the loop will wake it.
class Deadlock : public Error {
  public:
    // what() is one sentence and the tasks as they stood, see task_tree().
    explicit Deadlock(const std::string& tree);
};

struct TestOptions {
    // Non-zero: ready tasks run in an order drawn from it. See for_each_seed().
    std::uint64_t seed = 0;
    // How long, in real time, the loop waits for something outside (a pool's thread) before it
    // calls that a deadlock too.
    Duration external_limit = 30s;
};
static_assert(std::is_trivially_copyable_v<TestOptions>);

// Virtual time. Starts at a fixed moment, stands still while tasks run, and jumps to the next timer
// when all of them wait.
class FakeClock final : public ClockSource {
  public:
    static constexpr TimePoint start = TimePoint(std::chrono::hours(1));

    TimePoint now() override { return now_; }
    // Since the clock was made.
    Duration elapsed() const noexcept { return now_ - start; }
    // Lets time pass by hand. Timers fire when no task is ready any more.
    void advance(Duration span) noexcept { now_ = saturating_add(now_, span); }
    // Never backwards.
    void advance_to(TimePoint moment) noexcept {
        if (moment > now_) now_ = moment;
    }

  private:
    TimePoint now_ = start;
};

// Virtual time since the running VirtualLoop was made. Throws Error on any other loop.
Duration elapsed();

// An EventLoop on a FakeClock, without sockets: registering a descriptor throws Error. Threads may
// wake it as they wake any loop; while external_pending() is above zero it really waits for them,
// and time stands still.
class VirtualLoop {
  public:
    explicit VirtualLoop(TestOptions options = {});
    VirtualLoop(const VirtualLoop&) = delete;
    VirtualLoop& operator=(const VirtualLoop&) = delete;
    ~VirtualLoop();

    // Runs the task to its end and gives its result or exception. On a deadlock every task is
    // cancelled with reason "deadlock"; when this one has ended, Deadlock is thrown, whatever it
    // made of it. Tasks that do not end then are named and abort.
    template <class T>
    T run(Task<T> task);

    EventLoop& loop() noexcept { return *loop_; }
    FakeClock& clock() noexcept { return clock_; }

  private:
    class Backend;
    friend class AllTasksBlocked;
    friend Duration elapsed();
    static Backend& current_backend();
    void throw_if_deadlocked();

    FakeClock clock_;
    Backend* backend_ = nullptr;  // owned by the loop
    std::unique_ptr<EventLoop> loop_;
};

// What wait_all_tasks_blocked() returns.
class [[nodiscard]] AllTasksBlocked final : public Park, public ListLink<> {
  public:
    AllTasksBlocked() noexcept = default;

    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> frame) {
        if (!checkpoint(frame)) return false;
        enqueue();
        return wait();
    }
    void await_resume() const { finish(); }

    bool withdraw() noexcept override;
    std::string describe() const override;

  private:
    friend class VirtualLoop;
    void enqueue();
};

// Returns once every other task of this virtual loop waits, before time moves: the way to let
// others get as far as they can without a sleep.
//
//   group.create_task(consumer, std::ref(queue));
//   co_await testing::wait_all_tasks_blocked();          // it now waits in queue.get()
inline AllTasksBlocked wait_all_tasks_blocked() noexcept { return AllTasksBlocked(); }

// Runs a task on a VirtualLoop of its own.
//
//   testing::run(body());                         // sleep(1h) inside takes microseconds
//   testing::run(body(), {.seed = seed});
template <class T>
T run(Task<T> task, TestOptions options = {}) {
    VirtualLoop loop(options);
    return loop.run(std::move(task));
}

// Implementation

template <class T>
T VirtualLoop::run(Task<T> task) {
    try {
        if constexpr (std::is_void_v<T>) {
            loop_->run_until_complete(std::move(task));
            throw_if_deadlocked();
        } else {
            T result = loop_->run_until_complete(std::move(task));
            throw_if_deadlocked();
            return result;
        }
    } catch (...) {
        throw_if_deadlocked();
        throw;
    }
}

}  // namespace coracle::testing
