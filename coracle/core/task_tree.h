// SPDX-License-Identifier: Apache-2.0
// The live tasks of a loop as text: who started whom, and where each one waits.
#pragma once

#include <coracle/core/internal/task_node.h>

#include <exception>
#include <string>

namespace coracle {

class EventLoop;

// Every live task, children indented under the task whose group owns them, each with what it waits
// for and its stack of awaits, innermost first. On the loop's thread, or while that thread is known
// to stand still.
//
//   Task-1 waits for group of 2
//     in crawl (crawl.cc:31)
//     Task-2 waits for sleep
//       in refresh (prices.cc:12)
std::string task_tree(EventLoop& loop);

// The awaits that the latest exception of the running task came through, innermost first, one "  in
// function (file:line)" per line. Call it where the exception is caught.
std::string unwound_awaits();

// One task in a line: name, activity, and the innermost place it is or was last known to be.
std::string describe_task(const internal::TaskNode& task);

// "type: message" of an exception, for logs.
std::string describe_exception(const std::exception_ptr& error);

// Says what the running task is busy with, for slow-step warnings: "GET /report". Kept as a
// pointer, so the string must outlive its use: a route's label, a literal's std::string. Null when
// it is idle. Does nothing outside of a task.
//
//   static const std::string label = "rebuild index";
//   note_activity(&label);
void note_activity(const std::string* activity) noexcept;

}  // namespace coracle
