// SPDX-License-Identifier: Apache-2.0
// The runtime: what `import asyncio` gives.
#pragma once

#include <coracle/base/bytes.h>
#include <coracle/base/clock.h>
#include <coracle/base/error.h>
#include <coracle/base/log.h>
#include <coracle/core/as_completed.h>
#include <coracle/core/barrier.h>
#include <coracle/core/cancel.h>
#include <coracle/core/capacity_limiter.h>
#include <coracle/core/checkpoint.h>
#include <coracle/core/condition.h>
#include <coracle/core/context_var.h>
#include <coracle/core/current_task.h>
#include <coracle/core/debug.h>
#include <coracle/core/event.h>
#include <coracle/core/gather.h>
#include <coracle/core/lock.h>
#include <coracle/core/loop.h>
#include <coracle/core/queue.h>
#include <coracle/core/registry.h>
#include <coracle/core/result.h>
#include <coracle/core/run.h>
#include <coracle/core/scope.h>
#include <coracle/core/semaphore.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task.h>
#include <coracle/core/task_group.h>
#include <coracle/core/task_handle.h>
#include <coracle/core/task_tree.h>
#include <coracle/core/try_finally.h>
#include <coracle/core/wait.h>
#include <coracle/exec/executor_error.h>
#include <coracle/exec/run_in_executor.h>
#include <coracle/exec/thread_pool_executor.h>
#include <coracle/observe/lag.h>
