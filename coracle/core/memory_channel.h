// SPDX-License-Identifier: Apache-2.0
// A pair of ends, one to send and one to receive, between tasks of one loop.
#pragma once

#include <coracle/base/assert.h>
#include <coracle/base/error.h>
#include <coracle/base/intrusive_list.h>
#include <coracle/core/internal/loop_bound.h>
#include <coracle/core/park.h>

#include <concepts>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <utility>

namespace coracle {

// send() when nobody will ever receive, or on an end that was closed.
class ChannelClosed : public Error {
  public:
    ChannelClosed() : Error("send on a channel that has no receiving end any more") {}
};

struct MemoryChannelStatistics {
    std::size_t items = 0;     // sent and not yet received
    std::size_t capacity = 0;  // of the buffer
    std::size_t senders = 0;   // open ends
    std::size_t receivers = 0;
    std::size_t sending = 0;  // tasks in send()
    std::size_t receiving = 0;
};

namespace internal {

// What the ends share.
template <class T>
class ChannelState {
  public:
    ChannelState(std::size_t capacity, std::source_location created)
        : capacity_(capacity), bound_(created) {}
    ChannelState(const ChannelState&) = delete;
    ChannelState& operator=(const ChannelState&) = delete;
    ~ChannelState() { CORACLE_ASSERT(sending_.empty() && receiving_.empty()); }

    class Send;
    class Receive;

    bool send(T&& item) {
        if (Receive* receiver = receiving_.pop_front()) {
            receiver->deliver(std::move(item));
        } else if (items_.size() < capacity_) {
            items_.push_back(std::move(item));
        } else {
            return false;
        }
        return true;
    }

    std::optional<T> receive() {
        std::optional<T> item;
        Send* sender = sending_.empty() ? nullptr : &sending_.front();
        if (!items_.empty()) {
            item.emplace(std::move(items_.front()));
            items_.pop_front();
            if (sender) items_.push_back(sender->take());
        } else if (sender) {
            item.emplace(sender->take());  // a channel without a buffer
        }
        return item;
    }

    void close_sender() noexcept {
        if (--senders_ > 0) return;
        while (Receive* receiver = receiving_.pop_front()) receiver->deliver(std::nullopt);
    }
    void close_receiver() noexcept {
        if (--receivers_ > 0) return;
        items_.clear();
        while (!sending_.empty()) sending_.front().refuse();
    }

    MemoryChannelStatistics statistics() const noexcept {
        return {items_.size(), capacity_, senders_, receivers_, sending_.size(), receiving_.size()};
    }

    std::size_t senders_ = 1;
    std::size_t receivers_ = 1;
    std::size_t capacity_;
    std::deque<T> items_;
    IntrusiveList<Send> sending_;       // only while the buffer is full
    IntrusiveList<Receive> receiving_;  // only while it is empty
    LoopBound bound_;
};

template <class T>
class ChannelState<T>::Send final : public Park, public ListLink<> {
  public:
    Send(std::shared_ptr<ChannelState> state, T item) noexcept
        : state_(std::move(state)), item_(std::move(item)) {}

    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> frame) {
        if (!checkpoint(frame)) return false;
        refused_ = !state_ || state_->receivers_ == 0;
        if (refused_) return ready();
        state_->bound_.check("a memory channel");
        if (state_->send(std::move(item_))) return ready();
        state_->sending_.push_back(*this);
        return wait();
    }
    void await_resume() const {
        finish();
        if (refused_) throw ChannelClosed();
    }

    bool withdraw() noexcept override {
        this->unlink();
        return true;
    }
    std::string describe() const override {
        return "channel.send (" + std::to_string(state_->sending_.size()) + " waiting)";
    }

  private:
    friend class ChannelState;
    T take() {
        this->unlink();
        complete();
        return std::move(item_);
    }
    void refuse() noexcept {
        this->unlink();
        refused_ = true;
        complete();
    }

    std::shared_ptr<ChannelState> state_;
    T item_;
    bool refused_ = false;
};

template <class T>
class ChannelState<T>::Receive final : public Park, public ListLink<> {
  public:
    explicit Receive(std::shared_ptr<ChannelState> state) noexcept : state_(std::move(state)) {}

    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> frame) {
        if (!checkpoint(frame)) return false;
        if (!state_) return ready();
        state_->bound_.check("a memory channel");
        item_ = state_->receive();
        if (item_ || state_->senders_ == 0) return ready();
        state_->receiving_.push_back(*this);
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
        return "channel.receive (" + std::to_string(state_->receiving_.size()) + " waiting)";
    }

  private:
    friend class ChannelState;
    void deliver(std::optional<T> item) {
        item_ = std::move(item);
        complete();
    }

    std::shared_ptr<ChannelState> state_;
    std::optional<T> item_;
};

}  // namespace internal

