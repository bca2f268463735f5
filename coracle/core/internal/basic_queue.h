// SPDX-License-Identifier: Apache-2.0
// What Queue, LifoQueue and PriorityQueue share: all but the order in which items leave.
#pragma once

#include <coracle/base/assert.h>
#include <coracle/base/error.h>
#include <coracle/base/intrusive_list.h>
#include <coracle/core/event.h>
#include <coracle/core/internal/loop_bound.h>
#include <coracle/core/park.h>

#include <concepts>
#include <cstddef>
#include <optional>
#include <source_location>
#include <string>
#include <utility>

namespace coracle {

// put() after shutdown(): nobody would take the item.
class QueueShutDown : public Error {
  public:
    QueueShutDown() : Error("put on a queue that has been shut down") {}
};

namespace internal {

[[noreturn]] void refuse_unbounded_queue();

// `Items` holds what is queued: empty(), size(), push(T), T pop() (only when not empty), clear().
template <class T, class Items>
class BasicQueue {
  public:
    BasicQueue(const BasicQueue&) = delete;
    BasicQueue& operator=(const BasicQueue&) = delete;

    std::size_t size() const noexcept { return items_.size(); }
    std::size_t maxsize() const noexcept { return maxsize_; }
    bool empty() const noexcept { return items_.empty(); }
    bool full() const noexcept { return items_.size() >= maxsize_; }
    bool is_shut_down() const noexcept { return shut_down_; }
    // Items put and not yet dealt with, see task_done().
    std::size_t unfinished() const noexcept { return unfinished_; }

    // The next item, waiting for one; empty once the queue is shut down and nothing is left.
    class Get;
    Operation<Get, BasicQueue> get() noexcept { return Operation<Get, BasicQueue>(*this); }

    // Adds an item, waiting while the queue is full. Throws QueueShutDown.
    class Put;
    class [[nodiscard]] PutBuilder;
    PutBuilder put(T item) { return PutBuilder(*this, std::move(item)); }
    // Builds the item in place: the form for aggregates inside an await on GCC 12.
    template <class... A>
    PutBuilder emplace(A&&... arguments) {
        return PutBuilder(*this, T(std::forward<A>(arguments)...));
    }

    // Without waiting: empty, or false, when it would have to. An item that was not taken stays as
    // it was. put_nowait() throws QueueShutDown.
    std::optional<T> get_nowait() {
        bound_.check("a queue");
        return pop();
    }
    bool put_nowait(T&& item);
    bool put_nowait(const T& item)
        requires std::copy_constructible<T>
    {
        return put_nowait(T(item));
    }

    // Says that an item from get() has been dealt with; join() counts these. Throws Error when
    // called more often than items were put.
    void task_done();
    // Returns when every item ever put has been dealt with.
    Operation<Event::Wait, Event> join() noexcept {
        if (unfinished_ == 0) finished_.set();
        return finished_.wait();
    }

    // No more items. Getters take what is queued and then get empty results; waiting putters throw
    // QueueShutDown. With `immediate` what is queued is dropped, and counts as dealt with.
    void shutdown(bool immediate = false);

  protected:
    BasicQueue(std::size_t maxsize, std::source_location created)
        : finished_(created), bound_(created), maxsize_(maxsize) {
        if (maxsize == 0) refuse_unbounded_queue();
    }
    ~BasicQueue() { CORACLE_ASSERT(getters_.empty() && putters_.empty()); }

  private:
    // Not while others wait to put. Who waits to get has found nothing, so it is not full then.
    bool has_room() const noexcept { return putters_.empty() && (!getters_.empty() || !full()); }
    void push(T item);
    std::optional<T> pop();
    void put_succeeded() noexcept {
        ++unfinished_;
        finished_.clear();
    }

    Items items_;
    IntrusiveList<Get> getters_;
    IntrusiveList<Put> putters_;
    Event finished_;
    LoopBound bound_;
    std::size_t maxsize_;
    std::size_t unfinished_ = 0;
    bool shut_down_ = false;
};

// Implementation

template <class T, class Items>
class BasicQueue<T, Items>::Get final : public Park, public ListLink<> {
  public:
    explicit Get(BasicQueue& queue) noexcept : queue_(queue) {}

    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> frame) {
        queue_.bound_.check("a queue");
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
    friend class BasicQueue;
    void deliver(std::optional<T> item) {
        item_ = std::move(item);
        complete();
    }
    BasicQueue& queue_;
    std::optional<T> item_;
};

template <class T, class Items>
class BasicQueue<T, Items>::Put final : public Park, public ListLink<> {
  public:
    Put(BasicQueue& queue, T item) : queue_(queue), item_(std::move(item)) {}

    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> frame) {
        queue_.bound_.check("a queue");
        if (!checkpoint(frame)) return false;
        refused_ = queue_.shut_down_;
        if (refused_) return ready();
        if (queue_.has_room()) {
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
    friend class BasicQueue;
    void refuse() noexcept {
        refused_ = true;
        complete();
    }
    void accepted() noexcept { complete(); }
    BasicQueue& queue_;
    T item_;
    bool refused_ = false;
};

template <class T, class Items>
class BasicQueue<T, Items>::PutBuilder {
  public:
    PutBuilder(BasicQueue& queue, T item) : queue_(queue), item_(std::move(item)) {}
    Put operator co_await() && { return Put(queue_, std::move(item_)); }

  private:
    BasicQueue& queue_;
    T item_;
};

template <class T, class Items>
void BasicQueue<T, Items>::push(T item) {
    put_succeeded();
    if (Get* getter = getters_.pop_front()) {
        getter->deliver(std::move(item));
    } else {
        items_.push(std::move(item));
    }
}

template <class T, class Items>
std::optional<T> BasicQueue<T, Items>::pop() {
    if (empty()) return std::nullopt;
    std::optional<T> item(items_.pop());
    if (Put* putter = putters_.pop_front()) {
        push(std::move(putter->item_));
        putter->accepted();
    }
    return item;
}

template <class T, class Items>
bool BasicQueue<T, Items>::put_nowait(T&& item) {
    bound_.check("a queue");
    if (shut_down_) throw QueueShutDown();
    if (!has_room()) return false;
    push(std::move(item));
    return true;
}

template <class T, class Items>
void BasicQueue<T, Items>::task_done() {
    bound_.check("a queue");
    if (unfinished_ == 0) throw Error("task_done() was called more often than items were put");
    if (--unfinished_ == 0) finished_.set();
}

template <class T, class Items>
void BasicQueue<T, Items>::shutdown(bool immediate) {
    bound_.check("a queue");
    shut_down_ = true;
    if (immediate) {
        unfinished_ -= items_.size();
        items_.clear();
        if (unfinished_ == 0) finished_.set();
    }
    while (Put* putter = putters_.pop_front()) putter->refuse();
    while (Get* getter = getters_.pop_front()) getter->deliver(std::nullopt);
}

}  // namespace internal
}  // namespace coracle
