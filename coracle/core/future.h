// SPDX-License-Identifier: Apache-2.0
// Future<T>: a result that somebody sets later.
#pragma once

#include <coracle/base/error.h>
#include <coracle/base/intrusive_list.h>
#include <coracle/base/move_function.h>
#include <coracle/core/park.h>

#include <concepts>
#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace coracle {

class EventLoop;

// Setting a future that is done, or reading one that is not.
class InvalidStateError : public Error {
  public:
    using Error::Error;
};

namespace internal {

class FutureWait;

// All of a future but its value.
class FutureState {
  public:
    // On the loop that runs here; aborts outside of one.
    explicit FutureState(std::source_location created);
    FutureState(const FutureState&) = delete;
    FutureState& operator=(const FutureState&) = delete;

    bool is_done() const noexcept { return done_; }
    bool was_cancelled() const noexcept { return cancelled_; }
    std::exception_ptr exception();
    void set_exception(std::exception_ptr error);
    bool cancel(std::string_view reason);
    void add_done_callback(MoveFunction<void()> fn);
    // Throws when it is not done, was cancelled, or has an exception.
    void require_value();

    IntrusiveList<FutureWait>& waiters() noexcept { return waiters_; }

  protected:
    ~FutureState();
    // Before the value is set; throws InvalidStateError.
    void require_pending() const;
    // After it.
    void become_done();

  private:
    void check_thread() const noexcept;
    void report_unread() const noexcept;

    EventLoop& loop_;
    IntrusiveList<FutureWait> waiters_;
    std::vector<MoveFunction<void()>> callbacks_;
    std::exception_ptr error_;
    std::string reason_;
    std::source_location created_;
    bool done_ = false;
    bool cancelled_ = false;
    bool error_was_read_ = false;
};

template <class T>
class FutureStateOf final : public FutureState {
  public:
    using Value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;
    using FutureState::FutureState;

    void set_value(Value value) {
        require_pending();
        value_.emplace(std::move(value));
        become_done();
    }
    T take() {
        require_value();
        if constexpr (std::copy_constructible<Value> && !std::is_void_v<T>) {
            return *value_;
        } else if constexpr (!std::is_void_v<T>) {
            return std::move(*value_);
        }
    }

  private:
    std::optional<Value> value_;
};

// Waits until the future is done. Cancelling it leaves the future alone.
class FutureWait : public Park, public ListLink<> {
  public:
    explicit FutureWait(std::shared_ptr<FutureState> state) noexcept : state_(std::move(state)) {}

    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> frame) noexcept {
        if (!checkpoint(frame)) return false;
        if (state_->is_done()) return ready();
        state_->waiters().push_back(*this);
        return wait();
    }
    void await_resume() const { finish(); }

    bool withdraw() noexcept override;
    std::string describe() const override;
    void future_done() noexcept { complete(); }

  protected:
    FutureState& state() const noexcept { return *state_; }

  private:
    std::shared_ptr<FutureState> state_;
};

}  // namespace internal

// asyncio's Future: the bridge from callbacks to tasks. Copies refer to one result. Belongs to the
// loop it was created on, and is not to be set after that has ended; another thread sets it by
// loop.call_soon_threadsafe().
//
//   auto reply = create_future<std::string>();
//   legacy.query(text, [reply](std::string answer) mutable {
//       reply.set_result(std::move(answer));
//   });
//   std::string answer = co_await reply;          // by name: a temporary does not compile
//
// Several tasks may wait; each gets a copy of the result, or, when T cannot be copied, the first
// gets it. Awaiting a future that was cancelled throws TaskCancelledError, an error of the waiter's
// like any other. Cancelling a task that waits leaves the future alone (asyncio cancels it).
// An exception that nobody has read when the last copy goes is logged.
template <class T>
class Future {
  public:
    using State = internal::FutureStateOf<T>;

    explicit Future(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}

    bool done() const noexcept { return state_->is_done(); }
    bool cancelled() const noexcept { return state_->was_cancelled(); }

    // Once; InvalidStateError when it is done, also by cancel().
    template <class U = T>
        requires(!std::is_void_v<T> && std::convertible_to<U &&, T>)
    void set_result(U&& value) {
        state_->set_value(std::forward<U>(value));
    }
    void set_result()
        requires std::is_void_v<T>
    {
        state_->set_value({});
    }
    void set_exception(std::exception_ptr error) { state_->set_exception(std::move(error)); }
    template <class E>
        requires std::derived_from<E, std::exception>
    void set_exception(E error) {
        state_->set_exception(std::make_exception_ptr(std::move(error)));
    }
    // False when it is done.
    bool cancel(std::string_view reason = {}) { return state_->cancel(reason); }

    // Only when done(); InvalidStateError otherwise. Throws the exception, or TaskCancelledError.
    T result() { return state_->take(); }
    // Null after success or cancellation.
    std::exception_ptr exception() { return state_->exception(); }

    // Calls fn from the loop once it is done; soon, if it is. An exception of fn goes to the loop's
    // exception handler.
    void add_done_callback(MoveFunction<void()> fn) { state_->add_done_callback(std::move(fn)); }

    // Waits until it is done, and then is as result().
    class Awaiter;
    Awaiter operator co_await() const& noexcept { return Awaiter(state_); }
    Awaiter operator co_await() && = delete;

  private:
    std::shared_ptr<State> state_;
};

template <class T>
class Future<T>::Awaiter final : public internal::FutureWait {
  public:
    explicit Awaiter(std::shared_ptr<State> state) noexcept : FutureWait(std::move(state)) {}
    T await_resume() {
        finish();
        return static_cast<State&>(state()).take();
    }
};

// A future of the running loop. Aborts outside of one.
template <class T = void>
[[nodiscard]] Future<T> create_future(
    std::source_location created = std::source_location::current()) {
    return Future<T>(std::make_shared<internal::FutureStateOf<T>>(created));
}

}  // namespace coracle
