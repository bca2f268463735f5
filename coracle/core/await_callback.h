// SPDX-License-Identifier: Apache-2.0
// await_callback(): awaits a C function that takes a callback and a user pointer.
#pragma once

#include <coracle/base/error.h>
#include <coracle/core/foreign_park.h>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace coracle {

// What the function that cancels answers.
enum class AfterCancel : std::uint8_t {
    callback_comes,        // it is still called, now or later, perhaps with a status that says so
    callback_never_comes,  // the library has forgotten it, and the user pointer
};

// The start function returned an int other than zero: the library refused, and calls nothing back.
class CallbackRefused : public Error {
  public:
    explicit CallbackRefused(int code);
    int code() const noexcept { return code_; }

  private:
    int code_;
};

// Implementation of what these name is below.
template <class... Results>
class CallbackFunction;
template <class Start, class Cancel, class... Results>
class CallbackCall;

namespace internal {

struct NoCancel {
    AfterCancel operator()() const noexcept { return AfterCancel::callback_comes; }
};

// How a callable is kept: a temporary by value, a named one by reference.
template <class F>
using CallbackKept = std::conditional_t<std::is_lvalue_reference_v<F> &&
                                            !std::is_function_v<std::remove_reference_t<F>>,
                                        F, std::decay_t<F>>;

template <class F>
constexpr void check_callback_callable() {
    static_assert(
        std::is_lvalue_reference_v<F> || std::is_trivially_copyable_v<std::decay_t<F>>,
        "name a lambda that owns something first: inside a co_await expression GCC 12 destroys it "
        "twice; capture by [&] otherwise");
}

}  // namespace internal

// Calls start(done, user), which is to hand both to a C library, and waits until the library calls
// done. Gives what it was called with, as Results: nothing, one value, or a std::tuple. The results
// are made from the callback's arguments before it returns, so `std::string` copies a
// `const char*` that only lives that long.
//
// ```cpp
// struct Query;   // of a C library
// Query* resolver_start(const char* name,
//                       void (*done)(void* user, int status, const char* address), void* user);
// void resolver_cancel(Query* query);   // done comes all the same, with status -1
//
// Task<std::string> resolve(std::string name) {
//     Query* query = nullptr;
//     auto [status, address] = co_await await_callback<int, std::string>(
//         [&](auto done, void* user) {
//             query = resolver_start(name.c_str(), done, user);
//             if (!query) throw Error("resolve " + name + ": out of memory");
//         },
//         [&] { resolver_cancel(query); });
//     if (status == -1) co_await checkpoint();       // throws Cancelled if it was cancelled
//     if (status != 0) throw Error("resolve " + name + ": status " + std::to_string(status));
//     co_return address;
// }
// ```
//
//   start   called once, on the loop's thread, at once. Returns nothing, or an int: other than zero
//           means refused, done will not be called, and CallbackRefused is thrown. What it throws
//           is thrown; then, too, done must not be called after it.
//   done    converts to any function pointer whose first or last parameter is the `void*` and whose
//           others make the Results, one each. If it returns something, that is a zero. When both
//           ends could be the user pointer, say done.user_first() or done.user_last(). To be called
//           once, on any thread, also inside start() or cancel(). A second call aborts, as far as
//           it can be known: always before the await has ended, in debug mode (see is_debug()) also
//           after it. An exception of making the results is thrown to the awaiting task.
//   user    valid until done was called, or cancel said that it never is.
//   cancel  called at most once, on the loop's thread, when the caller's scope is cancelled while
//           it waits; perhaps while done runs on another thread. Returns an AfterCancel, or
//           nothing for callback_comes. Must not throw. Without it, cancelling waits for done.
//
// start and cancel are functions, lambdas that capture by reference or trivially copyable values,
// or named, and then used where they stand.
//
// Cancellation: a checkpoint; start is not called in a cancelled scope. Cancelled while it waits,
// the task goes on only when done has come, or never will: with Cancelled in that case only. A
// result that came wins, also over callback_never_comes, and one that says "aborted" is a result
// like any other: look at it, keep or close what it owns, and throw Cancelled by
// `co_await checkpoint()`, as above.
template <class... Results, class Start, class Cancel = internal::NoCancel>
CallbackCall<internal::CallbackKept<Start>, internal::CallbackKept<Cancel>, Results...>
await_callback(Start&& start, Cancel&& cancel = Cancel()) {
    internal::check_callback_callable<Start>();
    internal::check_callback_callable<Cancel>();
    return CallbackCall<internal::CallbackKept<Start>, internal::CallbackKept<Cancel>, Results...>(
        std::forward<Start>(start), std::forward<Cancel>(cancel));
}

