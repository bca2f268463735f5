// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/future.h>

#include <coracle/base/assert.h>
#include <coracle/base/log.h>
#include <coracle/core/loop.h>
#include <coracle/core/registry.h>
#include <coracle/core/task_handle.h>
#include <coracle/core/task_tree.h>

namespace coracle::internal {

FutureState::FutureState(std::source_location created)
    : loop_(EventLoop::current()), created_(created) {}

FutureState::~FutureState() {
    CORACLE_ASSERT(waiters_.empty());
    if (error_ && !error_was_read_) report_unread();
}

// The future may have outlived its loop, and then only the log is left.
void FutureState::report_unread() const noexcept {
    const char* message = "nobody read the exception of a future";
    bool loop_is_ours = false;
    for_each_loop([&](EventLoop& loop) {
        if (&loop == &loop_) loop_is_ours = !loop.internal_runs_on_another_thread();
    });
    if (loop_is_ours) {
        loop_.call_exception_handler({message, error_});
    } else {
        log::error("loop", std::string(message) + ": " + describe_exception(error_));
    }
}

void FutureState::check_thread() const noexcept {
    if (is_debug() && loop_.internal_runs_on_another_thread()) wrong_thread("a Future", created_);
}

void FutureState::require_pending() const {
    check_thread();
    if (done_) throw InvalidStateError("the future is done already");
}

void FutureState::become_done() {
    done_ = true;
    while (FutureWait* waiter = waiters_.pop_front()) waiter->future_done();
    auto callbacks = std::move(callbacks_);
    for (auto& fn : callbacks) loop_.call_soon(std::move(fn));
}

void FutureState::set_exception(std::exception_ptr error) {
    CORACLE_ASSERT(error != nullptr);
    require_pending();
    error_ = std::move(error);
    become_done();
}

bool FutureState::cancel(std::string_view reason) {
    check_thread();
    if (done_) return false;
    cancelled_ = true;
    reason_ = reason;
    become_done();
    return true;
}

std::exception_ptr FutureState::exception() {
    if (!done_) throw InvalidStateError("the future is not done");
    error_was_read_ = true;
    return error_;
}

void FutureState::add_done_callback(MoveFunction<void()> fn) {
    check_thread();
    if (done_) {
        loop_.call_soon(std::move(fn));
    } else {
        callbacks_.push_back(std::move(fn));
    }
}

void FutureState::require_value() {
    if (!done_) throw InvalidStateError("the future is not done");
    error_was_read_ = true;
    if (error_) std::rethrow_exception(error_);
    if (cancelled_) {
        throw TaskCancelledError(reason_.empty() ? "the future was cancelled"
                                                 : "the future was cancelled: " + reason_);
    }
}

bool FutureWait::withdraw() noexcept {
    unlink();
    return true;
}

std::string FutureWait::describe() const { return "future"; }

}  // namespace coracle::internal