// The sending end. Move-only; clone() it for another producer.
template <class T>
class MemorySender {
  public:
    using State = internal::ChannelState<T>;

    explicit MemorySender(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}
    MemorySender(MemorySender&&) noexcept = default;
    MemorySender& operator=(MemorySender&& other) noexcept {
        if (this != &other) {
            close();
            state_ = std::move(other.state_);
        }
        return *this;
    }
    ~MemorySender() { close(); }

    // Waits while the buffer is full. Throws ChannelClosed when every receiving end is closed, also
    // while it waits, or when this end is. Cancelling it sends nothing.
    class [[nodiscard]] Send {
      public:
        Send(std::shared_ptr<State> state, T item) noexcept
            : state_(std::move(state)), item_(std::move(item)) {}
        typename State::Send operator co_await() && {
            return typename State::Send(std::move(state_), std::move(item_));
        }

      private:
        std::shared_ptr<State> state_;
        T item_;
    };
    Send send(T item) { return Send(state_, std::move(item)); }

    // Without waiting: false, and the item stays as it was, when it would have to. Throws
    // ChannelClosed.
    bool send_nowait(T&& item) {
        if (!state_ || state_->receivers_ == 0) throw ChannelClosed();
        state_->bound_.check("a memory channel");
        return state_->send(std::move(item));
    }
    bool send_nowait(const T& item)
        requires std::copy_constructible<T>
    {
        return send_nowait(T(item));
    }

    // One more end; the receivers see the end when the last is closed. Throws ChannelClosed when
    // this one is closed.
    MemorySender clone() const {
        if (!state_) throw ChannelClosed();
        ++state_->senders_;
        return MemorySender(state_);
    }

    // What was sent stays. A send() that waits goes on. Harmless when closed.
    void close() noexcept {
        if (auto state = std::move(state_)) state->close_sender();
        state_ = nullptr;
    }
    bool is_closed() const noexcept { return !state_; }

    MemoryChannelStatistics statistics() const noexcept {
        return state_ ? state_->statistics() : MemoryChannelStatistics();
    }

  private:
    std::shared_ptr<State> state_;
};

// The receiving end. Move-only; clone() it for another consumer: each item goes to one of them.
template <class T>
class MemoryReceiver {
  public:
    using State = internal::ChannelState<T>;

    explicit MemoryReceiver(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}
    MemoryReceiver(MemoryReceiver&&) noexcept = default;
    MemoryReceiver& operator=(MemoryReceiver&& other) noexcept {
        if (this != &other) {
            close();
            state_ = std::move(other.state_);
        }
        return *this;
    }
    ~MemoryReceiver() { close(); }

    // The oldest item, waiting for one; empty once every sending end is closed and nothing is left,
    // or when this end is closed. Cancelling it loses nothing.
    class [[nodiscard]] Receive {
      public:
        explicit Receive(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}
        typename State::Receive operator co_await() && {
            return typename State::Receive(std::move(state_));
        }

      private:
        std::shared_ptr<State> state_;
    };
    Receive receive() { return Receive(state_); }

    // Without waiting: empty when there is nothing.
    std::optional<T> receive_nowait() {
        if (!state_) return std::nullopt;
        state_->bound_.check("a memory channel");
        return state_->receive();
    }

    MemoryReceiver clone() const {
        if (!state_) throw Error("clone() of the receiving end of a channel that is closed");
        ++state_->receivers_;
        return MemoryReceiver(state_);
    }

    // With the last end what is in the buffer goes, and senders are refused. Harmless when closed.
    void close() noexcept {
        if (auto state = std::move(state_)) state->close_receiver();
        state_ = nullptr;
    }
    bool is_closed() const noexcept { return !state_; }

    MemoryChannelStatistics statistics() const noexcept {
        return state_ ? state_->statistics() : MemoryChannelStatistics();
    }

  private:
    std::shared_ptr<State> state_;
};

template <class T>
struct MemoryChannel {
    MemorySender<T> sender;
    MemoryReceiver<T> receiver;
};

// Trio's open_memory_channel: a buffer of `capacity` items, which may be none: then send() waits
// for a receiver. Unlike a Queue it ends by itself, when the last sender has gone. Belongs to one
// loop.
//
//   auto [sender, receiver] = open_memory_channel<Page>(10);
//   group.create_task(crawl, std::move(sender));
//   while (auto page = co_await receiver.receive()) use(*page);
//
// Fair: both sides are served in the order in which they came.
template <class T>
MemoryChannel<T> open_memory_channel(
    std::size_t capacity, std::source_location created = std::source_location::current()) {
    auto state = std::make_shared<internal::ChannelState<T>>(capacity, created);
    return {MemorySender<T>(state), MemoryReceiver<T>(state)};
}

}  // namespace coracle
