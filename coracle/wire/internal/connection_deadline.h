// SPDX-License-Identifier: Apache-2.0
// The deadline of a connection: a field that is stored often and a timer that is touched seldom.
#pragma once

#include <coracle/base/clock.h>
#include <coracle/core/loop.h>
#include <coracle/core/readiness.h>
#include <coracle/core/timer.h>

namespace coracle::wire::internal {

// Ends the waits on a stream when it passes. Moving it later is one store: the timer fires at the
// old moment, sees the new one and goes to sleep again, so a keep-alive request touches the timer
// heap about once per idle_timeout.
class ConnectionDeadline final : public Timer {
  public:
    ConnectionDeadline(EventLoop& loop, Readiness& readiness) noexcept
        : loop_(loop), readiness_(readiness) {}

    // Passes `span` from now (the loop's turn), or at `when`.
    void set(Duration span) { set_at(saturating_add(loop_.turn_time(), span)); }
    void set_at(TimePoint when) {
        due_ = when;
        expired_ = false;
        if (!is_scheduled() || when < deadline()) loop_.timers().add(*this, when);
    }
    void clear() noexcept { due_ = no_deadline; }

    bool is_set() const noexcept { return due_ != no_deadline; }
    bool has_expired() const noexcept { return expired_; }

  private:
    void fire() noexcept override {
        if (due_ == no_deadline) return;
        if (due_ > loop_.turn_time()) {
            loop_.timers().add(*this, due_);
            return;
        }
        due_ = no_deadline;
        expired_ = true;
        readiness_.interrupt();
    }

    EventLoop& loop_;
    Readiness& readiness_;
    TimePoint due_ = no_deadline;
    bool expired_ = false;
};

}  // namespace coracle::wire::internal
