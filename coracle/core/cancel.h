// SPDX-License-Identifier: Apache-2.0
// Cancellation: scopes that nest, level-triggered, with deadline, reason and shield.
#pragma once

#include <coracle/base/clock.h>
#include <coracle/base/intrusive_list.h>
#include <coracle/core/internal/task_node.h>
#include <coracle/core/timer.h>

#include <memory>
#include <string>
#include <string_view>

namespace coracle {

namespace internal {
struct ScopeTag;
}

// What a cancelled operation throws. Not a std::exception, so that `catch (const std::exception&)`
// lets it pass; `catch (...)` must end in `throw;`. Do not throw it yourself: cancel a scope.
class Cancelled {
  public:
    explicit Cancelled(std::string reason) : reason_(std::move(reason)) {}

    // Why, as given to cancel(): "timeout", "shutdown", "a sibling failed"; may be empty.
    const std::string& reason() const noexcept { return reason_; }

  private:
    std::string reason_;
};

// A region of a task, and of everything it awaits and spawns, that can be cancelled as one.
//
// 1. Scopes nest. An operation is cancelled when its scope or any around it is, up to the first
//    shield.
// 2. Every leaf operation (sleep, get, wait, read ...) is a checkpoint, on every call; no plain
//    function is. What runs a body or other tasks (timeout, shield, task_group, gather) is one
//    where what it runs is.
// 3. cancel() asks the operation in flight to withdraw. It does so now, or completes later (a
//    running thread job). Only then does the task resume: with Cancelled, or with its result if
//    that won. Nothing is lost in between.
// 4. It stays cancelled: every later checkpoint inside throws again until the scope is left.
// 5. Only the scope that caused it absorbs it: timeout() turns it into TimeoutError,
//    move_on_after() into a value, a group into the error of the child that failed. Anyone else
//    lets it pass.
//
// You meet scopes through timeout(), move_on_after(), fail_after(), shield(), task_group() and
// cancel_scope(); each takes the body to run inside. Belongs to one loop's thread. It ends with the
// body, so whoever else may cancel it must have let go of it by then:
//
//   bool done = co_await cancel_scope([&](CancelScope& scope) -> Task<void> {
//       auto stop = button.on_press([&] { scope.cancel("the user pressed stop"); });
//       co_await work();                                   // `stop` unsubscribes as it goes
//   });
class CancelScope : public ListLink<internal::ScopeTag> {
  public:
    CancelScope(const CancelScope&) = delete;
    CancelScope& operator=(const CancelScope&) = delete;

    // Cancels everything inside, at once and for good. The first call's reason is kept. Calling it
    // again is harmless.
    void cancel(std::string_view reason = {});

    // Whether cancel() was called on this scope, or its deadline passed.
    bool cancel_called() const noexcept { return cancel_called_; }

    // Whether an operation directly inside would throw now: this scope, or one around it, is
    // cancelled.
    bool is_cancelled() const noexcept { return cancelled_; }

    // When the scope cancels itself with reason "timeout"; no_deadline if never. May be moved while
    // inside, until it has been cancelled.
    TimePoint deadline() const noexcept { return timer_.deadline(); }
    void set_deadline(TimePoint deadline);
    bool deadline_passed() const noexcept { return deadline_passed_; }

    // The earliest deadline that applies inside: this scope's and those around it, up to a shield.
    TimePoint effective_deadline() const noexcept;

    // Why an operation inside is cancelled; empty if it is not.
    std::string_view reason() const noexcept;

    // For the library: scopes are entered and left by the task that runs the body, or hold a
    // group's children.
    CancelScope(EventLoop& loop, CancelScope* parent, bool shield = false);
    ~CancelScope();
    void internal_enter(internal::TaskNode& task) noexcept;
    void internal_leave() noexcept;
    // A scope put around a task that did not enter it: it never leaves, the task ends inside.
    void internal_own(internal::TaskNode& task) noexcept { member_ = &task; }
    // Puts this scope between `inner` and the scope around it.
    void internal_wrap(CancelScope& inner) noexcept;
    // True if Cancelled, arriving at this scope's end, is its own and stops here.
    bool internal_absorbs() const noexcept {
        return cancel_called_ && (shield_ || !parent_ || !parent_->cancelled_);
    }
    CancelScope* internal_parent() const noexcept { return parent_; }
    internal::TaskNode* internal_owner() const noexcept { return owner_; }
    IntrusiveList<internal::TaskNode, internal::MemberTag>& internal_members() noexcept {
        return members_;
    }

  private:
    class DeadlineTimer final : public Timer {
      public:
        explicit DeadlineTimer(CancelScope& scope) noexcept : scope_(scope) {}

      private:
        void fire() noexcept override;
        CancelScope& scope_;
    };

    void become_cancelled() noexcept;
    void abort_tasks() noexcept;

    EventLoop& loop_;
    CancelScope* parent_;
    internal::TaskNode* owner_ = nullptr;  // the task that runs the body; null outside of it
    internal::TaskNode* member_ =
        nullptr;  // the task that it was put around, see TaskNode::own_scope
    IntrusiveList<CancelScope, internal::ScopeTag> children_;
    IntrusiveList<internal::TaskNode, internal::MemberTag> members_;  // tasks that began here
    DeadlineTimer timer_;
    std::unique_ptr<std::string> reason_;
    bool shield_;
    bool cancel_called_ = false;
    bool cancelled_ = false;
    bool deadline_passed_ = false;
};

// The innermost scope that the running task has entered, or else one around this task alone: to
// cancel it ends the task, not its siblings. Aborts outside of a task.
CancelScope& current_scope();

// The earliest deadline that applies to the running task here; no_deadline if none does. Aborts
// outside of a task.
TimePoint current_deadline();

}  // namespace coracle
