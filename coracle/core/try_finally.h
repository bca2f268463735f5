// SPDX-License-Identifier: Apache-2.0
// try_finally(): clean-up that awaits, whatever happened before it.
#pragma once

#include <coracle/base/clock.h>
#include <coracle/core/scope.h>
#include <coracle/core/task.h>

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace coracle {

struct FinallyOptions {
    // The clean-up is cancelled when it takes longer.
    Duration cleanup_limit = 10s;
};
static_assert(std::is_trivially_copyable_v<FinallyOptions>);

namespace internal {

// Throws what the body threw, after logging what the clean-up did; else what the clean-up threw.
void finish_finally(const std::exception_ptr& body, const std::exception_ptr& cleanup);

template <class T, class Body, class Cleanup>
Task<T> run_finally(Body body, Cleanup cleanup, FinallyOptions options) {
    std::optional<std::conditional_t<std::is_void_v<T>, char, T>> result;
    std::exception_ptr error, late;
    try {
        if constexpr (std::is_void_v<T>) {
            co_await body();
        } else {
            result.emplace(co_await body());
        }
    } catch (...) {
        error = std::current_exception();
    }
    try {
        co_await shield(wait_for(cleanup(), options.cleanup_limit));
    } catch (...) {
        late = std::current_exception();
    }
    finish_finally(error, late);
    if constexpr (!std::is_void_v<T>) co_return std::move(*result);
}

}  // namespace internal

// Runs body() and then, whether it returned, threw or was cancelled, cleanup(), which a
// cancellation from outside does not reach. Returns what the body returned, or throws what it
// threw; an exception of the clean-up is thrown after a body that succeeded (TimeoutError when it
// took too long) and logged otherwise.
//
//   co_await try_finally([&]() -> Task<void> { co_await serve(connection); },
//                        [&]() -> Task<void> { co_await connection.close(); },
//                        {.cleanup_limit = 2s});
//
// Clean-up that does not await belongs into a destructor.
template <class Body, class Cleanup>
auto try_finally(Body&& body, Cleanup&& cleanup, FinallyOptions options = {}) {
    internal::check_body<Body>();
    internal::check_body<Cleanup>();
    using T = typename std::invoke_result_t<std::decay_t<Body>&>::value_type;
    return internal::run_finally<T, std::decay_t<Body>, std::decay_t<Cleanup>>(
        std::forward<Body>(body), std::forward<Cleanup>(cleanup), options);
}

}  // namespace coracle
