// SPDX-License-Identifier: Apache-2.0
// run(): from main() into a task and back.
#pragma once

#include <coracle/core/loop.h>
#include <coracle/core/scope.h>
#include <coracle/core/task.h>

#include <csignal>
#include <type_traits>
#include <utility>

namespace coracle {

namespace internal {

// Cancels the scope on the first SIGINT; a second one gets the signal's default and ends the
// process.
class InterruptGuard {
  public:
    InterruptGuard(EventLoop& loop, CancelScope& scope);
    ~InterruptGuard();
    InterruptGuard(const InterruptGuard&) = delete;
    InterruptGuard& operator=(const InterruptGuard&) = delete;

  private:
    EventLoop& loop_;
};

// Runs the task so that Ctrl-C cancels it alone.
template <class T>
Task<T> run_interruptible(EventLoop& loop, Task<T> task) {
    auto ended = co_await cancel_scope([&](CancelScope& scope) -> Task<T> {
        InterruptGuard interrupt(loop, scope);
        co_return co_await std::move(task);
    });
    if (!ended) throw TaskCancelledError("interrupted");
    if constexpr (!std::is_void_v<T>) co_return std::move(*ended);
}

}  // namespace internal

// Makes a loop, runs the task to its end, cancels and joins what is left, and returns the result or
// throws the task's exception. Ctrl-C cancels everything with reason "interrupted"; if nothing else
// came of it, run() throws TaskCancelledError. Not inside another run().
//
//   int main() { return run(serve()); }
template <class T>
T run(Task<T> task, LoopOptions options = {}) {
    EventLoop loop(options);
    internal::InterruptGuard interrupt(loop, loop.root_scope());
    return loop.run_until_complete(std::move(task));
}

// asyncio's Runner: several runs on one loop, for programs that are not a single task. What one run
// leaves running goes on in the next, and is cancelled and joined by the destructor. Ctrl-C cancels
// the task of the run, which then throws TaskCancelledError if nothing else came of it; the loop
// can run another.
//
//   Runner runner;
//   auto session = runner.run(connect());
//   runner.run(serve(session));
class Runner {
  public:
    explicit Runner(LoopOptions options = {}) : loop_(options) {}

    template <class T>
    T run(Task<T> task) {
        return loop_.run_until_complete(internal::run_interruptible(loop_, std::move(task)));
    }

    EventLoop& loop() noexcept { return loop_; }

  private:
    EventLoop loop_;
};

}  // namespace coracle
