// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/task_group.h>

#include <coracle/base/assert.h>
#include <coracle/core/loop.h>
#include <coracle/core/task_tree.h>

#include <cstdio>
#include <cstdlib>

namespace coracle {
namespace {

std::string summary(const std::vector<std::exception_ptr>& exceptions) {
    std::string text = std::to_string(exceptions.size()) + " tasks failed: ";
    constexpr std::size_t named_max = 5;
    for (std::size_t i = 0; i < exceptions.size() && i < named_max; ++i) {
        if (i > 0) text += "; ";
        text += describe_exception(exceptions[i]);
    }
    if (exceptions.size() > named_max) text += "; ...";
    return text;
}

}  // namespace

ExceptionGroup::ExceptionGroup(std::vector<std::exception_ptr> exceptions)
    : Error(summary(exceptions)), exceptions_(std::move(exceptions)) {}

TaskGroup::TaskGroup(internal::TaskNode& owner, std::source_location created)
    : loop_(owner.loop), scope_(owner.loop, owner.scope), created_(created) {
    scope_.internal_enter(owner);
}

TaskGroup::~TaskGroup() {
    if (live_ == 0) return;
    std::fprintf(stderr,
                 "coracle: a TaskGroup, created in %s (%s:%u), was destroyed while it had %zu %s: "
                 "await task_group() to its end\n",
                 created_.function_name(), created_.file_name(),
                 static_cast<unsigned>(created_.line()), live_, live_ == 1 ? "child" : "children");
    std::abort();
}

void TaskGroup::task_ended(internal::TaskNode& task, const std::exception_ptr& error) noexcept {
    if (error) failed(error);
    was_cancelled_ = was_cancelled_ || task.was_cancelled();
    if (--live_ == 0 && join_) std::exchange(join_, nullptr)->all_ended();
}

void TaskGroup::failed(std::exception_ptr error) noexcept {
    errors_.push_back(std::move(error));
    scope_.cancel("another task of the group failed");
}

void TaskGroup::internal_body_failed(std::exception_ptr error) noexcept {
    try {
        std::rethrow_exception(error);
    } catch (const Cancelled&) {
        was_cancelled_ = true;
        scope_.cancel("the group's body was cancelled");
    } catch (...) {  // tidy: kept, and thrown by internal_close()
        failed(std::move(error));
    }
}

TaskGroup::Join TaskGroup::internal_join() noexcept { return Join(*this); }

void TaskGroup::internal_close() {
    scope_.internal_leave();
    if (errors_.size() == 1) std::rethrow_exception(std::move(errors_.front()));
    if (errors_.size() > 1) throw ExceptionGroup(std::move(errors_));
    CancelScope* around = scope_.internal_parent();
    if (was_cancelled_ && around && around->is_cancelled()) {
        throw Cancelled(std::string(around->reason()));
    }
}

std::string TaskGroup::Join::describe() const {
    return "its " + std::to_string(group_.live_) + (group_.live_ == 1 ? " child" : " children");
}

namespace internal {

TaskNode& this_task() {
    TaskNode* task = current_node();
    if (!task) fatal("a task group was opened outside of a task");
    return *task;
}

}  // namespace internal
}  // namespace coracle
