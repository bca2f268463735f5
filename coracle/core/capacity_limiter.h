// SPDX-License-Identifier: Apache-2.0
// CapacityLimiter: a limit that can be changed while it is in use.
#pragma once

#include <coracle/core/internal/permits.h>

#include <cstddef>
#include <optional>
#include <source_location>

namespace coracle {

struct CapacityLimiterStatistics {
    std::size_t total = 0;
    std::size_t borrowed = 0;
    std::size_t waiting = 0;  // tasks in acquire()
};

// At most `total` tokens are borrowed at a time (Trio's CapacityLimiter). Belongs to one loop.
//
//   CapacityLimiter uploads(10);
//   auto token = co_await uploads.acquire();       // given back when `token` goes
//   uploads.set_total(20);                         // wakes ten who wait
//
// Fair, and cancelling loses no token: see Lock.
class CapacityLimiter {
  public:
    using Token = internal::PermitGuard;
    using Acquire = internal::Permits::Acquire;

    explicit CapacityLimiter(
        std::size_t total, std::source_location created = std::source_location::current()) noexcept
        : permits_(total, "a CapacityLimiter", created), total_(total) {}

    // Waits for a token; awaiting gives it.
    Operation<Acquire, internal::Permits> acquire() noexcept { return permits_.acquire(); }
    // Without waiting: empty when all are borrowed.
    std::optional<Token> acquire_nowait() noexcept { return permits_.acquire_nowait(); }

    std::size_t total() const noexcept { return total_; }
    // More: tasks that wait are let in at once. Fewer: nobody is interrupted, tokens that come back
    // are kept until the new limit holds. Zero lets nobody in.
    void set_total(std::size_t total) noexcept;

    std::size_t available() const noexcept { return permits_.available(); }
    // May be more than total() for a while after it was lowered.
    std::size_t borrowed() const noexcept { return permits_.outstanding(total_); }
    CapacityLimiterStatistics statistics() const noexcept {
        return {total_, borrowed(), permits_.waiting()};
    }

  private:
    internal::Permits permits_;
    std::size_t total_;
};

}  // namespace coracle
