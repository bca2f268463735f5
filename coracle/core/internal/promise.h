// SPDX-License-Identifier: Apache-2.0
// The promise behind Task: who awaits whom and where, the result, and the frame's memory.
#pragma once

#include <coracle/core/internal/frame_allocator.h>

#include <concepts>
#include <coroutine>
#include <exception>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

namespace coracle {

template <class T = void>
class Task;
class EventLoop;
class Park;

namespace internal {

class TaskNode;

// The part of a promise that does not depend on the result. `parent`, `where` and the function's
// name inside it are the await bookkeeping that task trees, slow-step warnings and the inspector
// read (see Task).
struct PromiseBase {
    explicit PromiseBase(std::source_location created) noexcept : where(created) {}
    PromiseBase(const PromiseBase&) = delete;
    PromiseBase& operator=(const PromiseBase&) = delete;

    PromiseBase* parent = nullptr;  // the frame that awaits this one; null for a task's root
    TaskNode* task = nullptr;       // the task it runs in; null until started
    std::coroutine_handle<> continuation{};  // the parent's handle
    std::source_location where;              // the coroutine's start, then its latest co_await
    std::exception_ptr error;
    bool started = false;
    bool suspended = false;  // did not finish inside its parent's await_suspend
    bool finished = false;

    static void* operator new(std::size_t size) { return allocate_frame(size); }
    static void operator delete(void* block, std::size_t size) noexcept { free_frame(block, size); }

    std::suspend_always initial_suspend() noexcept { return {}; }
    // Keeps the exception for the parent, and notes in the task that it came through here.
    void unhandled_exception() noexcept;
};

// Ends a frame. A frame that finished inside its parent's await_suspend just returns there; one
// that really suspended leaves its parent for the loop's step to resume. Neither resumes inline, so
// the stack does not grow with the number of awaits and no frame is destroyed while its own
// await_suspend is on the stack (docs/decisions/0001).
struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <class P>
    void await_suspend(std::coroutine_handle<P> frame) const noexcept {
        finish(frame.promise());
    }
    void await_resume() const noexcept {}

  private:
    static void finish(PromiseBase& promise) noexcept;
};

template <class A>
inline constexpr bool is_task = false;
template <class T>
inline constexpr bool is_task<Task<T>> = true;

// Awaits an object by reference. GCC 12.2 copies an awaiter that await_transform returns by
// reference, hence a prvalue.
template <class Awaiter>
class ReferenceAwaiter {
  public:
    explicit ReferenceAwaiter(Awaiter& awaiter) noexcept : awaiter_(awaiter) {}
    ReferenceAwaiter(const ReferenceAwaiter&) = delete;
    ReferenceAwaiter& operator=(const ReferenceAwaiter&) = delete;

    bool await_ready() { return awaiter_.await_ready(); }
    template <class P>
    auto await_suspend(std::coroutine_handle<P> frame) {
        return awaiter_.await_suspend(frame);
    }
    decltype(auto) await_resume() { return awaiter_.await_resume(); }

  private:
    Awaiter& awaiter_;
};

template <class A>
concept HasCoAwait = requires(A&& awaitable) { static_cast<A&&>(awaitable).operator co_await(); };

template <class A>
concept LeafAwaiter = std::derived_from<std::remove_cvref_t<A>, Park>;

template <class Derived>
struct PromiseCommon : PromiseBase {
    using PromiseBase::PromiseBase;

    FinalAwaiter final_suspend() noexcept { return {}; }

    template <class A>
    auto await_transform(A&& awaitable, std::source_location at = std::source_location::current()) {
        using Plain = std::remove_cvref_t<A>;
        static_assert(!(is_task<Plain> && std::is_lvalue_reference_v<A>),
                      "a Task is awaited once, as an rvalue: co_await std::move(task)");
        where = at;
        if constexpr (HasCoAwait<A>) {
            return static_cast<A&&>(awaitable).operator co_await();
        } else {
            static_assert(LeafAwaiter<A>,
                          "not awaitable here: a Task, a Coracle operation, or a builder awaited "
                          "as an rvalue "
                          "(co_await std::move(builder)); foreign awaitables need an adaptor");
            return ReferenceAwaiter<std::remove_reference_t<A>>(awaitable);
        }
    }
};

template <class T>
struct Promise final : PromiseCommon<Promise<T>> {
    explicit Promise(std::source_location created = std::source_location::current()) noexcept
        : PromiseCommon<Promise<T>>(created) {}

    Task<T> get_return_object() noexcept;

    template <class U = T>
        requires std::convertible_to<U&&, T>
    void return_value(U&& value) {
        result.emplace(std::forward<U>(value));
    }

    // The result, moved out, or the exception that ended the coroutine.
    T take() {
        if (this->error) std::rethrow_exception(std::move(this->error));
        return std::move(*result);
    }

    std::optional<T> result;
};

template <class T>
struct Promise<T&> final : PromiseCommon<Promise<T&>> {
    explicit Promise(std::source_location created = std::source_location::current()) noexcept
        : PromiseCommon<Promise<T&>>(created) {}

    Task<T&> get_return_object() noexcept;
    void return_value(T& value) noexcept { result = &value; }
    T& take() {
        if (this->error) std::rethrow_exception(std::move(this->error));
        return *result;
    }

    T* result = nullptr;
};

template <>
struct Promise<void> final : PromiseCommon<Promise<void>> {
    explicit Promise(std::source_location created = std::source_location::current()) noexcept
        : PromiseCommon<Promise<void>>(created) {}

    Task<void> get_return_object() noexcept;
    void return_void() noexcept {}
    void take() {
        if (error) std::rethrow_exception(std::move(error));
    }
};

// Aborts with the sentence and the place the coroutine was defined at.
[[noreturn]] void task_misused(const PromiseBase& promise, const char* sentence);

}  // namespace internal
}  // namespace coracle
