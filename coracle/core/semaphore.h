// SPDX-License-Identifier: Apache-2.0
// Semaphore and BoundedSemaphore: at most so many tasks at a time.
#pragma once

#include <coracle/core/internal/permits.h>

#include <cstddef>
#include <optional>
#include <source_location>

namespace coracle {

struct SemaphoreStatistics {
    std::size_t available = 0;
    std::size_t waiting = 0;  // tasks in acquire()
};

// asyncio's Semaphore. Belongs to one loop.
//
//   Semaphore downloads(8);
//   auto permit = co_await downloads.acquire();      // given back when `permit` goes
//
// As a signal between tasks: one calls release(), another `(co_await ready.acquire()).forget()`.
//
// Fair, and cancelling loses no permit: see Lock.
class Semaphore {
  public:
    using Permit = internal::PermitGuard;
    using Acquire = internal::Permits::Acquire;

    // Begins with so many permits, which may be none.
    explicit Semaphore(std::size_t permits,
                       std::source_location created = std::source_location::current()) noexcept
        : permits_(permits, "a Semaphore", created) {}

    // Waits for a permit; awaiting gives the Permit.
    Operation<Acquire, internal::Permits> acquire() noexcept { return permits_.acquire(); }
    // Without waiting: empty when there is none.
    std::optional<Permit> acquire_nowait() noexcept { return permits_.acquire_nowait(); }
    // Adds one, whether or not it was ever acquired.
    void release() noexcept { permits_.add(1); }

    std::size_t available() const noexcept { return permits_.available(); }
    // Whether acquire() would wait.
    bool locked() const noexcept { return available() == 0; }
    SemaphoreStatistics statistics() const noexcept { return {available(), permits_.waiting()}; }

  private:
    internal::Permits permits_;
};

// A Semaphore that never has more permits than it began with: a release() too many throws Error.
class BoundedSemaphore : public Semaphore {
  public:
    explicit BoundedSemaphore(std::size_t permits, std::source_location created =
                                                       std::source_location::current()) noexcept
        : Semaphore(permits, created), bound_(permits) {}

    void release();

  private:
    std::size_t bound_;
};

}  // namespace coracle
