// SPDX-License-Identifier: Apache-2.0
// What executors throw.
#pragma once

#include <coracle/base/clock.h>
#include <coracle/base/error.h>

#include <string>

namespace coracle {

// The root of what an executor throws for reasons of its own. An exception of the function itself
// comes back with its own type.
class ExecutorError : public Error {
  public:
    using Error::Error;
};

// The pool refused the job: QueuePolicy::reject, every worker is busy and max_queue jobs are
// queued. The function was not called. Sent to a client, it means "503, Retry-After".
class QueueFull : public ExecutorError {
  public:
    QueueFull(const std::string& message, Duration retry_after)
        : ExecutorError(message), retry_after_(retry_after) {}

    // How long what is queued now takes to drain, at the rate observed lately; one second while
    // nothing has been observed. More than zero, at most an hour.
    Duration retry_after() const noexcept { return retry_after_; }

  private:
    Duration retry_after_;
};

// The pool is shut down, or was destroyed before the job's turn came. The function was not called.
class ExecutorShutdown : public ExecutorError {
  public:
    using ExecutorError::ExecutorError;
};

}  // namespace coracle
