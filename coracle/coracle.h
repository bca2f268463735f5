// SPDX-License-Identifier: Apache-2.0
// The runtime: what `import asyncio` gives.
#pragma once

#include <coracle/base/bytes.h>
#include <coracle/base/clock.h>
#include <coracle/base/error.h>
#include <coracle/base/log.h>
#include <coracle/core/cancel.h>
#include <coracle/core/event.h>
#include <coracle/core/gather.h>
#include <coracle/core/loop.h>
#include <coracle/core/queue.h>
#include <coracle/core/registry.h>
#include <coracle/core/run.h>
#include <coracle/core/scope.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task.h>
#include <coracle/core/task_group.h>
#include <coracle/core/task_handle.h>
#include <coracle/core/task_tree.h>
#include <coracle/exec/executor_error.h>
#include <coracle/exec/run_in_executor.h>
#include <coracle/exec/thread_pool_executor.h>
#include <coracle/observe/lag.h>
