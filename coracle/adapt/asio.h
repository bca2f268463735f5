// SPDX-License-Identifier: Apache-2.0
// use_task: a completion token that makes Boost.Asio's operations awaitable in a task.
#pragma once

#include <coracle/base/error.h>
#include <coracle/core/cancel.h>
#include <coracle/core/foreign_park.h>

#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace coracle {

// An operation of Asio ended with an error code: "asio: End of file (asio.misc 2)".
class AsioError : public Error {
  public:
    explicit AsioError(const boost::system::error_code& code)
        : Error("asio: " + code.message() + " (" + code.category().name() + " " +
                std::to_string(code.value()) + ")"),
          code_(code) {}
    const boost::system::error_code& code() const noexcept { return code_; }

  private:
    boost::system::error_code code_;
};

// The type of use_task.
class UseTask {
  public:
    constexpr UseTask() noexcept = default;
};

// Pass it to any of Asio's asynchronous operations and await what that returns:
//
// ```cpp
// #include <coracle/adapt/asio.h>
// #include <boost/asio/as_tuple.hpp>
// #include <boost/asio/ip/tcp.hpp>
// #include <boost/asio/write.hpp>
// namespace asio = boost::asio;
//
// Task<void> echo(asio::ip::tcp::socket socket) {
//     char data[512];
//     while (true) {
//         auto [error, count] =
//             co_await socket.async_read_some(asio::buffer(data), asio::as_tuple(use_task));
//         if (error == asio::error::eof) break;
//         if (error) throw AsioError(error);
//         co_await asio::async_write(socket, asio::buffer(data, count), use_task);
//     }
// }
// ```
//
// Gives what the handler would get: nothing, one value, or a std::tuple. A leading error_code is
// left out and thrown as AsioError when it is set; a leading exception_ptr is rethrown. Asio's own
// adaptor keeps the code: as_tuple(use_task).
//
// The task stays on its loop; the io_context may run on the same thread (the loop its guest) or on
// another. It must go on running until the operation has ended. When the operation names its
// executor, as those of sockets, timers and streams do, it is begun and cancelled there, else on
// the loop's thread. So an object on another thread is only touched there; one whose io_context
// runs on several threads needs a strand, as ever. Your own calls keep to the same: while an
// operation runs on another thread, its object's cancel() or close() is not for the loop's.
// If Asio destroys the handler without calling it, as an io_context does at its end, AsioError
// says operation_aborted.
//
// Cancellation: a checkpoint; nothing is begun in a cancelled scope. Cancelled while it waits, the
// operation gets Asio's per-operation cancellation (terminal), and the task goes on when the
// handler was called: with Cancelled if that says operation_aborted, else with the result or error
// that won. Under as_tuple nothing is thrown: the code says operation_aborted, the other values say
// how far it came, and the next checkpoint throws Cancelled. An operation without support for
// per-operation cancellation is waited for.
inline constexpr UseTask use_task;

// Implementation

namespace internal {

// What the wait, the handler, and calls on their way to the executor share.
class AsioState {
  public:
    AsioState(const AsioState&) = delete;
    AsioState& operator=(const AsioState&) = delete;

    boost::asio::cancellation_slot slot() noexcept { return signal_.slot(); }

    // Calls `initiate` unless the wait was withdrawn. A handler may be called in there.
    template <class F>
    void begin(F&& initiate) noexcept {
        std::lock_guard guard(mutex_);
        if (over_) return;
        stage_ = Stage::beginning;
        try {
            initiate();
        } catch (...) {
            fail(std::current_exception());
        }
        stage_ = Stage::begun;
        if (dropped_) fail(aborted());
    }

    // True when nothing was begun, and nothing will be.
    bool withdraw() noexcept {
        std::lock_guard guard(mutex_);
        if (over_ || stage_ != Stage::created) return false;
        over_ = true;
        return true;
    }

    // On the operation's executor.
    void emit() noexcept {
        std::lock_guard guard(mutex_);
        if (!over_) signal_.emit(boost::asio::cancellation_type::terminal);
    }

    // The handler is gone and was not called.
    void handler_dropped() noexcept {
        std::lock_guard guard(mutex_);
        dropped_ = true;
        // While it begins, the exception that did it says more.
        if (stage_ != Stage::beginning) fail(aborted());
    }

  protected:
    AsioState() = default;
    ~AsioState() = default;

