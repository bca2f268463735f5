// SPDX-License-Identifier: Apache-2.0
// /stats: how late this loop is, what the process has served, and how deep the pool is.
#pragma once

#include <coracle/web.h>

namespace showcase {

// Answers as JSON. `worker` and `loop` are those of the loop that answers; `requests`,
// `connections` and `pool` are of the process. `recent_us` are the worst of each `sample_us` of
// time, oldest first.
//
//   {"worker": {"index": 0, "count": 1},
//    "backend": "epoll",
//    "loop": {"lag_us": 82, "lag_max_us": 1000291, "sample_us": 250000, "recent_us": [95, ...]},
//    "requests": 1024, "connections": 3,
//    "pool": {"running": 3, "queued": 1, "completed": 5, "rejected": 0}}
//
// The application holds a ThreadPoolExecutor, a LoopLagMonitor and its WorkerContext.
coracle::Task<coracle::web::Response> stats(coracle::web::Request& request);

}  // namespace showcase
