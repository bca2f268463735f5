// SPDX-License-Identifier: Apache-2.0
// Bounded first-in first-out queue between tasks of one loop.
#pragma once

#include <coracle/core/internal/basic_queue.h>

#include <cstddef>
#include <deque>
#include <source_location>
#include <utility>

namespace coracle {

namespace internal {

template <class T>
class FifoItems {
  public:
    std::size_t size() const noexcept { return items_.size(); }
    void push(T item) { items_.push_back(std::move(item)); }
    T pop() {
        T item = std::move(items_.front());
        items_.pop_front();
        return item;
    }
    void clear() noexcept { items_.clear(); }

  private:
    std::deque<T> items_;
};

}  // namespace internal

// asyncio's Queue with a bound that is not optional and an end that is a value. Belongs to one
// loop.
//
//   Queue<Page> pages(100);
//   co_await pages.put(std::move(page));              // waits while 100 are queued
//   while (auto page = co_await pages.get()) use(*page);   // empty once the queue is shut down and
//                                                          // drained
//
// get(), put(), emplace(), get_nowait(), put_nowait(), task_done(), join() and shutdown() are those
// of internal/basic_queue.h, which LifoQueue and PriorityQueue share.
//
// Fair: getters and putters are served in the order in which they came. Cancelling a wait loses
// nothing: an item handed to a getter is delivered, an item of a cancelled put was never queued.
template <class T>
class Queue : public internal::BasicQueue<T, internal::FifoItems<T>> {
  public:
    // Holds at most `maxsize` items, at least one; Error for zero.
    explicit Queue(std::size_t maxsize,
                   std::source_location created = std::source_location::current())
        : internal::BasicQueue<T, internal::FifoItems<T>>(maxsize, created) {}
};

}  // namespace coracle
