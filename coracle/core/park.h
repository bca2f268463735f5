// SPDX-License-Identifier: Apache-2.0
// What every leaf operation is made of: the one place where waiting meets cancellation.
#pragma once

#include <coracle/core/cancel.h>
#include <coracle/core/internal/task_node.h>

#include <coroutine>
#include <string>

namespace coracle {

// Base of an awaiter that waits for something other than a task: a timer, a descriptor, a queue, a
// worker thread.
//
// The states: idle, then waiting, then completed or withdrawn; never both. A derived awaiter is
// immovable, lives in the awaiting frame, and follows this shape:
//
//   bool await_ready() const noexcept { return false; }   // a checkpoint is never skipped
//   template <class P> bool await_suspend(std::coroutine_handle<P> frame) {
//       if (!checkpoint(frame)) return false;             // cancelled before it began
//       if (take the result now) return ready();          // no wait; the step budget is charged
//       enqueue this somewhere;
//       return wait();
//   }
//   T await_resume() {
//       finish();                                         // throws Cancelled if withdrawn
//       return the result;
//   }
//
// Whoever completes the operation removes it from its queue, stores the result and calls
// complete(), on the loop's thread. complete() only queues the task; nothing is ever resumed
// inline. The destructor of the derived class must unlink it from whatever it waits in (a frame is
// destroyed while waiting only when its loop is torn down).
class Park {
  public:
    Park(const Park&) = delete;
    Park& operator=(const Park&) = delete;

    // A cancelled scope asks to end the wait. True: withdrawn now, nothing was or will be taken,
    // and the task resumes with Cancelled. False: the operation will call complete() later and its
    // result is delivered. May be called again after false. Never called once complete() was.
    virtual bool withdraw() noexcept = 0;

    // What it waits for, in a few words: "queue.get (3 waiting)". Read by task trees and the
    // inspector.
    virtual std::string describe() const = 0;

    // The task that waits; null before checkpoint().
    internal::TaskNode* task() const noexcept { return task_; }

    // The loop's part of cancellation: withdraws and queues the task. Returns false when the
    // operation goes on.
    bool abort() noexcept;

  protected:
    Park() noexcept = default;
    ~Park() {
        if (waiting_ && task_->parked == this) task_->parked = nullptr;
    }

    // First in await_suspend. False when the scope is cancelled: return false without starting the
    // operation.
    template <class P>
    bool checkpoint(std::coroutine_handle<P> frame) noexcept {
        enter_shielded(frame.promise(), frame);
        cancelled_ = task_->scope->is_cancelled();
        return !cancelled_;
    }

    // Instead of checkpoint(), for the few waits that must not be left before they are over.
    void enter_shielded(internal::PromiseBase& promise, std::coroutine_handle<> frame) noexcept {
        task_ = promise.task;
        task_->leaf = &promise;
        task_->resume_point = frame;
    }

    // Last in await_suspend when the result is at hand. Returns whether to suspend, which it does
    // once in step_budget calls so that a task whose awaits are all ready cannot starve the loop.
    bool ready() noexcept {
        if (--task_->budget > 0) return false;
        return yield();
    }

    // Last in await_suspend of what only lets others run: queues the task behind what is ready.
    bool yield() noexcept;

    // Last in await_suspend when the operation has been started.
    bool wait() noexcept {
        waiting_ = true;
        task_->parked = this;
        return true;
    }

    // The operation has completed: queues the task. On the loop's thread, once, while waiting.
    void complete() noexcept;

    bool is_waiting() const noexcept { return waiting_; }

    // First in await_resume. Throws Cancelled when the operation was withdrawn or never begun.
    void finish() const {
        if (cancelled_) throw_cancelled();
    }

  private:
    [[noreturn]] void throw_cancelled() const;

    internal::TaskNode* task_ = nullptr;
    bool waiting_ = false;
    bool cancelled_ = false;
};

// An operation that has not begun: what event.wait(), queue.get() and the like return. Awaited as
// an rvalue, or given to gather(), wait_for() and the like. Only refers to its object, which must
// outlive it.
template <class Awaiter, class Object>
class [[nodiscard]] Operation {
  public:
    explicit Operation(Object& object) noexcept : object_(&object) {}
    Awaiter operator co_await() && noexcept { return Awaiter(*object_); }

  private:
    Object* object_;
};

}  // namespace coracle
