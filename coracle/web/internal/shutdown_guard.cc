// SPDX-License-Identifier: Apache-2.0
#include <coracle/web/internal/shutdown_guard.h>

#include <coracle/base/log.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace coracle::web::internal {

void ShutdownGuard::arm(Duration span) {
    std::lock_guard lock(mutex_);
    deadline_ = std::min(deadline_, saturating_add(system_clock_source().now(), span));
    if (!thread_.joinable()) thread_ = std::thread(&ShutdownGuard::watch, this);
    changed_.notify_all();
}

void ShutdownGuard::disarm() {
    {
        std::lock_guard lock(mutex_);
        over_ = true;
        changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
}

void ShutdownGuard::watch() {
    std::unique_lock lock(mutex_);
    while (!over_ && system_clock_source().now() < deadline_) {
        // A far deadline would overflow on the way into the system call.
        TimePoint soon = system_clock_source().now() + std::chrono::hours(24);
        changed_.wait_until(lock, std::min(deadline_, soon));
    }
    if (over_) return;
    log::error("web",
               "shutdown: a handler, a callback or a job in a pool did not end when it was "
               "cancelled; leaving without it at the deadline");
    std::fflush(nullptr);
    std::_Exit(exit_code_);
}

}  // namespace coracle::web::internal
