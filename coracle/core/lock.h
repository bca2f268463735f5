// SPDX-License-Identifier: Apache-2.0
// Lock: one task at a time.
#pragma once

#include <coracle/core/internal/permits.h>

#include <cstddef>
#include <optional>
#include <source_location>

namespace coracle {

struct LockStatistics {
    bool locked = false;
    std::size_t waiting = 0;  // tasks in lock()
};

// asyncio's Lock, held through a guard. Belongs to one loop; not recursive. Needed only where a
// critical section awaits: between two awaits a task has the loop for itself anyway.
//
//   auto guard = co_await lock.lock();
//   co_await update_both(a, b);
//                                          // released when `guard` goes, also by an exception
//
// Fair: the lock passes to the task that has waited longest, in the step in which it is released.
// Cancelling a wait leaves the queue in order; a lock that was passed to a task which is cancelled
// then is released as that task unwinds.
class Lock {
  public:
    using Guard = internal::PermitGuard;
    using Acquire = internal::Permits::Acquire;

    explicit Lock(std::source_location created = std::source_location::current()) noexcept
        : permits_(1, "a Lock", created) {}

    // Waits for the lock; awaiting gives the Guard.
    Operation<Acquire, internal::Permits> lock() noexcept { return permits_.acquire(); }
    // Without waiting: empty when it is held.
    std::optional<Guard> lock_nowait() noexcept { return permits_.acquire_nowait(); }

    bool locked() const noexcept { return permits_.available() == 0; }
    LockStatistics statistics() const noexcept { return {locked(), permits_.waiting()}; }

    // Whether this guard holds this lock.
    bool is_held_by(const Guard& guard) const noexcept {
        return guard.internal_permits() == &permits_;
    }

  private:
    internal::Permits permits_;
};

}  // namespace coracle
