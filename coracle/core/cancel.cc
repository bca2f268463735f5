// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/cancel.h>

#include <coracle/base/assert.h>
#include <coracle/core/loop.h>
#include <coracle/core/park.h>

#include <algorithm>

namespace coracle {

CancelScope::CancelScope(EventLoop& loop, CancelScope* parent, bool shield)
    : loop_(loop), parent_(parent), timer_(*this), shield_(shield) {
    if (!parent_) return;
    parent_->children_.push_back(*this);
    cancelled_ = !shield_ && parent_->cancelled_;
}

CancelScope::~CancelScope() {
    internal_leave();
    CORACLE_ASSERT(children_.empty());
}

void CancelScope::internal_enter(internal::TaskNode& task) noexcept {
    CORACLE_DEBUG_ASSERT(task.scope == parent_);
    owner_ = &task;
    task.scope = this;
}

void CancelScope::internal_leave() noexcept {
    if (!owner_) return;
    owner_->scope = parent_;
    owner_ = nullptr;
}

void CancelScope::internal_wrap(CancelScope& inner) noexcept {
    CORACLE_ASSERT(inner.parent_ == parent_);
    inner.unlink();
    children_.push_back(inner);
    inner.parent_ = this;
}

void CancelScope::set_deadline(TimePoint deadline) {
    if (cancel_called_) return;  // too late
    if (deadline == no_deadline) {
        timer_.cancel();
    } else {
        loop_.timers().add(timer_, deadline);
    }
}

void CancelScope::DeadlineTimer::fire() noexcept {
    scope_.deadline_passed_ = true;
    scope_.cancel("timeout");
}

TimePoint CancelScope::effective_deadline() const noexcept {
    TimePoint earliest = no_deadline;
    for (const CancelScope* scope = this; scope; scope = scope->parent_) {
        earliest = std::min(earliest, scope->deadline());
        if (scope->shield_) break;
    }
    return earliest;
}

std::string_view CancelScope::reason() const noexcept {
    for (const CancelScope* scope = this; scope; scope = scope->parent_) {
        if (scope->cancel_called_) {
            return scope->reason_ ? std::string_view(*scope->reason_) : std::string_view();
        }
        if (scope->shield_) break;
    }
    return {};
}

void CancelScope::cancel(std::string_view reason) {
    loop_.internal_check_thread("the EventLoop of a CancelScope");
    if (cancel_called_) return;
    // What has come from outside is why, also for those inside who have not been told yet: a group
    // whose body was cancelled cancels itself.
    if (cancelled_) reason = this->reason();
    if (!reason.empty()) reason_ = std::make_unique<std::string>(reason);
    cancel_called_ = true;
    timer_.cancel();
    if (cancelled_) return;  // cancelled from outside already
    become_cancelled();
}

void CancelScope::become_cancelled() noexcept {
    cancelled_ = true;
    abort_tasks();
    for (CancelScope& child : children_) {
        if (!child.shield_ && !child.cancelled_) child.become_cancelled();
    }
}

// Aborting only queues tasks, so neither list changes underneath.
void CancelScope::abort_tasks() noexcept {
    if (owner_ && owner_->scope == this && owner_->parked) owner_->parked->abort();
    if (member_ && member_->scope == this && member_->parked) member_->parked->abort();
    for (internal::TaskNode& task : members_) {
        if (task.scope == this && task.parked) task.parked->abort();
    }
}

CancelScope& current_scope() {
    internal::TaskNode* task = internal::current_node();
    if (!task) internal::fatal("current_scope() was called outside of a task");
    if (task->scope->internal_owner() == task) return *task->scope;
    return task->own_scope();
}

TimePoint current_deadline() {
    internal::TaskNode* task = internal::current_node();
    if (!task) internal::fatal("current_deadline() was called outside of a task");
    return task->scope->effective_deadline();
}

}  // namespace coracle
