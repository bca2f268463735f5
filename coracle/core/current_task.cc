// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/current_task.h>

#include <coracle/base/assert.h>
#include <coracle/core/loop.h>
#include <coracle/core/task_tree.h>

namespace coracle {

std::string TaskRef::describe() const { return describe_task(*node_); }

TaskRef current_task() {
    internal::TaskNode* task = internal::current_node();
    if (!task) internal::fatal("current_task() was called outside of a task");
    return TaskRef(*task);
}

std::vector<TaskRef> all_tasks() {
    std::vector<TaskRef> tasks;
    for (internal::TaskNode& task : EventLoop::current().internal_tasks()) tasks.emplace_back(task);
    return tasks;
}

}  // namespace coracle
