// SPDX-License-Identifier: Apache-2.0
// TaskStarted<T>: how a child tells TaskGroup::start() that it is ready.
#pragma once

#include <coracle/base/error.h>
#include <coracle/core/cancel.h>
#include <coracle/core/event.h>
#include <coracle/core/spawn.h>
#include <coracle/core/task.h>

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace coracle {

namespace internal {

// Shared by the child and by start(), which may have been cancelled.
template <class T>
struct StartState {
    using Value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

    void ready(Value v) {
        if (settled.is_set()) throw Error("TaskStarted was called twice");
        value.emplace(std::move(v));
        settled.set();
    }
    // Whether this comes before the child was ready, so that start() gets the error.
    bool ended(std::exception_ptr e) noexcept {
        if (settled.is_set()) return false;
        error = std::move(e);
        settled.set();
        return true;
    }
    T take() {
        if (error) std::rethrow_exception(error);
        if (!value) throw Error("TaskGroup::start: the child ended before it was ready");
        if constexpr (!std::is_void_v<T>) return std::move(*value);
    }

    Event settled;
    std::optional<Value> value;
    std::exception_ptr error;
};

}  // namespace internal

// The last argument of a function given to TaskGroup::start(): called once, with what start() is to
// return. Copies are the same. Calling it after start() was cancelled does nothing.
template <class T = void>
class TaskStarted {
  public:
    explicit TaskStarted(std::shared_ptr<internal::StartState<T>> state) noexcept
        : state_(std::move(state)) {}
    void operator()(T value) const { state_->ready(std::move(value)); }

  private:
    std::shared_ptr<internal::StartState<T>> state_;
};

template <>
class TaskStarted<void> {
  public:
    explicit TaskStarted(std::shared_ptr<internal::StartState<void>> state) noexcept
        : state_(std::move(state)) {}
    void operator()() const { state_->ready({}); }

  private:
    std::shared_ptr<internal::StartState<void>> state_;
};

namespace internal {

template <class T, class F, class... A>
constexpr void check_start() {
    static_assert(is_stateless_callable<std::decay_t<F>>,
                  "the task would outlive the lambda's captures: pass them as arguments after the "
                  "function");
    static_assert((!is_view<std::decay_t<A>> && ...),
                  "the task would outlive the view: pass a std::string or std::vector, the "
                  "function may take a view");
    static_assert(
        std::is_invocable_v<std::decay_t<F>, Delivered<std::decay_t<A>>..., TaskStarted<T>>,
        "group.start<T>(fn, args...) calls fn(args..., TaskStarted<T>)");
    static_assert(!dangles<F, A..., TaskStarted<T>>,
                  "the function takes a reference to another type than the argument's, and what "
                  "would be made for it is gone before the task runs: pass an object of that type, "
                  "such as std::string(\"literal\")");
}

template <class T, class F, class... A>
Task<void> run_child(std::shared_ptr<StartState<T>> state, F fn, std::tuple<A...> args) {
    try {
        co_await std::apply(
            [&](A&... stored) {
                return std::invoke(fn, deliver(stored)..., TaskStarted<T>(state));
            },
            args);
    } catch (const Cancelled&) {
        state->ended(nullptr);
        throw;
    } catch (...) {
        if (state->ended(std::current_exception())) co_return;
        throw;
    }
    state->ended(nullptr);
}

}  // namespace internal
}  // namespace coracle
