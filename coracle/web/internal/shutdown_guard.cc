// SPDX-License-Identifier: Apache-2.0
#include <coracle/web/internal/shutdown_guard.h>

#include <coracle/base/log.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace coracle::web::internal {
namespace {

// What a hurried end may still take.
constexpr Duration hurried_max = 1s;

}  // namespace

ShutdownGuard::ShutdownGuard(const std::atomic<int>& exit_code, Duration span)
    : exit_code_(exit_code), span_(span) {
    sem_init(&news_, 0, 0);
}

ShutdownGuard::~ShutdownGuard() {
    disarm();
    sem_destroy(&news_);
}

SignalTap ShutdownGuard::tap() {
    std::lock_guard lock(mutex_);
    start();
    return {&ShutdownGuard::on_signal, this};
}

void ShutdownGuard::on_signal(void* guard) noexcept {
    auto* self = static_cast<ShutdownGuard*>(guard);
    self->signals_.fetch_add(1);
    sem_post(&self->news_);
}

void ShutdownGuard::arm(bool hurried) {
    std::lock_guard lock(mutex_);
    shorten(hurried);
    start();
    sem_post(&news_);
}

void ShutdownGuard::disarm() {
    {
        std::lock_guard lock(mutex_);
        over_ = true;
        sem_post(&news_);
    }
    if (thread_.joinable()) thread_.join();
}

void ShutdownGuard::start() {
    if (!thread_.joinable()) thread_ = std::thread(&ShutdownGuard::watch, this);
}

void ShutdownGuard::shorten(bool hurried) noexcept {
    Duration span = hurried ? std::min(hurried_max, span_) : span_;
    deadline_ = std::min(deadline_, saturating_add(system_clock_source().now(), span));
}

void ShutdownGuard::watch() {
    for (TimePoint deadline = no_deadline; wait_until(deadline);) {
        std::lock_guard lock(mutex_);
        if (over_) return;
        for (int arrived = signals_.load(); signals_seen_ < arrived; ++signals_seen_) {
            shorten(signals_seen_ > 0);
        }
        deadline = deadline_;
    }
    log::error("web",
               "shutdown: a handler, a callback or a job in a pool did not end when it was "
               "cancelled; leaving without it at the deadline");
    std::fflush(nullptr);
    std::_Exit(exit_code_);
}

// Whether there is news; false when the moment came first.
bool ShutdownGuard::wait_until(TimePoint when) noexcept {
    timespec until{};
    auto since = when.time_since_epoch();
    until.tv_sec = static_cast<time_t>(since / 1s);
    until.tv_nsec = static_cast<long>((since % 1s).count());
    for (;;) {
        int result =
            when == no_deadline ? sem_wait(&news_) : sem_clockwait(&news_, CLOCK_MONOTONIC, &until);
        if (result == 0) return true;
        if (errno == ETIMEDOUT) return false;
    }
}

}  // namespace coracle::web::internal
