// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/timer.h>

#include <algorithm>

namespace coracle {

TimerQueue::~TimerQueue() {
    while (!heap_.empty()) remove(*heap_.back().timer);
}

void TimerQueue::add(Timer& timer, TimePoint deadline) {
    if (timer.queue_) timer.queue_->remove(timer);
    if (deadline == no_deadline) return;
    timer.queue_ = this;
    timer.deadline_ = deadline;
    heap_.emplace_back();
    sift_up(heap_.size() - 1, Entry{deadline, added_++, &timer});
}

void TimerQueue::remove(Timer& timer) noexcept {
    std::size_t position = timer.position_;
    Entry last = heap_.back();
    heap_.pop_back();
    timer.queue_ = nullptr;
    timer.deadline_ = no_deadline;
    if (last.timer == &timer) return;
    // The last entry takes the hole; it may belong above or below it.
    if (position > 0 && last.before(heap_[(position - 1) / 4])) {
        sift_up(position, last);
    } else {
        sift_down(position, last);
    }
}

void TimerQueue::fire_until(TimePoint now) noexcept {
    while (!heap_.empty() && heap_.front().deadline <= now) {
        Timer& timer = *heap_.front().timer;
        remove(timer);
        timer.fire();
    }
}

void TimerQueue::place(std::size_t position, const Entry& entry) noexcept {
    heap_[position] = entry;
    entry.timer->position_ = position;
}

void TimerQueue::sift_up(std::size_t position, Entry entry) noexcept {
    while (position > 0) {
        std::size_t parent = (position - 1) / 4;
        if (!entry.before(heap_[parent])) break;
        place(position, heap_[parent]);
        position = parent;
    }
    place(position, entry);
}

void TimerQueue::sift_down(std::size_t position, Entry entry) noexcept {
    for (;;) {
        std::size_t first = position * 4 + 1;
        if (first >= heap_.size()) break;
        std::size_t end = std::min(first + 4, heap_.size());
        std::size_t least = first;
        for (std::size_t child = first + 1; child < end; ++child) {
            if (heap_[child].before(heap_[least])) least = child;
        }
        if (!heap_[least].before(entry)) break;
        place(position, heap_[least]);
        position = least;
    }
    place(position, entry);
}

}  // namespace coracle
