// SPDX-License-Identifier: Apache-2.0
// Something the loop can run, and the queue it waits in.
#pragma once

#include <cstddef>
#include <utility>

namespace coracle::internal {

// One entry of the ready queue: a task to resume or a callback to call. In at most one queue at a
// time.
class Runnable {
  public:
    Runnable* next = nullptr;
    virtual void run() = 0;

  protected:
    ~Runnable() = default;
};

// First-in first-out, intrusive, single-threaded.
class RunQueue {
  public:
    bool empty() const noexcept { return head_ == nullptr; }

    void push(Runnable& item) noexcept {
        item.next = nullptr;
        if (tail_) {
            tail_->next = &item;
        } else {
            head_ = &item;
        }
        tail_ = &item;
    }

    Runnable* pop() noexcept {
        Runnable* item = head_;
        if (!item) return nullptr;
        head_ = item->next;
        if (!head_) tail_ = nullptr;
        item->next = nullptr;
        return item;
    }

    void swap(RunQueue& other) noexcept {
        std::swap(head_, other.head_);
        std::swap(tail_, other.tail_);
    }

  private:
    Runnable* head_ = nullptr;
    Runnable* tail_ = nullptr;
};

}  // namespace coracle::internal
