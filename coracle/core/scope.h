// SPDX-License-Identifier: Apache-2.0
// Running a body inside a cancellation scope: timeout, wait_for, move_on_after, fail_after, shield,
// cancel_scope.
#pragma once

#include <coracle/base/clock.h>
#include <coracle/base/error.h>
#include <coracle/core/awaitable.h>
#include <coracle/core/cancel.h>
#include <coracle/core/loop.h>
#include <coracle/core/task.h>

#include <chrono>
#include <coroutine>
#include <exception>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace coracle {

namespace internal {

// A body is kept by value when it is an rvalue, so it must hold nothing that GCC 12.2 would destroy
// twice.
template <class Body>
constexpr void check_body() {
    static_assert(
        std::is_lvalue_reference_v<Body> || std::is_trivially_copyable_v<std::decay_t<Body>>,
        "capture by reference ([&]), or name the lambda first: an owning lambda inside a co_await "
        "expression "
        "is destroyed twice by GCC 12");
}

// A task that exists already, to run inside a scope.
template <class T>
class HeldTask {
  public:
    using Value = T;
    explicit HeldTask(Task<T> task) noexcept : task_(std::move(task)) {}
    Task<T> start(CancelScope&) noexcept { return std::move(task_); }

  private:
    Task<T> task_;
};

template <class Body>
inline constexpr bool takes_scope = std::is_invocable_v<std::decay_t<Body>&, CancelScope&>;

template <class Body>
struct BodyTask {
    using Type = std::invoke_result_t<Body&>;
};
template <class Body>
    requires takes_scope<Body>
struct BodyTask<Body> {
    using Type = std::invoke_result_t<Body&, CancelScope&>;
};

// A body to call inside a scope, kept for as long as its coroutine runs.
template <class Body>
class HeldBody {
  public:
    using Value = typename BodyTask<Body>::Type::value_type;
    template <class B>
    explicit HeldBody(std::in_place_t, B&& body) : body_(std::forward<B>(body)) {}
    Task<Value> start([[maybe_unused]] CancelScope& scope) {
        if constexpr (takes_scope<Body>) {
            return body_(scope);
        } else {
            return body_();
        }
    }

  private:
    Body body_;
};

// Enters a scope on the running task, runs a Task inside it, and leaves the scope whatever happens.
// What becomes of the outcome is the Policy's: it has `using Result`, `prepare(CancelScope&)` and
// `Result finish(CancelScope&, take)`.
template <class Held, class Policy>
class ScopedAwaiter {
    using T = typename Held::Value;

  public:
    ScopedAwaiter(Held held, Policy policy) : held_(std::move(held)), policy_(policy) {}
    ScopedAwaiter(const ScopedAwaiter&) = delete;
    ScopedAwaiter& operator=(const ScopedAwaiter&) = delete;

    bool await_ready() const noexcept { return false; }

    template <class P>
    bool await_suspend(std::coroutine_handle<P> parent) {
        TaskNode& node = *parent.promise().task;
        scope_.emplace(node.loop, node.scope, Policy::shields);
        scope_->internal_enter(node);
        try {
            policy_.prepare(*scope_, node.loop);
            task_.emplace(held_.start(*scope_));
        } catch (...) {
            failed_ = std::current_exception();
            return false;
        }
        return inner().await_suspend(parent);
    }

    typename Policy::Result await_resume() {
        scope_->internal_leave();
        return policy_.finish(*scope_, [this]() -> T {
            if (failed_) std::rethrow_exception(failed_);
            return inner().await_resume();
        });
    }

  private:
    typename Task<T>::Awaiter inner() const noexcept {
        return typename Task<T>::Awaiter(task_->internal_frame());
    }

    Held held_;
    Policy policy_;
    std::exception_ptr failed_;  // the body threw instead of giving a Task
    std::optional<Task<T>> task_;
    std::optional<CancelScope> scope_;
};

// The awaitable that the functions below return: what to run and what to do around it.
template <class Held, class Policy>
class [[nodiscard]] Scoped {
  public:
    Scoped(Held held, Policy policy) : held_(std::move(held)), policy_(policy) {}
    ScopedAwaiter<Held, Policy> operator co_await() && {
        return ScopedAwaiter<Held, Policy>(std::move(held_), policy_);
    }

  private:
    Held held_;
    Policy policy_;
};

// TimeoutError that says what ended the body: `span`, zero for a moment, or cancel() by hand.
[[noreturn]] void throw_timeout(const CancelScope& scope, Duration span);

inline void set_deadline(CancelScope& scope, EventLoop& loop, TimePoint when, Duration span) {
    scope.set_deadline(when != no_deadline ? when : saturating_add(loop.time(), span));
}

// TimeoutError when the scope's own deadline ended the body.
template <class T>
struct FailAt {
    using Result = T;
    static constexpr bool shields = false;
    TimePoint when = no_deadline;
    Duration span{};
    bool can_move = false;  // the body has its scope and may have changed the deadline

    void prepare(CancelScope& scope, EventLoop& loop) { set_deadline(scope, loop, when, span); }

