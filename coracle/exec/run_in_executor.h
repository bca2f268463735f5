// SPDX-License-Identifier: Apache-2.0
// run_in_executor() and to_thread(): call a blocking function on a pool's thread and await it.
#pragma once

#include <coracle/core/spawn.h>
#include <coracle/core/task.h>
#include <coracle/exec/internal/pool_job.h>
#include <coracle/exec/thread_pool_executor.h>

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <tuple>
#include <type_traits>
#include <utility>

namespace coracle {

// A call that is to run on a pool: what run_in_executor() and to_thread() return. Nothing happens
// until it is awaited, as an rvalue, or given to gather(), wait_for() and the like.
template <class R>
class [[nodiscard]] Offload {
  public:
    Offload(std::shared_ptr<internal::ThreadPool> pool,
            std::unique_ptr<internal::PoolJobOf<R>> job) noexcept
        : pool_(std::move(pool)), job_(std::move(job)) {}

    class Awaiter;
    Awaiter operator co_await() && noexcept { return Awaiter(std::move(pool_), std::move(job_)); }

  private:
    std::shared_ptr<internal::ThreadPool> pool_;
    std::unique_ptr<internal::PoolJobOf<R>> job_;
};

// Implementation of what follows is below.
namespace internal {

template <class F, class... A>
auto make_offload(std::shared_ptr<ThreadPool> pool, F&& fn, A&&... args);

std::shared_ptr<ThreadPool> pool_of(ThreadPoolExecutor* pool);

}  // namespace internal

// Calls fn(args...) on a thread of the pool; awaiting gives its result, or throws its exception
// with its type. The loop goes on meanwhile.
//
//   auto digest = co_await run_in_executor(pool, hash_file, std::move(path));
//   auto length = co_await run_in_executor(pool, &Archive::size, std::ref(archive));
//   co_await run_in_executor(pool, [&] { archive.flush(); });
//
// fn is a function, a member pointer, or a lambda that captures by reference or only trivially
// copyable values. A lambda that owns something is named first: `co_await run_in_executor(pool,
// named)` copies it, or, when it cannot be copied, uses it where it stands. A coroutine function is
// refused: it belongs on the loop.
//
// Arguments are moved or copied into the job, as std::thread does: pass std::ref(x) for a
// reference. Views and references must hold until the await has ended, which they do when the owner
// is a local of the awaiting function. Function and arguments are destroyed on the thread, before
// the await ends.
//
// The function sees the ContextVars of the awaiting task as they were then; what it sets ends with
// it.
//
// A function that can take a std::stop_token before its arguments gets one (std::jthread's rule).
// Stop is requested when the caller's scope is cancelled, its deadline included, and when the pool
// is shut down with cancel_pending or destroyed. Its stop_callbacks run on the requesting thread.
//
// Cancellation: a checkpoint. A job that waits for a place or is queued is withdrawn and never
// runs; one that runs is waited for, and its result is delivered.
//
// Throws QueueFull (QueuePolicy::reject), ExecutorShutdown, SystemError when the first thread
// cannot be started.
//
// Costs 5 to 70 microseconds, most of it in waking threads: not for functions shorter than that.
template <class F, class... A>
auto run_in_executor(ThreadPoolExecutor& pool, F&& fn, A&&... args) {
    return internal::make_offload(pool.internal_pool(), std::forward<F>(fn),
                                  std::forward<A>(args)...);
}

// The same; null is the default pool (see default_executor()).
template <class F, class... A>
auto run_in_executor(ThreadPoolExecutor* pool, F&& fn, A&&... args) {
    return internal::make_offload(internal::pool_of(pool), std::forward<F>(fn),
                                  std::forward<A>(args)...);
}

// Calls fn(args...) on a thread of the default pool.
//
//   auto text = co_await to_thread(read_whole_file, std::move(path));
template <class F, class... A>
auto to_thread(F&& fn, A&&... args) {
    return internal::make_offload(internal::pool_of(nullptr), std::forward<F>(fn),
                                  std::forward<A>(args)...);
}

// Implementation

template <class R>
class Offload<R>::Awaiter final : public internal::JobWait {
  public:
    Awaiter(std::shared_ptr<internal::ThreadPool> pool,
            std::unique_ptr<internal::PoolJobOf<R>> job) noexcept
        : JobWait(std::move(pool), std::move(job)) {}

