// SPDX-License-Identifier: Apache-2.0
// TaskGroup: tasks that end before their group does.
#pragma once

#include <coracle/base/error.h>
#include <coracle/core/cancel.h>
#include <coracle/core/current_task.h>
#include <coracle/core/scope.h>
#include <coracle/core/spawn.h>
#include <coracle/core/task.h>
#include <coracle/core/task_started.h>

#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace coracle {

// Two or more tasks of one group failed. A single failure is thrown as itself.
class ExceptionGroup : public Error {
  public:
    // At least two; in the order in which they happened.
    explicit ExceptionGroup(std::vector<std::exception_ptr> exceptions);
    const std::vector<std::exception_ptr>& exceptions() const noexcept { return exceptions_; }

  private:
    std::vector<std::exception_ptr> exceptions_;
};

// Owns tasks. Opened by task_group(), which ends only when every child has:
//
//   co_await task_group([&](TaskGroup& group) -> Task<void> {
//       group.create_task(serve, std::ref(socket));
//       group.create_task(heartbeat, 30s);
//       co_return;                                      // waits here for both
//   });
//
// The first child that throws, or the body if it throws, cancels the others; when all have ended
// the exception is thrown from task_group(), as itself, or as ExceptionGroup when several failed.
// Declare what children refer to outside of the body: its locals are gone while it waits.
class TaskGroup final : private internal::TaskOwner, public internal::Spawner<TaskGroup> {
  public:
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;
    ~TaskGroup();

    // create_task(fn, args...): starts fn(args...) as a child, at the loop's next turn. fn is a
    // function, a member pointer or a captureless lambda; at most eight arguments, which are moved
    // or copied into the task; std::ref passes a reference. Not once the group has ended.
    using Spawner::create_task;

    // Starts fn(args..., TaskStarted<T>) as a child and waits until it calls the last argument,
    // which says that it is ready; gives what it said.
    //
    //   Task<void> serve(Address at, TaskStarted<int> started) {
    //       auto listener = co_await net::listen(at);
    //       started(listener.port());
    //       ...
    //   }
    //   int port = co_await group.start<int>(serve, address);
    //
    // A child that throws before it is ready makes start() throw that, and the group goes on; one
    // that returns before makes it throw Error. Cancelling start() cancels the child and waits for
    // its end. fn and args as for create_task().
    template <class T = void, class F, class... A>
    Task<T> start(F&& fn, A&&... args);

    // Cancels the body and every child. The group then ends without an exception of its
    // own; only where the body should have returned a value does task_group() throw Error.
    void cancel(std::string_view reason = {}) { scope_.cancel(reason); }

    // Children that have not ended.
    std::size_t size() const noexcept { return live_; }

    CancelScope& scope() noexcept { return scope_; }

    // For task_group().
    class Join;
    TaskGroup(internal::TaskNode& owner, std::source_location created);
    void internal_body_failed(std::exception_ptr error) noexcept;
    Join internal_join() noexcept;
    // Leaves the scope; throws what the children or the body threw, unless this group's own
    // cancellation explains it.
    void internal_close();

  private:
    friend internal::Spawner<TaskGroup>;

    EventLoop& spawn_loop() noexcept { return loop_; }
    CancelScope& spawn_scope() noexcept { return scope_; }
    internal::TaskOwner& spawn_owner() noexcept { return *this; }

    void task_began() noexcept override { ++live_; }
    void task_ended(internal::TaskNode& task, const std::exception_ptr& error) noexcept override;
    void failed(std::exception_ptr error) noexcept;

    EventLoop& loop_;
    CancelScope scope_;
    std::source_location created_;
    std::size_t live_ = 0;
    Join* join_ = nullptr;
    std::vector<std::exception_ptr> errors_;
    bool was_cancelled_ = false;  // the body or a child ended with Cancelled
};

// Waits for the children. Not interruptible: a cancellation reaches them, and then this.
class TaskGroup::Join final : public Park {
  public:
    explicit Join(TaskGroup& group) noexcept : group_(group) {}

    bool await_ready() const noexcept { return group_.live_ == 0; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> frame) noexcept {
        enter_shielded(frame.promise(), frame);
        group_.join_ = this;
        return wait();
    }
    void await_resume() const noexcept {}

    bool withdraw() noexcept override { return false; }
    std::string describe() const override;
    void all_ended() noexcept { complete(); }

  private:
    TaskGroup& group_;
};

namespace internal {

template <class T, class F, class... A>
Task<T> start_child(TaskGroup& group, F fn, A... args) {
    auto state = std::make_shared<StartState<T>>();
    auto child = group.create_task(run_child<T, F, A...>, state, std::move(fn),
                                   std::tuple<A...>(std::move(args)...));
    std::exception_ptr cancelled;
    try {
        co_await state->settled.wait();
    } catch (const Cancelled&) {
        cancelled = std::current_exception();
    }
    if (cancelled) {
        child.cancel("its start was cancelled");
        co_await shield(TaskRef(child));
        std::rethrow_exception(cancelled);
    }
    co_return state->take();
}

// The running task, for code that has just been entered by it.
TaskNode& this_task();

template <class T, class Body>
Task<T> run_group(Body body, std::source_location created) {
    TaskGroup group(this_task(), created);
    std::optional<std::conditional_t<std::is_void_v<T>, char, T>> result;
    try {
        if constexpr (std::is_void_v<T>) {
            co_await body(group);
        } else {
            result.emplace(co_await body(group));
        }
    } catch (...) {
        group.internal_body_failed(std::current_exception());
    }
    co_await group.internal_join();
    group.internal_close();
    if constexpr (!std::is_void_v<T>) {
        if (!result) throw Error("the task group was cancelled before its body returned a value");
        co_return std::move(*result);
    }
}

}  // namespace internal

template <class T, class F, class... A>
Task<T> TaskGroup::start(F&& fn, A&&... args) {
    internal::check_start<T, F, A...>();
    return internal::start_child<T, std::decay_t<F>, std::decay_t<A>...>(*this, std::forward<F>(fn),
                                                                         std::forward<A>(args)...);
}

// Runs body(group) and then waits for every child; returns what the body returned. See TaskGroup.
template <class Body>
auto task_group(Body&& body, std::source_location created = std::source_location::current()) {
    internal::check_body<Body>();
    using Result = std::invoke_result_t<std::decay_t<Body>&, TaskGroup&>;
    static_assert(internal::TaskValue<Result>::is_task_result,
                  "the body of a task_group returns a Task");
    using T = typename internal::TaskValue<Result>::Type;
    return internal::run_group<T, std::decay_t<Body>>(std::forward<Body>(body), created);
}

}  // namespace coracle
