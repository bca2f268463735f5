// SPDX-License-Identifier: Apache-2.0
// LoopWaiter: a task that waits for something that another thread does.
#pragma once

#include <coracle/core/internal/runnable.h>
#include <coracle/core/park.h>

#include <mutex>

namespace coracle::internal {

// Base of an awaiter that stands in a list which a mutex guards. Whoever completes it, on any
// thread, takes it out of the list, stores the result and calls post(), all under that mutex; the
// task goes on after its loop has taken the mutex once, so the poster has let go of both by then.
class LoopWaiter : public Park, private Runnable {
  public:
    // A waiter that was posted completes later, with its result.
    bool withdraw() noexcept final {
        std::lock_guard guard(mutex_);
        if (!is_queued()) return false;
        leave();
        return true;
    }

  protected:
    explicit LoopWaiter(std::mutex& mutex) noexcept : mutex_(mutex) {}
    ~LoopWaiter() = default;

    void post() noexcept;

  private:
    virtual void leave() noexcept = 0;
    virtual bool is_queued() const noexcept = 0;
    void run() final;

    std::mutex& mutex_;
};

}  // namespace coracle::internal
