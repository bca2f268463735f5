// SPDX-License-Identifier: Apache-2.0
// What Lock, Semaphore and CapacityLimiter are made of: permits, and a fair queue for them.
#pragma once

#include <coracle/base/intrusive_list.h>
#include <coracle/core/internal/loop_bound.h>
#include <coracle/core/park.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <source_location>
#include <string>
#include <utility>

namespace coracle::internal {

class Permits;

// One permit held; gives it back when destroyed. Move-only. Must not outlive what it came from.
class [[nodiscard]] PermitGuard {
  public:
    explicit PermitGuard(Permits& permits) noexcept : permits_(&permits) {}
    PermitGuard(PermitGuard&& other) noexcept : permits_(std::exchange(other.permits_, nullptr)) {}
    PermitGuard& operator=(PermitGuard&& other) noexcept {
        if (this != &other) {
            release();
            permits_ = std::exchange(other.permits_, nullptr);
        }
        return *this;
    }
    ~PermitGuard() { release(); }

    // Gives it back now. Harmless when that has happened.
    void release() noexcept;
    // Keeps it taken: somebody else will call the object's release().
    void forget() noexcept { permits_ = nullptr; }
    // Whether there is still something to give back.
    bool is_held() const noexcept { return permits_ != nullptr; }

    const Permits* internal_permits() const noexcept { return permits_; }

  private:
    Permits* permits_;
};

// A permit that comes back goes to the task that has waited longest, in the same step, so nobody
// overtakes it; a task that is cancelled afterwards still gets it, and gives it back as it unwinds.
class Permits {
  public:
    // `what` names the object in task trees and aborts, and outlives it.
    Permits(std::size_t count, const char* what, std::source_location created) noexcept
        : free_(static_cast<std::int64_t>(count)), what_(what), bound_(created) {}
    Permits(const Permits&) = delete;
    Permits& operator=(const Permits&) = delete;
    ~Permits();

    class Acquire;
    Operation<Acquire, Permits> acquire() noexcept { return Operation<Acquire, Permits>(*this); }
    std::optional<PermitGuard> acquire_nowait() noexcept {
        if (!take()) return std::nullopt;
        return PermitGuard(*this);
    }

    // Adds permits, or with a negative number takes some away: those in use are missed when they
    // come back.
    void add(std::int64_t count) noexcept;

    std::size_t available() const noexcept {
        return free_ > 0 ? static_cast<std::size_t>(free_) : 0;
    }
    // How many of `total` are in use.
    std::size_t outstanding(std::size_t total) const noexcept {
        return static_cast<std::size_t>(static_cast<std::int64_t>(total) - free_);
    }
    std::size_t waiting() const noexcept { return waiters_.size(); }

  private:
    bool take() noexcept {
        bound_.check(what_);
        if (free_ <= 0) return false;
        --free_;
        return true;
    }

    IntrusiveList<Acquire> waiters_;  // empty while free_ > 0
    std::int64_t free_;
    const char* what_;
    LoopBound bound_;
};

class Permits::Acquire final : public Park, public ListLink<> {
  public:
    explicit Acquire(Permits& permits) noexcept : permits_(permits) {}

    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> frame) noexcept {
        if (!checkpoint(frame)) return false;
        if (permits_.take()) return ready();
        permits_.waiters_.push_back(*this);
        return wait();
    }
    PermitGuard await_resume() const {
        finish();
        return PermitGuard(permits_);
    }

    bool withdraw() noexcept override;
    std::string describe() const override;

  private:
    friend class Permits;
    Permits& permits_;
};

inline void PermitGuard::release() noexcept {
    if (permits_) std::exchange(permits_, nullptr)->add(1);
}

}  // namespace coracle::internal