// Implementation

namespace internal {

class CallbackWait;

// What the user pointer points to.
struct CallbackTicket;

// All of the wait that does not depend on types.
class CallbackWait : public ForeignPark {
  public:
    bool await_ready() const noexcept { return false; }
    bool withdraw() noexcept final;
    std::string describe() const final { return "a C callback"; }

    // On the library's thread: the wait that `user` is for, claimed; aborts on a second call.
    static CallbackWait& called(void* user) noexcept;
    using ForeignPark::deliver;

  protected:
    CallbackWait();
    ~CallbackWait();

    void* user() noexcept { return ticket_.get(); }
    // Instead of a beginning: the wait is over with this exception.
    void start_threw(std::exception_ptr error) noexcept;

    std::exception_ptr error_;

  private:
    struct Retire {
        void operator()(CallbackTicket* ticket) const noexcept;
    };
    virtual AfterCancel call_cancel() noexcept = 0;

    std::unique_ptr<CallbackTicket, Retire> ticket_;
    bool asked_ = false;  // cancel was called
};

template <class... Results>
struct CallbackOutcome {
    using Type = std::tuple<Results...>;
};
template <class Result>
struct CallbackOutcome<Result> {
    using Type = Result;
};
template <>
struct CallbackOutcome<> {
    using Type = void;
};

template <class... Results>
class CallbackWaitOf : public CallbackWait {
  public:
    template <class... A>
    void keep(A&&... arguments) noexcept {
        try {
            results_.emplace(std::forward<A>(arguments)...);
        } catch (...) {
            error_ = std::current_exception();
        }
        deliver();
    }

    typename CallbackOutcome<Results...>::Type await_resume() {
        finish();
        if (error_) std::rethrow_exception(std::move(error_));
        if constexpr (sizeof...(Results) == 1) {
            return std::get<0>(std::move(*results_));
        } else if constexpr (sizeof...(Results) > 1) {
            return std::move(*results_);
        }
    }

  private:
    std::optional<std::tuple<Results...>> results_;
};

// What is left of the parameters without the user pointer.
template <class... P>
struct CallbackParameters {};
template <class Seen, class... P>
struct SplitLast;
template <class... Seen, class Last>
struct SplitLast<CallbackParameters<Seen...>, Last> {
    using Front = CallbackParameters<Seen...>;
    using Back = Last;
};
template <class... Seen, class Next, class After, class... P>
struct SplitLast<CallbackParameters<Seen...>, Next, After, P...>
    : SplitLast<CallbackParameters<Seen..., Next>, After, P...> {};

// Whether they make the results, one each.
template <class Given, class Results>
inline constexpr bool makes_results = false;
template <class... P, class... Results>
    requires(sizeof...(P) == sizeof...(Results))
inline constexpr bool makes_results<CallbackParameters<P...>, CallbackParameters<Results...>> =
    (std::is_constructible_v<Results, P> && ...);

template <class Results, class... P>
inline constexpr bool user_is_first = false;
template <class Results, class First, class... P>
inline constexpr bool user_is_first<Results, First, P...> =
    std::is_same_v<First, void*> && makes_results<CallbackParameters<P...>, Results>;

template <class Results, class... P>
inline constexpr bool user_is_last = false;
template <class Results, class First, class... P>
inline constexpr bool user_is_last<Results, First, P...> =
    std::is_same_v<typename SplitLast<CallbackParameters<>, First, P...>::Back, void*> &&
    makes_results<typename SplitLast<CallbackParameters<>, First, P...>::Front, Results>;

// What the library calls.
template <class Wait, class R, class... P>
R callback_user_first(void* user, P... arguments) {
    static_cast<Wait&>(CallbackWait::called(user)).keep(std::forward<P>(arguments)...);
    return R();
}

template <class Wait, class... P, std::size_t... I>
void call_user_last(std::tuple<P&&...> arguments, std::index_sequence<I...>) {
    void* user = std::get<sizeof...(I)>(arguments);
    static_cast<Wait&>(CallbackWait::called(user)).keep(std::get<I>(std::move(arguments))...);
}
template <class Wait, class R, class... P>
R callback_user_last(P... arguments) {
    call_user_last<Wait, P...>(std::tuple<P&&...>(std::forward<P>(arguments)...),
                               std::make_index_sequence<sizeof...(P) - 1>());
    return R();
}

template <class Wait, class R, class First, class... P>
constexpr auto address_user_first(R (*)(First, P...)) {
    return &callback_user_first<Wait, R, P...>;
}

template <class R, class... P>
using FunctionPointer = R (*)(P...);

// `done`, with the place of the user pointer said.
template <class... Results>
class CallbackUserFirst {
  public:
    template <class R, class... P>
        requires user_is_first<CallbackParameters<Results...>, P...>
    operator FunctionPointer<R, P...>() const noexcept {
        return address_user_first<CallbackWaitOf<Results...>>(FunctionPointer<R, P...>());
    }
};
template <class... Results>
class CallbackUserLast {
  public:
    template <class R, class... P>
        requires user_is_last<CallbackParameters<Results...>, P...>
    operator FunctionPointer<R, P...>() const noexcept {
        return &callback_user_last<CallbackWaitOf<Results...>, R, P...>;
    }
};

}  // namespace internal