    R await_resume() {
        finish();
        return static_cast<internal::PoolJobOf<R>&>(job()).take();
    }
};

namespace internal {

// What is kept of the callable: a copy, or, for a named one that cannot be copied, a reference.
template <class F>
using KeptCallable =
    std::conditional_t<std::is_lvalue_reference_v<F> &&
                           !std::is_copy_constructible_v<std::decay_t<F>>,
                       std::reference_wrapper<std::remove_reference_t<F>>, std::decay_t<F>>;

template <class F, class... Stored>
inline constexpr bool takes_stop_token =
    std::is_invocable_v<F&, std::stop_token, Delivered<Stored>...>;

template <class F, class... Stored>
decltype(auto) call_on_worker(PoolJob& job, F& fn, Stored&... stored) {
    if constexpr (takes_stop_token<F, Stored...>) {
        return std::invoke(fn, job.stop.get_token(), deliver(stored)...);
    } else {
        return std::invoke(fn, deliver(stored)...);
    }
}

// The one class that is instantiated for each pair of callable and arguments.
template <class R, class F, class... Stored>
class BoundJob final : public PoolJobOf<R> {
  public:
    template <class G, class... A>
    explicit BoundJob(G&& fn, A&&... args)
        : call_(std::in_place, std::forward<G>(fn),
                std::tuple<Stored...>(std::forward<A>(args)...)) {
        if constexpr (takes_stop_token<F, Stored...>) this->stop = std::stop_source();
    }

  private:
    void call() override {
        this->keep([this]() -> decltype(auto) {
            return std::apply(
                [this](Stored&... stored) -> decltype(auto) {
                    return call_on_worker(*this, call_->first, stored...);
                },
                call_->second);
        });
    }
    void drop_call() noexcept override { call_.reset(); }

    std::optional<std::pair<F, std::tuple<Stored...>>> call_;
};

template <class F, class... A>
auto make_offload(std::shared_ptr<ThreadPool> pool, F&& fn, A&&... args) {
    using Callable = KeptCallable<F>;
    static_assert(!is_task<std::decay_t<F>>,
                  "a pool calls plain functions: await the Task on the loop");
    static_assert(
        std::is_lvalue_reference_v<F> || std::is_trivially_copyable_v<std::decay_t<F>>,
        "pass what the lambda owns as arguments after the callable, or name the lambda first: an "
        "owning lambda inside a co_await expression is destroyed twice by GCC 12");
    constexpr bool callable = takes_stop_token<Callable, std::decay_t<A>...> ||
                              std::is_invocable_v<Callable&, Delivered<std::decay_t<A>>...>;
    static_assert(callable,
                  "the function cannot be called with these arguments: they are moved into the "
                  "job, so pass std::ref(x) for a parameter that is a non-const reference");
    if constexpr (callable) {
        using Returned =
            decltype(call_on_worker(std::declval<PoolJob&>(), std::declval<Callable&>(),
                                    std::declval<std::decay_t<A>&>()...));
        using Result = std::remove_cv_t<Returned>;
        static_assert(!TaskValue<std::remove_cvref_t<Result>>::is_task_result,
                      "a coroutine runs on the loop: await it there, and give the pool the plain "
                      "function inside that blocks");
        static_assert(!std::is_rvalue_reference_v<Result>,
                      "the function returns a reference to something that may be gone: return a "
                      "value");
        return Offload<Result>(
            std::move(pool),
            std::unique_ptr<PoolJobOf<Result>>(new BoundJob<Result, Callable, std::decay_t<A>...>(
                std::forward<F>(fn), std::forward<A>(args)...)));
    }
}

}  // namespace internal
}  // namespace coracle
