// SPDX-License-Identifier: Apache-2.0
// Barrier: tasks that wait for each other.
#pragma once

#include <coracle/base/error.h>
#include <coracle/base/intrusive_list.h>
#include <coracle/core/internal/loop_bound.h>
#include <coracle/core/park.h>

#include <cstddef>
#include <source_location>
#include <string>

namespace coracle {

// wait() on a barrier that was aborted, or reset while waiting.
class BrokenBarrierError : public Error {
  public:
    BrokenBarrierError() : Error("the barrier was aborted or reset") {}
};

struct BarrierStatistics {
    std::size_t parties = 0;
    std::size_t waiting = 0;
    bool broken = false;
};

// asyncio's Barrier: wait() returns when `parties` tasks have called it, and the next round begins.
// Belongs to one loop.
//
//   Barrier ready(3);
//   co_await ready.wait();
//
// A task that is cancelled while it waits is no longer counted; the others wait for one more. Once
// the last has come all of them pass, also those that are cancelled afterwards.
class Barrier {
  public:
    // At least one party; Error for none.
    explicit Barrier(std::size_t parties,
                     std::source_location created = std::source_location::current());
    Barrier(const Barrier&) = delete;
    Barrier& operator=(const Barrier&) = delete;
    ~Barrier();

    // Gives the order of arrival, 0 to parties-1: for the one that is to do something for all.
    // Throws BrokenBarrierError.
    class Wait;
    Operation<Wait, Barrier> wait() noexcept { return Operation<Wait, Barrier>(*this); }

    // Those who wait throw BrokenBarrierError; the barrier is as new.
    void reset() noexcept;
    // The same, and so does every wait() from now on, until reset().
    void abort() noexcept;

    std::size_t parties() const noexcept { return parties_; }
    std::size_t waiting() const noexcept { return waiters_.size(); }
    bool broken() const noexcept { return broken_; }
    BarrierStatistics statistics() const noexcept { return {parties_, waiting(), broken_}; }

  private:
    void break_waits() noexcept;
    void release() noexcept;

    IntrusiveList<Wait> waiters_;
    std::size_t parties_;
    internal::LoopBound bound_;
    bool broken_ = false;
};

class Barrier::Wait final : public Park, public ListLink<> {
  public:
    explicit Wait(Barrier& barrier) noexcept : barrier_(barrier) {}

    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> frame) noexcept {
        barrier_.bound_.check("a Barrier");
        if (!checkpoint(frame)) return false;
        broken_ = barrier_.broken_;
        if (broken_) return ready();
        if (barrier_.waiting() + 1 == barrier_.parties_) {
            index_ = barrier_.parties_ - 1;
            barrier_.release();
            return ready();
        }
        barrier_.waiters_.push_back(*this);
        return Park::wait();
    }
    std::size_t await_resume() const {
        finish();
        if (broken_) throw BrokenBarrierError();
        return index_;
    }

    bool withdraw() noexcept override;
    std::string describe() const override;

  private:
    friend class Barrier;
    Barrier& barrier_;
    std::size_t index_ = 0;
    bool broken_ = false;
};

}  // namespace coracle
