// SPDX-License-Identifier: Apache-2.0
// gather(): several awaitables at the same time, results in argument order.
#pragma once

#include <coracle/core/awaitable.h>
#include <coracle/core/result.h>
#include <coracle/core/task.h>
#include <coracle/core/task_group.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace coracle {

struct GatherOptions {
    // At most this many run at once; zero means all.
    std::size_t limit = 0;
};
static_assert(std::is_trivially_copyable_v<GatherOptions>);

namespace internal {

// What stands in a tuple for an awaitable that gives nothing.
template <class T>
using NonVoid = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <class T>
using GatherResult = std::conditional_t<std::is_void_v<T>, void, std::vector<NonVoid<T>>>;

// Takes the next task not yet taken until none is left.
template <class T>
Task<void> gather_worker(std::vector<Task<T>>& tasks,
                         std::vector<std::optional<NonVoid<T>>>& results, std::size_t& next) {
    while (next < tasks.size()) {
        std::size_t index = next++;
        if constexpr (std::is_void_v<T>) {
            co_await std::move(tasks[index]);
        } else {
            results[index].emplace(co_await std::move(tasks[index]));
        }
    }
}

template <class T>
Task<void> gather_one(Task<T>& task, std::optional<NonVoid<T>>& result) {
    if constexpr (std::is_void_v<T>) {
        co_await std::move(task);
        result.emplace();
    } else {
        result.emplace(co_await std::move(task));
    }
}

// Empty only when a task cancelled itself alone.
template <class T>
T take_gathered(std::optional<T>& result) {
    if (!result) throw Error("gather: a task was cancelled before it returned a value");
    return std::move(*result);
}

template <class T>
Task<GatherResult<T>> gather_all(std::vector<Task<T>> tasks, GatherOptions options) {
    std::vector<std::optional<NonVoid<T>>> results(std::is_void_v<T> ? 0 : tasks.size());
    std::size_t next = 0;
    std::size_t workers = options.limit ? std::min(options.limit, tasks.size()) : tasks.size();
    co_await task_group([&](TaskGroup& group) -> Task<void> {
        for (std::size_t i = 0; i < workers; ++i) {
            group.create_task(gather_worker<T>, std::ref(tasks), std::ref(results), std::ref(next));
        }
        co_return;
    });
    if constexpr (!std::is_void_v<T>) {
        std::vector<T> values;
        values.reserve(results.size());
        for (auto& result : results) {
            values.push_back(take_gathered(result));
        }
        co_return values;
    }
}

template <class... T>
Task<std::tuple<NonVoid<T>...>> gather_each(Task<T>... task) {
    std::tuple<std::optional<NonVoid<T>>...> results;
    co_await task_group([&](TaskGroup& group) -> Task<void> {
        std::apply(
            [&](auto&... result) {
                (group.create_task(gather_one<T>, std::ref(task), std::ref(result)), ...);
            },
            results);
        co_return;
    });
    co_return std::apply(
        [](auto&... result) { return std::tuple<NonVoid<T>...>(take_gathered(result)...); },
        results);
}

// The task's outcome; only a cancellation passes.
template <class T>
Task<Result<T>> settle(Task<T> task) {
    std::exception_ptr error;
    try {
        if constexpr (std::is_void_v<T>) {
            co_await std::move(task);
            co_return Result<void>();
        } else {
            T value = co_await std::move(task);
            co_return Result<T>(std::move(value));
        }
    } catch (const Cancelled&) {
        throw;
    } catch (...) {
        error = std::current_exception();
    }
    co_return Result<T>(std::move(error));
}

}  // namespace internal

// Runs all tasks, at most options.limit at once, and returns their results in the order of the
// vector. The first exception cancels the rest and is thrown once all have ended (asyncio lets the
// rest run on: use gather_settled).
//
//   std::vector<Task<std::string>> fetches;
//   for (const auto& url : urls) fetches.push_back(fetch(session, url));
//   auto pages = co_await gather(std::move(fetches), {.limit = 8});
template <class T>
Task<internal::GatherResult<T>> gather(std::vector<Task<T>> tasks, GatherOptions options = {}) {
    return internal::gather_all<T>(std::move(tasks), options);
}

// Awaits different things at the same time and returns a tuple of their results; std::monostate for
// those without one.
//
//   auto [user, orders] = co_await gather(load_user(id), load_orders(id));
template <Awaitable... A>
    requires(sizeof...(A) > 0)
auto gather(A&&... awaitables) {
    return internal::gather_each<AwaitResult<A>...>(as_task(std::forward<A>(awaitables))...);
}

// Runs all tasks, at most options.limit at once, and returns what each came to, in the order of the
// vector: a failure disturbs none of the others (asyncio's return_exceptions=True).
//
//   auto pages = co_await gather_settled(std::move(fetches), {.limit = 8});
//   for (auto& page : pages)
//       if (page) use(*page);
template <class T>
Task<std::vector<Result<T>>> gather_settled(std::vector<Task<T>> tasks,
                                            GatherOptions options = {}) {
    std::vector<Task<Result<T>>> settled;
    settled.reserve(tasks.size());
    for (Task<T>& task : tasks) settled.push_back(internal::settle<T>(std::move(task)));
    return gather(std::move(settled), options);
}

// The same for different things; a tuple of Results.
template <Awaitable... A>
    requires(sizeof...(A) > 0)
auto gather_settled(A&&... awaitables) {
    return internal::gather_each<Result<AwaitResult<A>>...>(
        internal::settle<AwaitResult<A>>(as_task(std::forward<A>(awaitables)))...);
}

}  // namespace coracle
