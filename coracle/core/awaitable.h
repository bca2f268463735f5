// SPDX-License-Identifier: Apache-2.0
// What can be awaited, what it gives, and how any of it becomes a Task.
#pragma once

#include <coracle/core/task.h>

#include <type_traits>
#include <utility>

namespace coracle {

namespace internal {

template <class A>
struct AwaitTraits {};
template <class A>
    requires HasCoAwait<A>
struct AwaitTraits<A> {
    using Type = decltype(std::declval<A>().operator co_await().await_resume());
};

}  // namespace internal

// A Task, or a builder such as sleep(1s) or session.get(url), that `co_await std::forward<A>(a)`
// accepts.
template <class A>
concept Awaitable = requires { typename internal::AwaitTraits<A>::Type; };

// What awaiting an A gives.
template <Awaitable A>
using AwaitResult = typename internal::AwaitTraits<A>::Type;

namespace internal {

// A handle that is awaited by name stays an lvalue: its copy here does as well.
template <class A>
Task<AwaitResult<A>> await_in_task(std::remove_cvref_t<A> awaitable) {
    if constexpr (Awaitable<std::remove_cvref_t<A>>) {
        co_return co_await std::move(awaitable);
    } else {
        co_return co_await awaitable;
    }
}

}  // namespace internal

// The awaitable as a Task: itself if it is one, else a coroutine that awaits it.
template <Awaitable A>
Task<AwaitResult<A>> as_task(A&& awaitable) {
    if constexpr (internal::is_task<std::remove_cvref_t<A>>) {
        return std::forward<A>(awaitable);
    } else {
        return internal::await_in_task<A>(std::forward<A>(awaitable));
    }
}

}  // namespace coracle
