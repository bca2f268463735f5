// SPDX-License-Identifier: Apache-2.0
// run(): from main() into a task and back.
#pragma once

#include <coracle/core/loop.h>
#include <coracle/core/task.h>

#include <csignal>
#include <utility>

namespace coracle {

namespace internal {

// Cancels a scope on the first SIGINT; a second one gets the signal's default and ends the process.
class InterruptGuard {
  public:
    explicit InterruptGuard(EventLoop& loop);
    ~InterruptGuard();
    InterruptGuard(const InterruptGuard&) = delete;
    InterruptGuard& operator=(const InterruptGuard&) = delete;

  private:
    EventLoop& loop_;
};

}  // namespace internal

// Makes a loop, runs the task to its end, cancels and joins what is left, and returns the result or
// throws the task's exception. Ctrl-C cancels everything with reason "interrupted"; if nothing else
// came of it, run() throws TaskCancelledError. Not inside another run().
//
//   int main() { return run(serve()); }
template <class T>
T run(Task<T> task, LoopOptions options = {}) {
    EventLoop loop(options);
    internal::InterruptGuard interrupt(loop);
    return loop.run_until_complete(std::move(task));
}

}  // namespace coracle