    // Whether the caller is the one who ends the operation.
    bool end() noexcept {
        std::lock_guard guard(mutex_);
        return !std::exchange(over_, true);
    }

  private:
    enum class Stage : unsigned char { created, beginning, begun };

    virtual void deliver_error(std::exception_ptr error) noexcept = 0;

    void fail(std::exception_ptr error) noexcept {
        if (end()) deliver_error(std::move(error));
    }
    static std::exception_ptr aborted() {
        return std::make_exception_ptr(AsioError(boost::asio::error::operation_aborted));
    }

    // Recursive: handlers may be called inside begin() and emit().
    std::recursive_mutex mutex_;
    boost::asio::cancellation_signal signal_;
    Stage stage_ = Stage::created;
    bool dropped_ = false;
    bool over_ = false;
};

// What a handler's arguments become: the leading error is thrown.
template <class... Values>
struct AsioOutcome {
    using Type = std::tuple<Values...>;
};
template <>
struct AsioOutcome<> {
    using Type = void;
};
template <class Value>
struct AsioOutcome<Value> {
    using Type = Value;
};
template <class... Values>
struct AsioOutcome<boost::system::error_code, Values...> : AsioOutcome<Values...> {};
template <class... Values>
struct AsioOutcome<std::exception_ptr, Values...> : AsioOutcome<Values...> {};
template <>
struct AsioOutcome<boost::system::error_code> : AsioOutcome<> {};
template <>
struct AsioOutcome<std::exception_ptr> : AsioOutcome<> {};

inline bool is_asio_abort(const boost::system::error_code& code) noexcept {
    return code == boost::system::errc::operation_canceled;
}
inline bool is_asio_abort(const std::exception_ptr& error) noexcept {
    try {
        std::rethrow_exception(error);
    } catch (const boost::system::system_error& thrown) {
        return is_asio_abort(thrown.code());
    } catch (...) {  // tidy: looked at here; the caller throws it
        return false;
    }
}

// Waits for a handler with these arguments.
template <class... Args>
class AsioWait : public ForeignPark {
  public:
    class State final : public AsioState {
      public:
        explicit State(AsioWait& wait) noexcept : wait_(wait) {}

        template <class... A>
        void complete(A&&... arguments) noexcept {
            if (!end()) return;
            try {
                wait_.results_.emplace(std::forward<A>(arguments)...);
            } catch (...) {
                wait_.error_ = std::current_exception();
            }
            wait_.deliver();
        }

      private:
        void deliver_error(std::exception_ptr error) noexcept override {
            wait_.error_ = std::move(error);
            wait_.deliver();
        }

        AsioWait& wait_;  // there until the operation is over
    };

    bool await_ready() const noexcept { return false; }

    typename AsioOutcome<Args...>::Type await_resume() {
        finish();
        if (error_) std::rethrow_exception(std::move(error_));
        return std::apply([this](auto&&... values) { return this->outcome(std::move(values)...); },
                          std::move(*results_));
    }

    bool withdraw() noexcept final {
        if (state_->withdraw()) return true;
        if (!std::exchange(asked_, true)) request_cancel();
        return false;
    }
    std::string describe() const final { return "an Asio operation"; }

  protected:
    AsioWait() : state_(std::make_shared<State>(*this)) {}
    ~AsioWait() = default;

    std::shared_ptr<State> state_;

  private:
    virtual void request_cancel() noexcept = 0;

    template <class... Values>
    auto outcome(boost::system::error_code code, Values... values) {
        if (code) {
            throw_if_ours(is_asio_abort(code));
            throw AsioError(code);
        }
        return plain(std::move(values)...);
    }
    template <class... Values>
    auto outcome(std::exception_ptr error, Values... values) {
        if (error) {
            throw_if_ours(is_asio_abort(error));
            std::rethrow_exception(std::move(error));
        }
        return plain(std::move(values)...);
    }
    template <class... Values>
    auto outcome(Values... values) {
        return plain(std::move(values)...);
    }

    static void plain() {}
    template <class Value>
    static Value plain(Value value) {
        return value;
    }
    template <class... Values>
    static std::tuple<Values...> plain(Values... values) {
        return std::tuple<Values...>(std::move(values)...);
    }

    // An abort that this wait has asked for is its scope's.
    void throw_if_ours(bool is_abort) const {
        if (is_abort && asked_) throw Cancelled(std::string(task()->scope->reason()));
    }

