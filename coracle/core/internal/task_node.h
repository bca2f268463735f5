// SPDX-License-Identifier: Apache-2.0
// A task in the asyncio sense: a tree of awaiting frames that the loop schedules as one.
#pragma once

#include <coracle/base/intrusive_list.h>
#include <coracle/base/move_function.h>
#include <coracle/core/internal/promise.h>
#include <coracle/core/internal/runnable.h>

#include <coroutine>
#include <cstdint>
#include <exception>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

namespace coracle {

class CancelScope;
class EventLoop;
class Park;

namespace internal {

struct RegistryTag;  // every live task of a loop
struct MemberTag;    // the tasks that began in one scope

// Steps a task may take without suspending before it yields to the others.
inline constexpr int step_budget = 128;

class ContextValues;

// Told when a task has ended, before its owner is. Leaves the list by being destroyed.
class TaskWatcher : public ListLink<> {
  public:
    virtual void task_ended() noexcept = 0;

  protected:
    TaskWatcher() noexcept = default;
    ~TaskWatcher() = default;
};

// The awaits that an exception has unwound, innermost first; kept because the frames are gone when
// it is caught.
struct UnwindTrace {
    const void* error = nullptr;  // identity of the exception object, never dereferenced
    std::vector<std::source_location> places;
};

// Who is told that a task ended: its group, gather(), or the loop's root group.
class TaskOwner {
  public:
    virtual void task_began() noexcept {}
    // `error` is null after success. Called on the loop's thread after the last frame is gone.
    virtual void task_ended(TaskNode& task, const std::exception_ptr& error) noexcept = 0;

  protected:
    ~TaskOwner() = default;
};

// Where a new task belongs.
struct TaskOrigin {
    EventLoop& loop;
    CancelScope& scope;
    TaskOwner& owner;
    std::source_location created;
};

// Reference-counted by hand: one reference while it runs, one per TaskHandle. Belongs to one loop
// thread.
class TaskNode : public Runnable, public ListLink<RegistryTag>, public ListLink<MemberTag> {
  public:
    explicit TaskNode(const TaskOrigin& origin);
    TaskNode(const TaskNode&) = delete;
    TaskNode& operator=(const TaskNode&) = delete;

    static void* operator new(std::size_t size) { return allocate_frame(size); }
    static void operator delete(void* block, std::size_t size) noexcept { free_frame(block, size); }

    // Puts the root frame on the ready queue.
    void start(PromiseBase& root, std::coroutine_handle<> frame) noexcept;

    // Runs the task until it parks or ends.
    void run() final;

    void add_reference() noexcept { ++references_; }
    void drop_reference() noexcept {
        if (--references_ == 0) delete this;
    }

    // Calls fn from the loop once it has ended; soon, if it has.
    void add_done_callback(MoveFunction<void()> fn);

    // Cancels this task alone, by own_scope().
    void cancel(std::string_view reason);
    // A scope around everything the task does; made when first asked for.
    CancelScope& own_scope();

    bool is_done() const noexcept { return done_; }
    bool was_cancelled() const noexcept { return was_cancelled_; }
    const std::exception_ptr& error() const noexcept { return error_; }
    // Throws error(); a cancelled task's as TaskCancelledError.
    [[noreturn]] void throw_error() const;
    bool has_handles() const noexcept { return references_ > 1; }
    std::string name() const;
    void set_name(std::string name);
    std::uint64_t id() const noexcept { return id_; }

    EventLoop& loop;
    CancelScope* scope;                      // the innermost scope it is in
    Park* parked = nullptr;                  // what it waits for; null while it runs or is ready
    PromiseBase* leaf = nullptr;             // the innermost frame, when parked
    PromiseBase* root = nullptr;             // the outermost frame
    std::coroutine_handle<> resume_point{};  // the frame that the next step resumes
    std::coroutine_handle<> continuation{};  // the parent of a frame that just ended
    const std::string* activity =
        nullptr;  // what it is busy with, such as "GET /report"; not owned
    int budget = step_budget;
    std::unique_ptr<UnwindTrace> trace;  // where the latest exception passed through
    const std::source_location created;
    IntrusiveList<TaskWatcher> watchers;  // who waits for it to end
    ContextValues* context = nullptr;     // its context variables; null while it has none

  protected:
    virtual ~TaskNode();

    // Moves the result out of the root frame and destroys it with its arguments.
    virtual void release_frame() noexcept = 0;

  private:
    void end() noexcept;

    TaskOwner& owner_;
    std::unique_ptr<CancelScope> own_scope_;  // only once it was asked for
    std::unique_ptr<std::string> name_;
    std::exception_ptr error_;
    std::uint64_t id_;
    std::uint32_t references_ = 1;
    bool done_ = false;
    bool was_cancelled_ = false;
};

// The task that runs on this thread; null outside of one.
TaskNode* current_node() noexcept;

inline void FinalAwaiter::finish(PromiseBase& promise) noexcept {
    promise.finished = true;
    if (promise.suspended) promise.task->continuation = promise.continuation;
}

}  // namespace internal
}  // namespace coracle