// What start() gets as `done`; converts to the function pointer that the library wants.
template <class... Results>
class CallbackFunction {
  public:
    template <class R, class... P>
        requires(internal::user_is_first<internal::CallbackParameters<Results...>, P...> !=
                     internal::user_is_last<internal::CallbackParameters<Results...>, P...> ||
                 sizeof...(P) == 1)
    operator internal::FunctionPointer<R, P...>() const noexcept {
        if constexpr (internal::user_is_first<internal::CallbackParameters<Results...>, P...>) {
            return user_first();
        } else {
            return user_last();
        }
    }

    // Say where the user pointer is, when both ends could be it.
    internal::CallbackUserFirst<Results...> user_first() const noexcept { return {}; }
    internal::CallbackUserLast<Results...> user_last() const noexcept { return {}; }
};

// A call that has not been made: what await_callback() returns. Awaited as an rvalue, or given to
// gather(), wait_for() and the like.
template <class Start, class Cancel, class... Results>
class [[nodiscard]] CallbackCall {
  public:
    CallbackCall(Start&& start, Cancel&& cancel) noexcept
        : start_(std::forward<Start>(start)), cancel_(std::forward<Cancel>(cancel)) {}

    class Awaiter;
    Awaiter operator co_await() && {
        return Awaiter(std::forward<Start>(start_), std::forward<Cancel>(cancel_));
    }

  private:
    Start start_;
    Cancel cancel_;
};

template <class Start, class Cancel, class... Results>
class CallbackCall<Start, Cancel, Results...>::Awaiter final
    : public internal::CallbackWaitOf<Results...> {
  public:
    Awaiter(Start&& start, Cancel&& cancel)
        : start_(std::forward<Start>(start)), cancel_(std::forward<Cancel>(cancel)) {}

    template <class P>
    bool await_suspend(std::coroutine_handle<P> frame) {
        if (!this->checkpoint(frame)) return false;
        try {
            call_start();
        } catch (...) {
            this->start_threw(std::current_exception());
        }
        return this->begun();
    }

  private:
    void call_start() {
        using Done = CallbackFunction<Results...>;
        static_assert(std::is_invocable_v<Start&, Done, void*>,
                      "start takes (auto done, void* user)");
        using Returned = std::invoke_result_t<Start&, Done, void*>;
        static_assert(std::is_void_v<Returned> || std::is_same_v<Returned, int>,
                      "start returns nothing, or an int that is zero when it has begun");
        if constexpr (std::is_void_v<Returned>) {
            std::invoke(start_, Done(), this->user());
        } else {
            int code = std::invoke(start_, Done(), this->user());
            if (code != 0) throw CallbackRefused(code);
        }
    }

    AfterCancel call_cancel() noexcept override {
        using Returned = std::invoke_result_t<Cancel&>;
        static_assert(std::is_void_v<Returned> || std::is_same_v<Returned, AfterCancel>,
                      "cancel returns nothing, or an AfterCancel");
        if constexpr (std::is_void_v<Returned>) {
            std::invoke(cancel_);
            return AfterCancel::callback_comes;
        } else {
            return std::invoke(cancel_);
        }
    }

    Start start_;
    Cancel cancel_;
};

}  // namespace coracle