    std::optional<std::tuple<Args...>> results_;
    std::exception_ptr error_;
    bool asked_ = false;
};

// What Asio calls.
template <class State>
class AsioHandler {
  public:
    using cancellation_slot_type = boost::asio::cancellation_slot;

    explicit AsioHandler(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}
    AsioHandler(AsioHandler&&) noexcept = default;
    AsioHandler& operator=(AsioHandler&&) = delete;
    ~AsioHandler() {
        if (state_) state_->handler_dropped();
    }

    template <class... A>
    void operator()(A&&... arguments) {
        std::exchange(state_, nullptr)->complete(std::forward<A>(arguments)...);
    }

    cancellation_slot_type get_cancellation_slot() const noexcept { return state_->slot(); }

  private:
    std::shared_ptr<State> state_;
};

// The executor of the object whose operation it is; adaptors such as as_tuple keep the initiation
// that knows it as a member.
template <class Initiation>
constexpr bool knows_asio_executor() {
    if constexpr (requires(const Initiation& it) { it.get_executor(); }) {
        return true;
    } else if constexpr (requires(const Initiation& it) { it.initiation_; }) {
        return knows_asio_executor<std::remove_cvref_t<decltype(Initiation::initiation_)>>();
    } else {
        return false;
    }
}
template <class Initiation>
auto asio_executor(const Initiation& initiation) {
    if constexpr (requires { initiation.get_executor(); }) {
        return initiation.get_executor();
    } else if constexpr (knows_asio_executor<Initiation>()) {
        return asio_executor(initiation.initiation_);
    } else {
        return std::monostate();
    }
}

template <class Initiation, class InitArgs, class... Args>
class AsioAwaiter final : public AsioWait<Args...> {
    using State = typename AsioWait<Args...>::State;

  public:
    AsioAwaiter(Initiation initiation, InitArgs arguments)
        : executor_(asio_executor(initiation)),
          initiation_(std::move(initiation)),
          arguments_(std::move(arguments)) {}

    template <class P>
    bool await_suspend(std::coroutine_handle<P> frame) {
        if (!this->checkpoint(frame)) return false;
        auto begin = [this, state = this->state_,
                      handler = AsioHandler<State>(this->state_)]() mutable {
            state->begin([&] { initiate(std::move(handler)); });
        };
        if constexpr (knows_asio_executor<Initiation>()) {
            boost::asio::dispatch(executor_, std::move(begin));
        } else {
            begin();
        }
        return this->begun();
    }

  private:
    // From locals: the operation may end, and this with it, before Asio's function returns.
    void initiate(AsioHandler<State> handler) {
        Initiation initiation = std::move(initiation_);
        InitArgs arguments = std::move(arguments_);
        std::apply(
            [&](auto&... values) {
                std::move(initiation)(std::move(handler), std::move(values)...);
            },
            arguments);
    }

    void request_cancel() noexcept override {
        if constexpr (knows_asio_executor<Initiation>()) {
            boost::asio::post(executor_, [state = this->state_] { state->emit(); });
        } else {
            this->state_->emit();
        }
    }

    decltype(asio_executor(std::declval<const Initiation&>())) executor_;
    Initiation initiation_;
    InitArgs arguments_;
};

}  // namespace internal

// An operation that has not begun: what Asio's functions return for use_task. Awaited as an rvalue,
// or given to gather(), wait_for() and the like. Refers to the object it is of.
template <class Initiation, class InitArgs, class... Args>
class [[nodiscard]] AsioOperation {
  public:
    AsioOperation(Initiation initiation, InitArgs arguments)
        : initiation_(std::move(initiation)), arguments_(std::move(arguments)) {}
    internal::AsioAwaiter<Initiation, InitArgs, Args...> operator co_await() && {
        return internal::AsioAwaiter<Initiation, InitArgs, Args...>(std::move(initiation_),
                                                                    std::move(arguments_));
    }

  private:
    Initiation initiation_;
    InitArgs arguments_;
};

}  // namespace coracle

namespace boost::asio {

template <class R, class... Args>
class async_result<coracle::UseTask, R(Args...)> {
  public:
    template <class Initiation, class... InitArgs>
    static auto initiate(Initiation initiation, coracle::UseTask, InitArgs... arguments) {
        return coracle::AsioOperation<Initiation, std::tuple<InitArgs...>, std::decay_t<Args>...>(
            std::move(initiation), std::tuple<InitArgs...>(std::move(arguments)...));
    }
};

}  // namespace boost::asio
