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
    bool empty() const noexcept { return items_.empty(); }
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
//   while (auto page = co_await pages.get()) use(*page);   // empty: shut down, and drained
//
// Fair: getters and putters are served in the order in which they came. Cancelling a wait loses
// nothing: an item handed to a getter is delivered, an item of a cancelled put was never queued.
template <class T>
class Queue : public internal::BasicQueue<T, internal::FifoItems<T>> {
    using Base = internal::BasicQueue<T, internal::FifoItems<T>>;

  public:
    // Holds at most `items_max` items, at least one; Error for zero.
    explicit Queue(std::size_t items_max,
                   std::source_location created = std::source_location::current())
        : Base(items_max, created) {}

    // What LifoQueue and PriorityQueue have too.

    // std::optional<T> co_await get(): the next item, waiting for one; empty once the queue is shut
    // down and nothing is left.
    using Base::get;

    // co_await put(T item): adds an item, waiting while the queue is full. Throws QueueShutDown.
    // co_await emplace(args...) builds the item: the form for aggregates inside an await on GCC 12.
    using Base::emplace;
    using Base::put;

    // Without waiting: std::optional<T> get_nowait() is empty, bool put_nowait(item) is false, when
    // it would have to. An item that was not taken stays as it was. put_nowait() throws
    // QueueShutDown.
    using Base::get_nowait;
    using Base::put_nowait;

    // task_done() says that an item from get() has been dealt with; Error when called more often
    // than items were put. co_await join() returns when every item ever put has been dealt with.
    using Base::join;
    using Base::task_done;

    // shutdown(bool immediate = false): no more items. Getters take what is queued and then get
    // empty results; putters throw QueueShutDown, also those that wait. With `immediate` what is
    // queued is dropped, and counts as dealt with.
    using Base::is_shut_down;
    using Base::shutdown;

    // Items that are queued, the most there can be, and those put and not yet dealt with.
    using Base::empty;
    using Base::full;
    using Base::maxsize;
    using Base::size;
    using Base::unfinished;
};

}  // namespace coracle
