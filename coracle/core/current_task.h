// SPDX-License-Identifier: Apache-2.0
// current_task() and all_tasks(): tasks whose result is somebody else's.
#pragma once

#include <coracle/core/task_handle.h>

#include <cstdint>
#include <exception>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coracle {

// A task of any result type: what a TaskHandle knows, but for the result. Copies refer to one task,
// which may have ended. On the task's loop only.
class TaskRef {
  public:
    explicit TaskRef(internal::TaskNode& node) noexcept : node_(&node) { node.add_reference(); }
    template <class T>
    TaskRef(const TaskHandle<T>& handle) noexcept : TaskRef(handle.internal_node()) {}
    TaskRef(const TaskRef& other) noexcept : TaskRef(*other.node_) {}
    TaskRef(TaskRef&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
    TaskRef& operator=(TaskRef other) noexcept {
        std::swap(node_, other.node_);
        return *this;
    }
    ~TaskRef() {
        if (node_) node_->drop_reference();
    }

    // Unique on its loop, counted from 1.
    std::uint64_t id() const noexcept { return node_->id(); }
    std::string name() const { return node_->name(); }
    void set_name(std::string name) { node_->set_name(std::move(name)); }
    // Where create_task() or run() was called.
    const std::source_location& created() const noexcept { return node_->created; }
    // Its name and where it is, in a line. See task_tree() for its whole stack of awaits.
    std::string describe() const;

    bool done() const noexcept { return node_->is_done(); }
    bool cancelled() const noexcept { return node_->was_cancelled(); }
    std::exception_ptr exception() const noexcept {
        return node_->was_cancelled() ? nullptr : node_->error();
    }
    void cancel(std::string_view reason = {}) { node_->cancel(reason); }
    void add_done_callback(MoveFunction<void()> fn) { node_->add_done_callback(std::move(fn)); }

    // Waits until it has ended, however it did.
    internal::JoinWait operator co_await() const noexcept { return internal::JoinWait(*node_); }

    friend bool operator==(const TaskRef& a, const TaskRef& b) noexcept {
        return a.node_ == b.node_;
    }

    internal::TaskNode& internal_node() const noexcept { return *node_; }

  private:
    internal::TaskNode* node_;
};

// The running task. Aborts outside of one (asyncio gives None there).
TaskRef current_task();

// The live tasks of the running loop, oldest first.
std::vector<TaskRef> all_tasks();

}  // namespace coracle
