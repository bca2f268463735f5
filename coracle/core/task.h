// SPDX-License-Identifier: Apache-2.0
// Task<T>: the coroutine type of Coracle.
#pragma once

#include <coracle/core/internal/promise.h>
#include <coracle/core/internal/task_node.h>  // how a frame ends

#include <coroutine>
#include <cstdint>
#include <utility>

namespace coracle {

// A computation that may await and ends with a T, or with an exception.
//
//   Task<int> answer() {
//       co_await sleep(10ms);
//       co_return 42;
//   }
//   int n = co_await answer();
//
// Lazy: nothing runs until it is awaited, or handed to run(), gather() or another owner. Move-only,
// awaited once, as an rvalue. It starts on the stack of whoever awaits it and stays on that loop's
// thread for life, so plain members and thread_local variables are safe between awaits.
//
// Stack: a loop of any number of awaits needs constant stack. Nesting needs some: ten thousand
// awaits inside each other are supported on an 8 MiB stack.
//
// Misuse: awaiting twice, and dropping a task that has started and not ended, abort in builds
// without NDEBUG, naming the coroutine. A task that was never started is simply destroyed.
template <class T>
class [[nodiscard]] Task {
  public:
    using promise_type = internal::Promise<T>;
    using value_type = T;

    Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
    Task& operator=(Task&& other) noexcept {
        if (this != &other) {
            destroy();
            frame_ = std::exchange(other.frame_, {});
        }
        return *this;
    }
    ~Task() { destroy(); }

    // False once it has been moved from.
    explicit operator bool() const noexcept { return static_cast<bool>(frame_); }

    class Awaiter;
    Awaiter operator co_await() && noexcept { return Awaiter(frame_); }

    // For owners of tasks inside the library.
    promise_type& internal_promise() const noexcept { return frame_.promise(); }
    std::coroutine_handle<promise_type> internal_frame() const noexcept { return frame_; }

  private:
    friend promise_type;
    explicit Task(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}

    void destroy() noexcept {
        if (!frame_) return;
#ifndef NDEBUG
        const promise_type& promise = frame_.promise();
        if (promise.started && !promise.finished) {
            internal::task_misused(promise, "dropped after it started and before it ended");
        }
#endif
        std::exchange(frame_, {}).destroy();
    }

    std::coroutine_handle<promise_type> frame_;
};

// Runs the child on the awaiting frame's stack and suspends the parent only if the child did not
// finish there.
template <class T>
class Task<T>::Awaiter {
  public:
    explicit Awaiter(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}
    Awaiter(const Awaiter&) = delete;
    Awaiter& operator=(const Awaiter&) = delete;

    bool await_ready() const noexcept { return false; }

    template <class P>
    bool await_suspend(std::coroutine_handle<P> parent) {
        internal::PromiseBase& child = frame_.promise();
#ifndef NDEBUG
        if (child.started) internal::task_misused(child, "awaited twice");
#endif
        child.parent = &parent.promise();
        child.task = parent.promise().task;
        child.continuation = parent;
        child.started = true;
        frame_.resume();
        if (child.finished) return false;
        child.suspended = true;
        return true;
    }

    T await_resume() { return frame_.promise().take(); }

  private:
    std::coroutine_handle<promise_type> frame_;
};

namespace internal {

// GCC 12.2 lays a frame out wrongly when a coroutine that declares nothing awaits in a condition
// (docs/gcc12.md): its promise is then 8 bytes off, and so is every handle made from it. Better one
// sentence than a corrupted heap. Clang may place a frame in its caller's, at any alignment that
// will do for it.
template <class P>
void check_frame([[maybe_unused]] P& promise) noexcept {
#ifndef __clang__
    auto address =
        reinterpret_cast<std::uintptr_t>(std::coroutine_handle<P>::from_promise(promise).address());
    if (address % frame_alignment != 0) [[unlikely]] {
        task_misused(
            promise,
            "miscompiled by GCC 12: name the awaited value before the condition that uses it");
    }
#endif
}

template <class T>
Task<T> Promise<T>::get_return_object() noexcept {
    check_frame(*this);
    return Task<T>(std::coroutine_handle<Promise>::from_promise(*this));
}
template <class T>
Task<T&> Promise<T&>::get_return_object() noexcept {
    check_frame(*this);
    return Task<T&>(std::coroutine_handle<Promise>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() noexcept {
    check_frame(*this);
    return Task<void>(std::coroutine_handle<Promise>::from_promise(*this));
}

}  // namespace internal
}  // namespace coracle
