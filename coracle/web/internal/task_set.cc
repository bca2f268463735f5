// SPDX-License-Identifier: Apache-2.0
#include <coracle/web/internal/task_set.h>

#include <coracle/base/assert.h>
#include <coracle/base/log.h>
#include <coracle/core/task_tree.h>

#include <string>

namespace coracle::web::internal {

TaskSet::TaskSet(EventLoop& loop, std::string_view label)
    : loop_(loop), scope_(loop, &loop.root_scope()), label_(label) {}

TaskSet::~TaskSet() {
    if (live_ > 0) {
        coracle::internal::fatal("a web::AppRunner was destroyed before its cleanup() had ended");
    }
}

void TaskSet::task_ended(coracle::internal::TaskNode& task,
                         const std::exception_ptr& error) noexcept {
    if (error) {
        log::error("web", std::string(label_) + " " + task.name() +
                              " ended with an exception: " + describe_exception(error));
    }
    if (--live_ == 0) empty_.set();
}

Task<void> TaskSet::join() {
    while (live_ > 0) {
        empty_.clear();
        co_await empty_.wait();
    }
}

}  // namespace coracle::web::internal
