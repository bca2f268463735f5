// SPDX-License-Identifier: Apache-2.0
// What a thread of a pool hands back to a loop.
#pragma once

#include <coracle/core/park.h>

#include <atomic>

namespace coracle {

class EventLoop;

namespace internal {

// Posting to a loop touches the loop after the entry is in its hands: the loop could run the entry,
// finish its last task and be gone before the poster has looked whether it must be woken. So the
// loop waits, in run(), for the moment when the poster has let go of both. That is nanoseconds
// away, a system call at most.
class PostedEntry : public Runnable {
  public:
    // On any thread, once, as its last contact with the entry and the loop.
    void post_to(EventLoop& loop) noexcept;

  protected:
    ~PostedEntry() = default;
    // First in run().
    void wait_until_posted() const noexcept;

  private:
    std::atomic<bool> let_go_{false};
};

}  // namespace internal
}  // namespace coracle
