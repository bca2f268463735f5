// SPDX-License-Identifier: Apache-2.0
// TaskHandle<T>: a running task, as its creator sees it (asyncio.Task).
#pragma once

#include <coracle/base/error.h>
#include <coracle/core/internal/task_node.h>
#include <coracle/core/park.h>
#include <coracle/core/task.h>

#include <exception>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

namespace coracle {

// Awaiting or reading the result of a task that was cancelled. It is an error of the reader's, not
// a cancellation of it.
class TaskCancelledError : public Error {
  public:
    using Error::Error;
};

namespace internal {

// Waits for a task to end. Cancelling the wait leaves the task alone.
class JoinWait : public Park, private TaskWatcher {
  public:
    explicit JoinWait(TaskNode& task) noexcept : target_(task) {}

    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> frame) noexcept {
        if (!checkpoint(frame)) return false;
        if (target_.is_done()) return ready();
        target_.watchers.push_back(*this);
        return wait();
    }
    void await_resume() const { finish(); }

    bool withdraw() noexcept override {
        unlink();
        return true;
    }
    std::string describe() const override { return "task " + target_.name(); }

  private:
    void task_ended() noexcept override { complete(); }

    TaskNode& target_;
};

// A task whose result is a T.
template <class T>
class TaskOf : public TaskNode {
  public:
    using TaskNode::TaskNode;

    void begin() noexcept {
        auto frame = task_->internal_frame();
        start(frame.promise(), frame);
    }

    // The result, moved out, or its exception. Once, when done.
    T take_result() {
        if (!is_done()) throw Error("result() of " + name() + ", which has not ended");
        if (error()) throw_error();
        if constexpr (!std::is_void_v<T>) {
            if (!result_) throw Error("the result of " + name() + " was taken already");
            T value = std::move(*result_);
            result_.reset();
            return value;
        }
    }

  protected:
    void hold(Task<T> task) { task_.emplace(std::move(task)); }

    void release_frame() noexcept override {
        if (!task_) return;
        if constexpr (!std::is_void_v<T>) {
            auto& value = task_->internal_promise().result;
            if (value) result_.emplace(std::move(*value));
        }
        task_.reset();
    }

  private:
    struct Nothing {};
    using Result = std::conditional_t<std::is_void_v<T>, Nothing, std::optional<T>>;

    std::optional<Task<T>> task_;
    Result result_;
};

// A task made of a Task that was already created.
template <class T>
class AdoptedTask final : public TaskOf<T> {
  public:
    AdoptedTask(const TaskOrigin& origin, Task<T> task) : TaskOf<T>(origin) {
        this->hold(std::move(task));
    }
};

}  // namespace internal

// What create_task returns. May be dropped: the task has an owner and goes on. Copies refer to one
// task. On the task's loop only.
//
//   auto page = group.create_task(fetch, std::ref(session), url);
//   ...
//   std::string text = co_await page;      // its result, or its exception
template <class T>
class TaskHandle {
  public:
    explicit TaskHandle(internal::TaskOf<T>& node) noexcept : node_(&node) { node.add_reference(); }
    TaskHandle(const TaskHandle& other) noexcept : node_(other.node_) { node_->add_reference(); }
    TaskHandle(TaskHandle&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
    TaskHandle& operator=(TaskHandle other) noexcept {
        std::swap(node_, other.node_);
        return *this;
    }
    ~TaskHandle() {
        if (node_) node_->drop_reference();
    }

    bool done() const noexcept { return node_->is_done(); }

    // Cancels the task alone, not its group. It ends at its next checkpoint, unless it is done.
    void cancel(std::string_view reason = {}) { node_->cancel(reason); }

    // "Task-7" unless set. Shown in task trees and warnings.
    std::string name() const { return node_->name(); }
    void set_name(std::string name) { node_->set_name(std::move(name)); }

    // The exception that ended it; null if it is running, succeeded, or was cancelled.
    std::exception_ptr exception() const noexcept {
        return node_->was_cancelled() ? nullptr : node_->error();
    }
    bool cancelled() const noexcept { return node_->was_cancelled(); }

    // The result, moved out; only when done(). Throws the task's exception, or TaskCancelledError;
    // Error when it has not ended, or the result was taken already.
    T result() { return node_->take_result(); }

    // Calls fn from the loop once it has ended; soon, if it has. An exception of fn is logged.
    void add_done_callback(MoveFunction<void()> fn) { node_->add_done_callback(std::move(fn)); }

    // Waits until it has ended and gives its result, moved out, or throws as result() does.
    // Cancelling the wait leaves the task running.
    class Awaiter;
    Awaiter operator co_await() const noexcept { return Awaiter(*node_); }

    internal::TaskOf<T>& internal_node() const noexcept { return *node_; }

  private:
    internal::TaskOf<T>* node_;
};

template <class T>
class TaskHandle<T>::Awaiter final : public internal::JoinWait {
  public:
    explicit Awaiter(internal::TaskOf<T>& node) noexcept : JoinWait(node), node_(node) {}
    T await_resume() {
        finish();
        return node_.take_result();
    }

  private:
    internal::TaskOf<T>& node_;
};

}  // namespace coracle
