// SPDX-License-Identifier: Apache-2.0
// ShutdownGuard: ends the process when a shutdown outlasts its deadline.
#pragma once

#include <coracle/base/clock.h>
#include <coracle/core/loop.h>

#include <semaphore.h>

#include <atomic>
#include <mutex>
#include <thread>

namespace coracle::web::internal {

// A thread of its own, because what it guards against is a loop that is blocked or a function in a
// pool that cannot be interrupted. Real time.
class ShutdownGuard {
  public:
    // `exit_code` is read when the process has to leave. A shutdown may take `span`.
    ShutdownGuard(const std::atomic<int>& exit_code, Duration span);
    ShutdownGuard(const ShutdownGuard&) = delete;
    ShutdownGuard& operator=(const ShutdownGuard&) = delete;
    ~ShutdownGuard();

    // For signals that mean a shutdown: the first arms the guard, the next hurry it, whether or not
    // a loop is there to notice. Remove it from the loop before disarm().
    SignalTap tap();

    // The shutdown begins: after its span, or a second if it is hurried, what is still running is
    // logged about, and the process leaves without destructors. The earliest end counts.
    void arm(bool hurried);
    // The shutdown is over.
    void disarm();

  private:
    void start();
    void watch();
    bool wait_until(TimePoint when) noexcept;
    void shorten(bool hurried) noexcept;
    static void on_signal(void* guard) noexcept;

    const std::atomic<int>& exit_code_;
    const Duration span_;
    sem_t news_;
    std::atomic<int> signals_{0};
    std::mutex mutex_;
    TimePoint deadline_ = no_deadline;  // under the mutex, as is the rest
    int signals_seen_ = 0;
    bool over_ = false;
    std::thread thread_;
};

}  // namespace coracle::web::internal
