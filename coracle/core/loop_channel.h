// SPDX-License-Identifier: Apache-2.0
// LoopChannel<T>: a bounded queue between loops, and between plain threads and loops.
#pragma once

#include <coracle/base/assert.h>
#include <coracle/base/intrusive_list.h>
#include <coracle/core/internal/loop_waiter.h>
#include <coracle/core/memory_channel.h>

#include <concepts>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace coracle {

// Every function may be called from any thread; send() and receive() from a task of any loop.
// Bounded, first in first out, and fair over all loops. Must outlive its users.
//
//   LoopChannel<Job> jobs(100);                       // shared by the loops of two threads
//   co_await jobs.send(std::move(job));               // on one
//   while (auto job = co_await jobs.receive()) ...    // on the other; empty: closed, and drained
//
// Cancelling either side loses nothing: an item that was handed to a receiver is delivered, one
// whose send() is cancelled was never sent. Costs a lock, and a wake-up of the other loop when it
// sleeps. On a virtual clock, time does not wait for what other loops may send.
template <class T>
class LoopChannel {
  public:
    // Holds at most `capacity` items, at least one; Error for zero.
    explicit LoopChannel(std::size_t capacity) : capacity_(capacity) {
        if (capacity == 0) throw Error("LoopChannel(0): it holds at least one item");
    }
    LoopChannel(const LoopChannel&) = delete;
    LoopChannel& operator=(const LoopChannel&) = delete;
    ~LoopChannel() { CORACLE_ASSERT(sending_.empty() && receiving_.empty()); }

    // Waits while it is full. Throws ChannelClosed.
    class Send;
    class [[nodiscard]] SendBuilder {
      public:
        SendBuilder(LoopChannel& channel, T item) : channel_(channel), item_(std::move(item)) {}
        Send operator co_await() && { return Send(channel_, std::move(item_)); }

      private:
        LoopChannel& channel_;
        T item_;
    };
    SendBuilder send(T item) { return SendBuilder(*this, std::move(item)); }

    // The oldest item, waiting for one; empty once it is closed and nothing is left.
    class Receive;
    Operation<Receive, LoopChannel> receive() noexcept {
        return Operation<Receive, LoopChannel>(*this);
    }

    // Without waiting: false, or empty, when it would have to; an item that was not taken stays as
    // it was. send_nowait() throws ChannelClosed.
    bool send_nowait(T&& item);
    bool send_nowait(const T& item)
        requires std::copy_constructible<T>
    {
        return send_nowait(T(item));
    }
    std::optional<T> receive_nowait();

    // No more items: receivers take what is there and then get empty results, senders that wait
    // throw ChannelClosed.
    void close();

    bool is_closed() const {
        std::lock_guard guard(mutex_);
        return closed_;
    }
    std::size_t size() const {
        std::lock_guard guard(mutex_);
        return items_.size();
    }
    std::size_t capacity() const noexcept { return capacity_; }

  private:
    // All under the lock.
    bool push(T&& item);
    std::optional<T> pop();

    mutable std::mutex mutex_;
    std::deque<T> items_;
    IntrusiveList<Send> sending_;
    IntrusiveList<Receive> receiving_;
    std::size_t capacity_;
    bool closed_ = false;
};

// Implementation

template <class T>
class LoopChannel<T>::Send final : public internal::LoopWaiter, public ListLink<> {
  public:
    Send(LoopChannel& channel, T item)
        : LoopWaiter(channel.mutex_), channel_(channel), item_(std::move(item)) {}

    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> frame) {
        if (!checkpoint(frame)) return false;
        std::lock_guard guard(channel_.mutex_);
        refused_ = channel_.closed_;
        if (refused_ || (channel_.sending_.empty() && channel_.push(std::move(item_)))) {
            return ready();
        }
        channel_.sending_.push_back(*this);
        return wait();
    }
    void await_resume() const {
        finish();
        if (refused_) throw ChannelClosed();
    }
    std::string describe() const override { return "a loop channel with room"; }

  private:
    friend class LoopChannel;
    void leave() noexcept override { this->unlink(); }
    bool is_queued() const noexcept override { return this->is_linked(); }

    LoopChannel& channel_;
    T item_;
    bool refused_ = false;
};

template <class T>
class LoopChannel<T>::Receive final : public internal::LoopWaiter, public ListLink<> {
  public:
    explicit Receive(LoopChannel& channel) noexcept
        : LoopWaiter(channel.mutex_), channel_(channel) {}

    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> frame) {
        if (!checkpoint(frame)) return false;
        std::lock_guard guard(channel_.mutex_);
        item_ = channel_.pop();
        if (item_ || channel_.closed_) return ready();
        channel_.receiving_.push_back(*this);
        return wait();
    }
    std::optional<T> await_resume() {
        finish();
        return std::move(item_);
    }
    std::string describe() const override { return "a loop channel"; }

  private:
    friend class LoopChannel;
    void leave() noexcept override { this->unlink(); }
    bool is_queued() const noexcept override { return this->is_linked(); }

    LoopChannel& channel_;
    std::optional<T> item_;
};

template <class T>
bool LoopChannel<T>::push(T&& item) {
    if (Receive* receiver = receiving_.pop_front()) {
        receiver->item_.emplace(std::move(item));
        receiver->post();
        return true;
    }
    if (items_.size() >= capacity_) return false;
    items_.push_back(std::move(item));
    return true;
}

template <class T>
std::optional<T> LoopChannel<T>::pop() {
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    if (Send* sender = sending_.pop_front()) {
        items_.push_back(std::move(sender->item_));
        sender->post();
    }
    return item;
}

template <class T>
bool LoopChannel<T>::send_nowait(T&& item) {
    std::lock_guard guard(mutex_);
    if (closed_) throw ChannelClosed();
    return sending_.empty() && push(std::move(item));
}

template <class T>
std::optional<T> LoopChannel<T>::receive_nowait() {
    std::lock_guard guard(mutex_);
    return pop();
}

template <class T>
void LoopChannel<T>::close() {
    std::lock_guard guard(mutex_);
    closed_ = true;
    while (Send* sender = sending_.pop_front()) {
        sender->refused_ = true;
        sender->post();
    }
    while (Receive* receiver = receiving_.pop_front()) receiver->post();
}

}  // namespace coracle
