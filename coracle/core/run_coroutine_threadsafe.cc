// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/run_coroutine_threadsafe.h>

#include <coracle/base/assert.h>

namespace coracle::internal {

bool ConcurrentState::is_done() const {
    std::lock_guard guard(mutex_);
    return done_;
}

void ConcurrentState::wait() const {
    std::unique_lock lock(mutex_);
    if (!done_ && EventLoop::current_or_null()) {
        fatal("a ConcurrentFuture would block the loop of this thread: co_await the task instead");
    }
    changed_.wait(lock, [this] { return done_; });
}

bool ConcurrentState::wait_for(Duration span) const {
    std::unique_lock lock(mutex_);
    if (!done_ && EventLoop::current_or_null()) {
        fatal("a ConcurrentFuture would block the loop of this thread: co_await the task instead");
    }
    return changed_.wait_until(lock,
                               saturating_add(TimePoint(std::chrono::steady_clock::now()), span),
                               [this] { return done_; });
}

void ConcurrentState::fail(std::exception_ptr error) {
    std::lock_guard guard(mutex_);
    error_ = std::move(error);
    done_ = true;
    changed_.notify_all();
}

void ConcurrentState::cancel(const std::shared_ptr<ConcurrentState>& state, std::string reason) {
    if (state->is_done()) return;
    state->loop_.call_soon_threadsafe([state, text = std::move(reason)] {
        if (state->task) state->task->cancel(text);
    });
}

}  // namespace coracle::internal
