// SPDX-License-Identifier: Apache-2.0
// Condition: waiting, with a lock, until another task has changed something.
#pragma once

#include <coracle/base/intrusive_list.h>
#include <coracle/core/checkpoint.h>
#include <coracle/core/internal/loop_bound.h>
#include <coracle/core/lock.h>
#include <coracle/core/park.h>
#include <coracle/core/task.h>

#include <cstddef>
#include <limits>
#include <optional>
#include <source_location>
#include <type_traits>

namespace coracle {

struct ConditionStatistics {
    std::size_t waiting = 0;  // tasks in wait() that were not notified yet
    LockStatistics lock;
};

// asyncio's Condition. The lock is shown to each call as the guard that holds it. Belongs to one
// loop.
//
//   Condition changed;
//   auto guard = co_await changed.lock();                       // in one task
//   co_await changed.wait_for(guard, [&] { return stock > 0; });
//   --stock;
//
//   auto guard = co_await changed.lock();                       // in another
//   ++stock;
//   changed.notify();
//
// Fair: notify() wakes those who have waited longest, and they get the lock in that order.
// wait() always returns, or throws, with the lock held again. Cancelling it before it was notified
// takes no notification away; one that was notified returns normally, however late its
// cancellation, and the next checkpoint throws.
class Condition {
  public:
    // With a lock of its own, or one that is shared; that one must outlive it.
    explicit Condition(std::source_location created = std::source_location::current());
    explicit Condition(Lock& lock, std::source_location created = std::source_location::current());
    Condition(const Condition&) = delete;
    Condition& operator=(const Condition&) = delete;
    ~Condition();

    // The same as lock() of the Lock.
    auto lock() noexcept { return lock_.lock(); }

    // Releases the lock, waits to be notified, and takes the lock again. Aborts when the guard does
    // not hold this condition's lock.
    Task<void> wait(Lock::Guard& guard);

    // wait() until predicate() is true, which it may be from the start. The predicate captures by
    // reference, or is named.
    template <class Predicate>
    Task<void> wait_for(Lock::Guard& guard, Predicate&& predicate) {
        static_assert(
            std::is_lvalue_reference_v<Predicate> ||
                std::is_trivially_copyable_v<std::decay_t<Predicate>>,
            "capture by reference ([&]), or name the lambda first: an owning lambda inside a "
            "co_await expression is destroyed twice by GCC 12");
        return wait_until<std::decay_t<Predicate>>(guard, std::forward<Predicate>(predicate));
    }

    // Wakes the `count` tasks that have waited longest, or all. Call it while holding the lock:
    // aborts when nobody does.
    void notify(std::size_t count = 1);
    void notify_all() { notify(std::numeric_limits<std::size_t>::max()); }

    ConditionStatistics statistics() const noexcept {
        return {waiters_.size(), lock_.statistics()};
    }

  private:
    class Notification;

    Task<void> do_wait(Lock::Guard& guard);
    template <class Predicate>
    Task<void> wait_until(Lock::Guard& guard, Predicate predicate) {
        co_await checkpoint();  // also where the predicate holds from the start
        while (!predicate()) co_await do_wait(guard);
    }

    std::optional<Lock> own_;
    Lock& lock_;
    IntrusiveList<Notification> waiters_;
    internal::LoopBound bound_;
};

}  // namespace coracle
