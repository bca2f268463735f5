// SPDX-License-Identifier: Apache-2.0
// Bounded first-in first-out queue between tasks of one loop.
#pragma once

#include <coracle/base/assert.h>
#include <coracle/base/error.h>
#include <coracle/base/intrusive_list.h>
#include <coracle/core/event.h>
#include <coracle/core/park.h>

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <utility>

namespace coracle {

// put() after shutdown(): nobody would take the item.
class QueueShutDown : public Error {
  public:
    QueueShutDown() : Error("put on a queue that has been shut down") {}
};

// asyncio's Queue with a bound that is not optional and an end that is a value. Belongs to one
// loop.
//
//   Queue<Page> pages(100);
//   co_await pages.put(std::move(page));              // waits while 100 are queued
//   while (auto page = co_await pages.get()) use(*page);   // empty once the queue is shut down and
//   drained
//
// Fair: getters and putters are served in the order in which they came. Cancelling a wait loses
// nothing: an item handed to a getter is delivered, an item of a cancelled put was never queued.
template <class T>
class Queue {
  public:
    // Holds at most `maxsize` items, at least one.
    explicit Queue(std::size_t maxsize) : maxsize_(maxsize) {
        if (maxsize == 0)
            throw Error(
                "Queue(0): a queue holds at least one item; asyncio's unbounded queue has no twin");
    }
    Queue(const Queue&) = delete;
    Queue& operator=(const Queue&) = delete;
    ~Queue() { CORACLE_ASSERT(getters_.empty() && putters_.empty()); }

    std::size_t size() const noexcept { return items_.size(); }
    std::size_t maxsize() const noexcept { return maxsize_; }
    bool empty() const noexcept { return items_.empty(); }
    bool full() const noexcept { return items_.size() >= maxsize_; }
    bool is_shut_down() const noexcept { return shut_down_; }

    // The oldest item, waiting for one; empty once the queue is shut down and nothing is left.
    class Get;
    [[nodiscard]] Get get() noexcept { return Get(*this); }

    // Adds an item, waiting while the queue is full. Throws QueueShutDown.
    class Put;
    class [[nodiscard]] PutBuilder;
    PutBuilder put(T item) { return PutBuilder(*this, std::move(item)); }
    // Builds the item in place: the form for aggregates inside an await on GCC 12.
    template <class... A>
    PutBuilder emplace(A&&... arguments) {
        return PutBuilder(*this, T(std::forward<A>(arguments)...));
    }

    // Without waiting: empty, or false, when it would have to.
    std::optional<T> get_nowait();
    bool put_nowait(T item);

    // Says that an item from get() has been dealt with; join() counts these.
    void task_done();
    // Returns when every item ever put has been dealt with.
    [[nodiscard]] Event::Wait join() noexcept {
        if (unfinished_ == 0) finished_.set();
        return finished_.wait();
    }

    // No more items. Getters take what is queued and then get empty results; waiting putters throw
    // QueueShutDown. With `immediate` what is queued is dropped, and counts as dealt with.
    void shutdown(bool immediate = false);

  private:
    void push(T item);
    std::optional<T> pop();
    void put_succeeded() noexcept {
        ++unfinished_;
        finished_.clear();
    }

    std::deque<T> items_;
    IntrusiveList<Get> getters_;
    IntrusiveList<Put> putters_;
    Event finished_;
    std::size_t maxsize_;
    std::size_t unfinished_ = 0;
    bool shut_down_ = false;
};

// Implementation

template <class T>
class Queue<T>::Get final : public Park, public ListLink<> {
  public:
    explicit Get(Queue& queue) noexcept : queue_(queue) {}

    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> frame) {
        if (!checkpoint(frame)) return false;
        item_ = queue_.pop();
        if (item_ || queue_.shut_down_) return ready();
        queue_.getters_.push_back(*this);
        return wait();
    }
    std::optional<T> await_resume() {
        finish();
        return std::move(item_);
    }

    bool withdraw() noexcept override {
        this->unlink();
        return true;
    }
    std::string describe() const override {
        return "queue.get (" + std::to_string(queue_.getters_.size()) + " waiting)";
    }

  private:
    friend class Queue;
    void deliver(std::optional<T> item) {
        item_ = std::move(item);
        complete();
    }
    Queue& queue_;
    std::optional<T> item_;
};

template <class T>
class Queue<T>::Put final : public Park, public ListLink<> {
  public:
    Put(Queue& queue, T item) : queue_(queue), item_(std::move(item)) {}

    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> frame) {
        if (!checkpoint(frame)) return false;
        refused_ = queue_.shut_down_;
        if (refused_) return ready();
        if (!queue_.full() && queue_.putters_.empty()) {
            queue_.push(std::move(item_));
            return ready();
        }
        queue_.putters_.push_back(*this);
        return wait();
    }
    void await_resume() const {
        finish();
        if (refused_) throw QueueShutDown();
    }

    bool withdraw() noexcept override {
        this->unlink();
        return true;
    }
    std::string describe() const override {
        return "queue.put (" + std::to_string(queue_.size()) + " of " +
               std::to_string(queue_.maxsize_) + ")";
    }

  private:
    friend class Queue;
    void refuse() noexcept {
        refused_ = true;
        complete();
    }
    void accepted() noexcept { complete(); }
    Queue& queue_;
    T item_;
    bool refused_ = false;
};

template <class T>
class Queue<T>::PutBuilder {
  public:
    PutBuilder(Queue& queue, T item) : queue_(queue), item_(std::move(item)) {}
    Put operator co_await() && { return Put(queue_, std::move(item_)); }

  private:
    Queue& queue_;
    T item_;
};

template <class T>
void Queue<T>::push(T item) {
    put_succeeded();
    if (Get* getter = getters_.pop_front()) {
        getter->deliver(std::move(item));
    } else {
        items_.push_back(std::move(item));
    }
}

template <class T>
std::optional<T> Queue<T>::pop() {
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    if (Put* putter = putters_.pop_front()) {
        push(std::move(putter->item_));
        putter->accepted();
    }
    return item;
}

template <class T>
std::optional<T> Queue<T>::get_nowait() {
    return pop();
}

template <class T>
bool Queue<T>::put_nowait(T item) {
    if (shut_down_) throw QueueShutDown();
    if (full() || !putters_.empty()) return false;
    push(std::move(item));
    return true;
}

template <class T>
void Queue<T>::task_done() {
    if (unfinished_ == 0) throw Error("task_done() was called more often than items were put");
    if (--unfinished_ == 0) finished_.set();
}

template <class T>
void Queue<T>::shutdown(bool immediate) {
    shut_down_ = true;
    if (immediate) {
        unfinished_ -= items_.size();
        items_.clear();
        if (unfinished_ == 0) finished_.set();
    }
    while (Put* putter = putters_.pop_front()) putter->refuse();
    while (Get* getter = getters_.pop_front()) getter->deliver(std::nullopt);
}

}  // namespace coracle
