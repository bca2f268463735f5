// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/condition.h>

#include <coracle/base/assert.h>
#include <coracle/core/cancel.h>
#include <coracle/core/scope.h>

#include <exception>
#include <string>

namespace coracle {

// The wait for notify(), without the lock.
class Condition::Notification final : public Park, public ListLink<> {
  public:
    Notification(Condition& condition, Lock::Guard& guard) noexcept
        : condition_(condition), guard_(guard) {}

    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> frame) noexcept {
        if (!checkpoint(frame)) return false;
        condition_.waiters_.push_back(*this);
        guard_.release();
        return Park::wait();
    }
    void await_resume() const { finish(); }

    bool withdraw() noexcept override {
        unlink();
        return true;
    }
    std::string describe() const override {
        return "condition (" + std::to_string(condition_.waiters_.size()) + " waiting)";
    }
    void notify() noexcept { complete(); }

  private:
    Condition& condition_;
    Lock::Guard& guard_;
};

Condition::Condition(std::source_location created)
    : own_(std::in_place, created), lock_(*own_), bound_(created) {}

Condition::Condition(Lock& lock, std::source_location created) : lock_(lock), bound_(created) {}

Condition::~Condition() { CORACLE_ASSERT(waiters_.empty()); }

Task<void> Condition::wait(Lock::Guard& guard) { return do_wait(guard); }

Task<void> Condition::do_wait(Lock::Guard& guard) {
    bound_.check("a Condition");
    CORACLE_ASSERT(lock_.is_held_by(guard));
    std::exception_ptr cancelled;
    try {
        Notification notification(*this, guard);
        co_await notification;
    } catch (const Cancelled&) {
        cancelled = std::current_exception();
    }
    // The caller's code after wait() relies on the lock, whatever has happened.
    if (!guard.is_held()) guard = co_await shield(lock_.lock());
    if (cancelled) std::rethrow_exception(cancelled);
}

void Condition::notify(std::size_t count) {
    bound_.check("a Condition");
    CORACLE_ASSERT(lock_.locked());
    while (count-- > 0) {
        Notification* waiter = waiters_.pop_front();
        if (!waiter) break;
        waiter->notify();
    }
}

}  // namespace coracle