    template <class Take>
    T finish(CancelScope& scope, Take&& take) {
        try {
            return take();
        } catch (const Cancelled&) {
            if (!scope.internal_absorbs()) throw;
        }
        throw_timeout(scope, can_move ? Duration::zero() : span);
    }
};

// A value that says whether the deadline ended the body.
template <class T>
struct MoveOnAt {
    using Result =
        std::conditional_t<std::is_void_v<T>, bool,
                           std::optional<std::conditional_t<std::is_void_v<T>, bool, T>>>;
    static constexpr bool shields = false;
    TimePoint when = no_deadline;
    Duration span{};

    void prepare(CancelScope& scope, EventLoop& loop) { set_deadline(scope, loop, when, span); }

    template <class Take>
    Result finish(CancelScope& scope, Take&& take) {
        try {
            if constexpr (std::is_void_v<T>) {
                take();
                return true;
            } else {
                return Result(take());
            }
        } catch (const Cancelled&) {
            if (!scope.internal_absorbs()) throw;
        }
        return Result();
    }
};

template <class T>
struct ShieldPolicy {
    using Result = T;
    static constexpr bool shields = true;

    void prepare(CancelScope&, EventLoop&) {}
    template <class Take>
    T finish(CancelScope&, Take&& take) {
        return take();
    }
};

template <Awaitable A>
auto held_task(A&& awaitable) {
    return HeldTask<AwaitResult<A>>(as_task(std::forward<A>(awaitable)));
}
template <class Body>
auto held_body(Body&& body) {
    check_body<Body>();
    return HeldBody<std::decay_t<Body>>(std::in_place, std::forward<Body>(body));
}

// The policy is one of those above, of the type that what is held gives.
template <template <class> class Policy, class Held>
auto in_scope(Held held, Policy<typename Held::Value> policy) {
    return Scoped<Held, Policy<typename Held::Value>>(std::move(held), policy);
}

}  // namespace internal

// Awaits `awaitable` for at most `span`. When the time is up it is cancelled, has ended, and
// TimeoutError is thrown. A result that was ready at that very moment is returned.
//
//   auto page = co_await wait_for(session.get(url), 10s);
template <Awaitable A, class Rep, class Period>
auto wait_for(A&& awaitable, std::chrono::duration<Rep, Period> span) {
    return internal::in_scope<internal::FailAt>(internal::held_task(std::forward<A>(awaitable)),
                                                {.span = to_duration(span)});
}

// Runs body() for at most `span`; TimeoutError if it had to be cancelled.
//
//   co_await timeout(5s, [&]() -> Task<void> {
//       co_await connect();
//       co_await login();
//   });
//
// A body that takes its scope may move the deadline (asyncio's reschedule), and ask it:
//
//   co_await timeout(5s, [&](CancelScope& scope) -> Task<void> {
//       while (co_await receive()) scope.set_deadline(get_running_loop().time() + 5s);
//   });
template <class Rep, class Period, class Body>
auto timeout(std::chrono::duration<Rep, Period> span, Body&& body) {
    return internal::in_scope<internal::FailAt>(
        internal::held_body(std::forward<Body>(body)),
        {.span = to_duration(span), .can_move = internal::takes_scope<Body>});
}

// The same until a moment on the loop's clock.
template <class Body>
auto timeout_at(TimePoint when, Body&& body) {
    return internal::in_scope<internal::FailAt>(
        internal::held_body(std::forward<Body>(body)),
        {.when = when, .can_move = internal::takes_scope<Body>});
}

// Trio's name for timeout().
template <class Rep, class Period, class Body>
auto fail_after(std::chrono::duration<Rep, Period> span, Body&& body) {
    return timeout(span, std::forward<Body>(body));
}

// Runs body() for at most `span` and goes on either way: true, or an engaged optional, if the body
// ended by itself.
//
//   auto answer = co_await move_on_after(50ms, [&]() -> Task<int> { co_return co_await ask(); });
//   if (answer) use(*answer);
template <class Rep, class Period, class Body>
auto move_on_after(std::chrono::duration<Rep, Period> span, Body&& body) {
    return internal::in_scope<internal::MoveOnAt>(internal::held_body(std::forward<Body>(body)),
                                                  {.span = to_duration(span)});
}

// Awaits something that a cancellation from outside does not reach. The caller learns of the
// cancellation at its next checkpoint after it. Give it a deadline of its own:
// shield(wait_for(flush(), 2s)).
template <Awaitable A>
auto shield(A&& awaitable) {
    return internal::in_scope<internal::ShieldPolicy>(
        internal::held_task(std::forward<A>(awaitable)), {});
}

// Runs body(scope); whoever holds the scope may cancel it or move its deadline. Returns whether the
// body ended by itself, or an optional with its result: false, or empty, means that this scope was
// cancelled.
template <class Body>
auto cancel_scope(Body&& body) {
    return internal::in_scope<internal::MoveOnAt>(internal::held_body(std::forward<Body>(body)),
                                                  {.span = Duration::max()});
}

}  // namespace coracle
