// SPDX-License-Identifier: Apache-2.0
// Event: a flag that tasks can wait for.
#pragma once

#include <coracle/base/intrusive_list.h>
#include <coracle/core/internal/loop_bound.h>
#include <coracle/core/park.h>

#include <cstddef>
#include <source_location>
#include <string>

namespace coracle {

// Set or clear; wait() returns once it is set. Belongs to one loop.
//
//   Event ready;
//   co_await ready.wait();      // in one task
//   ready.set();                // in another: wakes all who wait
class Event {
  public:
    explicit Event(std::source_location created = std::source_location::current()) noexcept
        : bound_(created) {}
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
    // Tasks must not wait any more.
    ~Event();

    bool is_set() const noexcept { return set_; }

    // Wakes every waiter, in order of arrival; they wake even if clear() follows at once.
    void set() noexcept;
    void clear() noexcept {
        bound_.check("an Event");
        set_ = false;
    }

    // Returns when the flag is set, at once if it already is. Cancelling changes nothing.
    class Wait;
    Operation<Wait, Event> wait() noexcept { return Operation<Wait, Event>(*this); }

    // Tasks that wait.
    std::size_t waiting() const noexcept { return waiters_.size(); }

  private:
    IntrusiveList<Wait> waiters_;
    internal::LoopBound bound_;
    bool set_ = false;
};

class Event::Wait final : public Park, public ListLink<> {
  public:
    explicit Wait(Event& event) noexcept : event_(event) {}

    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> frame) noexcept {
        event_.bound_.check("an Event");
        if (!checkpoint(frame)) return false;
        if (event_.set_) return ready();
        event_.waiters_.push_back(*this);
        return Park::wait();
    }
    void await_resume() const { finish(); }

    bool withdraw() noexcept override;
    std::string describe() const override;

  private:
    friend class Event;
    Event& event_;
};

}  // namespace coracle
