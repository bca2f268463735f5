// SPDX-License-Identifier: Apache-2.0
// run_coroutine_threadsafe(): a task on a loop, started and awaited by a plain thread.
#pragma once

#include <coracle/base/clock.h>
#include <coracle/core/cancel.h>
#include <coracle/core/current_task.h>
#include <coracle/core/loop.h>
#include <coracle/core/spawn.h>
#include <coracle/core/task.h>
#include <coracle/core/task_handle.h>

#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace coracle {

namespace internal {

// Shared by the thread and the task. `task` is for the loop's thread only.
class ConcurrentState {
  public:
    explicit ConcurrentState(EventLoop& loop) noexcept : loop_(loop) {}
    ConcurrentState(const ConcurrentState&) = delete;
    ConcurrentState& operator=(const ConcurrentState&) = delete;

    bool is_done() const;
    // Aborts on a thread that runs a loop.
    void wait() const;
    bool wait_for(Duration span) const;
    void fail(std::exception_ptr error);
    static void cancel(const std::shared_ptr<ConcurrentState>& state, std::string reason);

    std::optional<TaskRef> task;

  protected:
    ~ConcurrentState() = default;

    EventLoop& loop_;
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    bool done_ = false;
    std::exception_ptr error_;
};

template <class T>
class ConcurrentStateOf final : public ConcurrentState {
  public:
    using Value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;
    using ConcurrentState::ConcurrentState;

    void succeed(Value value) {
        std::lock_guard guard(mutex_);
        value_.emplace(std::move(value));
        done_ = true;
        changed_.notify_all();
    }
    T take() {
        wait();
        std::lock_guard guard(mutex_);
        if (error_) std::rethrow_exception(error_);
        if constexpr (!std::is_void_v<T>) return std::move(*value_);
    }

  private:
    std::optional<Value> value_;
};

template <class T, class F, class... A>
Task<void> run_for_thread(std::shared_ptr<ConcurrentStateOf<T>> state, F fn,
                          std::tuple<A...> args) {
    std::exception_ptr error;
    try {
        auto task =
            std::apply([&](A&... stored) { return std::invoke(fn, deliver(stored)...); }, args);
        if constexpr (std::is_void_v<T>) {
            co_await std::move(task);
            state->succeed({});
        } else {
            T value = co_await std::move(task);
            state->succeed(std::move(value));
        }
    } catch (const Cancelled& cancelled) {
        error = std::make_exception_ptr(
            TaskCancelledError("the task was cancelled: " + cancelled.reason()));
    } catch (...) {
        error = std::current_exception();
    }
    if (error) state->fail(std::move(error));
    state->task.reset();
}

}  // namespace internal

// What run_coroutine_threadsafe() returns: Python's concurrent.futures.Future. For threads that run
// no loop. May be dropped; the task goes on. Copies refer to one task.
template <class T>
class ConcurrentFuture {
  public:
    explicit ConcurrentFuture(std::shared_ptr<internal::ConcurrentStateOf<T>> state) noexcept
        : state_(std::move(state)) {}

    bool done() const { return state_->is_done(); }
    // Blocks until it is done, or for at most `span`; whether it is.
    void wait() const { state_->wait(); }
    template <class Rep, class Period>
    bool wait_for(std::chrono::duration<Rep, Period> span) const {
        return state_->wait_for(to_duration(span));
    }
    // Blocks, and gives the result, moved out, or throws the task's exception; TaskCancelledError
    // when it was cancelled, also by its loop's end.
    T result() { return state_->take(); }
    // Cancels the task, from any thread while the loop exists. Harmless when it is done.
    void cancel(std::string_view reason = {}) {
        internal::ConcurrentState::cancel(state_, std::string(reason));
    }

  private:
    std::shared_ptr<internal::ConcurrentStateOf<T>> state_;
};

// Starts fn(args...) as a task of the loop's root group; to be called from another thread, while
// the loop exists. fn and args as for create_task().
//
//   auto page = run_coroutine_threadsafe(loop, fetch, std::string(url));   // on a plain thread
//   use(page.result());                                                    // blocks it
template <class F, class... A>
auto run_coroutine_threadsafe(EventLoop& loop, F&& fn, A&&... args) {
    internal::check_spawn<F, A...>();
    using Result = std::invoke_result_t<std::decay_t<F>, internal::Delivered<std::decay_t<A>>...>;
    using T = typename internal::TaskValue<Result>::Type;
    auto state = std::make_shared<internal::ConcurrentStateOf<T>>(loop);
    loop.call_soon_threadsafe(
        [state, &loop, function = std::decay_t<F>(std::forward<F>(fn)),
         arguments = std::tuple<std::decay_t<A>...>(std::forward<A>(args)...)]() mutable {
            state->task.emplace(
                loop.create_task(internal::run_for_thread<T, std::decay_t<F>, std::decay_t<A>...>,
                                 state, std::move(function), std::move(arguments)));
        });
    return ConcurrentFuture<T>(std::move(state));
}

}  // namespace coracle
