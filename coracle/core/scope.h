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

// Enters a scope on the running task, runs a Task inside it, and leaves the scope whatever happens.
// What becomes of the outcome is the Policy's: it has `using Result`, `prepare(CancelScope&)` and
// `Result finish(CancelScope&, take)`.
template <class T, class Policy>
class ScopedAwaiter {
  public:
    ScopedAwaiter(Task<T> task, Policy policy) noexcept
        : task_(std::move(task)), policy_(policy), inner_(task_.internal_frame()) {}
    ScopedAwaiter(const ScopedAwaiter&) = delete;
    ScopedAwaiter& operator=(const ScopedAwaiter&) = delete;

    bool await_ready() const noexcept { return false; }

    template <class P>
    bool await_suspend(std::coroutine_handle<P> parent) {
        TaskNode& node = *parent.promise().task;
        scope_.emplace(node.loop, node.scope, Policy::shields);
        scope_->internal_enter(node);
        policy_.prepare(*scope_, node.loop);
        return inner_.await_suspend(parent);
    }

    typename Policy::Result await_resume() {
        scope_->internal_leave();
        return policy_.finish(*scope_, [this]() -> T { return inner_.await_resume(); });
    }

  private:
    Task<T> task_;
    Policy policy_;
    typename Task<T>::Awaiter inner_;
    std::optional<CancelScope> scope_;
};

// The awaitable that the functions below return: a body and what to do around it.
template <class T, class Policy>
class [[nodiscard]] Scoped {
  public:
    Scoped(Task<T> task, Policy policy) noexcept : task_(std::move(task)), policy_(policy) {}
    ScopedAwaiter<T, Policy> operator co_await() && noexcept {
        return ScopedAwaiter<T, Policy>(std::move(task_), policy_);
    }

  private:
    Task<T> task_;
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

// Keeps the body alive while its coroutine runs.
template <class Body>
auto run_body(Body body) -> std::invoke_result_t<Body&> {
    co_return co_await body();
}

// The body learns its scope, which exists only once the task runs.
struct CurrentScopeAwaiter final : Park {
    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> frame) noexcept {
        scope = frame.promise().task->scope;
        return false;
    }
    CancelScope& await_resume() const noexcept { return *scope; }
    bool withdraw() noexcept override { return true; }
    std::string describe() const override { return "its scope"; }
    CancelScope* scope = nullptr;
};

template <class Body>
auto run_scoped_body(Body body) -> std::invoke_result_t<Body&, CancelScope&> {
    CurrentScopeAwaiter here;
    CancelScope& scope = co_await here;
    co_return co_await body(scope);
}

template <class Body>
inline constexpr bool takes_scope = std::is_invocable_v<std::decay_t<Body>&, CancelScope&>;

template <class Body>
auto body_task(Body&& body) {
    check_body<Body>();
    if constexpr (takes_scope<Body>) {
        return run_scoped_body<std::decay_t<Body>>(std::forward<Body>(body));
    } else {
        return run_body<std::decay_t<Body>>(std::forward<Body>(body));
    }
}

}  // namespace internal

// Awaits `awaitable` for at most `span`. When the time is up it is cancelled, has ended, and
// TimeoutError is thrown. A result that was ready at that very moment is returned.
//
//   auto page = co_await wait_for(session.get(url), 10s);
template <Awaitable A, class Rep, class Period>
auto wait_for(A&& awaitable, std::chrono::duration<Rep, Period> span) {
    using T = AwaitResult<A>;
    return internal::Scoped<T, internal::FailAt<T>>(as_task(std::forward<A>(awaitable)),
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
    auto task = internal::body_task(std::forward<Body>(body));
    using T = typename decltype(task)::value_type;
    return internal::Scoped<T, internal::FailAt<T>>(
        std::move(task), {.span = to_duration(span), .can_move = internal::takes_scope<Body>});
}

// The same until a moment on the loop's clock.
template <class Body>
auto timeout_at(TimePoint when, Body&& body) {
    auto task = internal::body_task(std::forward<Body>(body));
    using T = typename decltype(task)::value_type;
    return internal::Scoped<T, internal::FailAt<T>>(
        std::move(task), {.when = when, .can_move = internal::takes_scope<Body>});
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
    auto task = internal::body_task(std::forward<Body>(body));
    using T = typename decltype(task)::value_type;
    return internal::Scoped<T, internal::MoveOnAt<T>>(std::move(task), {.span = to_duration(span)});
}

// Awaits something that a cancellation from outside does not reach. The caller learns of the
// cancellation at its next checkpoint after it. Give it a deadline of its own:
// shield(wait_for(flush(), 2s)).
template <Awaitable A>
auto shield(A&& awaitable) {
    using T = AwaitResult<A>;
    return internal::Scoped<T, internal::ShieldPolicy<T>>(as_task(std::forward<A>(awaitable)), {});
}

// Runs body(scope); whoever holds the scope may cancel it or move its deadline. Returns whether the
// body ended by itself, or an optional with its result: false, or empty, means that this scope was
// cancelled.
template <class Body>
auto cancel_scope(Body&& body) {
    auto task = internal::body_task(std::forward<Body>(body));
    using T = typename decltype(task)::value_type;
    return internal::Scoped<T, internal::MoveOnAt<T>>(std::move(task), {.span = Duration::max()});
}

}  // namespace coracle
