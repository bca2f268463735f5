// SPDX-License-Identifier: Apache-2.0
// ShutdownGuard: ends the process when a shutdown outlasts its deadline.
#pragma once

#include <coracle/base/clock.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace coracle::web::internal {

// A thread of its own, because what it guards against is a loop that is blocked or a function in a
// pool that cannot be interrupted. Real time.
class ShutdownGuard {
  public:
    // `exit_code` is read when the process has to leave.
    explicit ShutdownGuard(const std::atomic<int>& exit_code) noexcept : exit_code_(exit_code) {}
    ShutdownGuard(const ShutdownGuard&) = delete;
    ShutdownGuard& operator=(const ShutdownGuard&) = delete;
    ~ShutdownGuard() { disarm(); }

    // The process has `span` left: after it, what is still running is logged about, and the process
    // leaves without destructors. Called again, the earlier end counts.
    void arm(Duration span);
    // The shutdown is over.
    void disarm();

  private:
    void watch();

    const std::atomic<int>& exit_code_;
    std::mutex mutex_;
    std::condition_variable changed_;
    TimePoint deadline_ = no_deadline;
    bool over_ = false;
    std::thread thread_;
};

}  // namespace coracle::web::internal
