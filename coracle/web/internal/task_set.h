// SPDX-License-Identifier: Apache-2.0
// TaskSet: tasks that outlive the function which starts them, until they are cancelled and joined.
#pragma once

#include <coracle/core/cancel.h>
#include <coracle/core/event.h>
#include <coracle/core/loop.h>
#include <coracle/core/spawn.h>
#include <coracle/core/task.h>

#include <cstddef>
#include <string_view>

namespace coracle::web::internal {

// What a runner keeps going between its setup and its cleanup. An exception ends its task only and
// is logged. Must be joined before it is destroyed. Belongs to one loop.
class TaskSet final : private coracle::internal::TaskOwner,
                      public coracle::internal::Spawner<TaskSet> {
  public:
    // `label` says in logs whose tasks these are: a literal.
    TaskSet(EventLoop& loop, std::string_view label);
    TaskSet(const TaskSet&) = delete;
    TaskSet& operator=(const TaskSet&) = delete;
    ~TaskSet();

    using Spawner::create_task;

    void cancel(std::string_view reason) { scope_.cancel(reason); }
    std::size_t size() const noexcept { return live_; }
    // Returns when every task has ended.
    Task<void> join();

  private:
    friend coracle::internal::Spawner<TaskSet>;
    EventLoop& spawn_loop() noexcept { return loop_; }
    CancelScope& spawn_scope() noexcept { return scope_; }
    coracle::internal::TaskOwner& spawn_owner() noexcept { return *this; }
    void task_began() noexcept override { ++live_; }
    void task_ended(coracle::internal::TaskNode& task,
                    const std::exception_ptr& error) noexcept override;

    EventLoop& loop_;
    CancelScope scope_;
    std::string_view label_;
    std::size_t live_ = 0;
    Event empty_;
};

}  // namespace coracle::web::internal
