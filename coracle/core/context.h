// SPDX-License-Identifier: Apache-2.0
// Context: the context variables of one moment, to call a function with.
#pragma once

#include <coracle/core/internal/context_values.h>
#include <coracle/core/task.h>

#include <functional>
#include <type_traits>
#include <utility>

namespace coracle {

// asyncio's contextvars.Context: what every ContextVar was set to. Cheap to copy. run() changes it,
// so one thread at a time; a copy is another's.
//
//   Context context = copy_context();                    // in a task
//   loop.call_later(5s, [context]() mutable {            // callbacks have none of their own
//       context.run([] { log::info("app", "still at " + request_id.get()); });
//   });
class Context {
  public:
    // With nothing set.
    Context() noexcept = default;
    Context(const Context& other) noexcept
        : values_(internal::ContextValues::share(other.values_)) {}
    Context(Context&& other) noexcept : values_(std::exchange(other.values_, nullptr)) {}
    Context& operator=(Context other) noexcept {
        std::swap(values_, other.values_);
        return *this;
    }
    ~Context() { internal::ContextValues::release(values_); }

    // Calls fn() on this thread, here and now, and returns what it returns. In there every
    // ContextVar has the value of this context; what is set stays in this context, for the next
    // run(). Tasks created in there begin with it.
    template <class F>
    decltype(auto) run(F&& fn) {
        static_assert(!internal::is_task<std::invoke_result_t<F>>,
                      "a coroutine goes on after run() has ended: create a task in there");
        internal::EnteredContext entered(values_);
        return std::invoke(std::forward<F>(fn));
    }

  private:
    friend Context copy_context() noexcept;

    internal::ContextValues* values_ = nullptr;
};

// The context of the running task, or of the innermost Context::run(), as it is now. Empty where
// there is neither.
Context copy_context() noexcept;

}  // namespace coracle
