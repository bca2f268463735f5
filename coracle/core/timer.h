// SPDX-License-Identifier: Apache-2.0
// Timers: an intrusive 4-ary heap with exact removal.
#pragma once

#include <coracle/base/clock.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace coracle {

// Something that happens at a moment. Lives where its owner lives (no allocation), is in at most
// one queue, and leaves it when destroyed. Belongs to one loop's thread.
class Timer {
  public:
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    // When it fires; no_deadline while it is not in a queue.
    TimePoint deadline() const noexcept { return deadline_; }
    bool is_scheduled() const noexcept { return queue_ != nullptr; }

    // Leaves the queue; does nothing if it is in none.
    void cancel() noexcept;

  protected:
    Timer() noexcept = default;
    ~Timer() { cancel(); }

  private:
    friend class TimerQueue;

    // Called once, on the loop's thread, after it has left the queue. Marks and queues; never
    // resumes a task.
    virtual void fire() noexcept = 0;

    class TimerQueue* queue_ = nullptr;
    TimePoint deadline_ = no_deadline;
    std::size_t position_ = 0;
};

// The timers of one loop. Timers of one moment fire in the order they were added.
class TimerQueue {
  public:
    TimerQueue() = default;
    TimerQueue(const TimerQueue&) = delete;
    TimerQueue& operator=(const TimerQueue&) = delete;
    ~TimerQueue();

    // Schedules the timer; one that is scheduled already moves. no_deadline just cancels it.
    void add(Timer& timer, TimePoint deadline);
    void remove(Timer& timer) noexcept;

    // The earliest deadline; no_deadline when there is none.
    TimePoint next() const noexcept { return heap_.empty() ? no_deadline : heap_.front().deadline; }

    // Fires every timer whose moment has come, but none that is added meanwhile for a moment after
    // `now`.
    void fire_until(TimePoint now) noexcept;

    std::size_t size() const noexcept { return heap_.size(); }

  private:
    struct Entry {
        TimePoint deadline;
        std::uint64_t order;
        Timer* timer;
        bool before(const Entry& other) const noexcept {
            return deadline != other.deadline ? deadline < other.deadline : order < other.order;
        }
    };

    void place(std::size_t position, const Entry& entry) noexcept;
    void sift_up(std::size_t position, Entry entry) noexcept;
    void sift_down(std::size_t position, Entry entry) noexcept;

    std::vector<Entry> heap_;
    std::uint64_t added_ = 0;
};

inline void Timer::cancel() noexcept {
    if (queue_) queue_->remove(*this);
}

}  // namespace coracle
