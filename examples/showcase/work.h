// SPDX-License-Identifier: Apache-2.0
// The work that blocks, and the pool that it belongs into.
#pragma once

#include <coracle/web.h>

#include <string>

namespace showcase {

// The longest work that anybody may ask for; more is answered 400.
inline constexpr int seconds_max = 10;
// The most jobs that one /burst may ask for; more is answered 400.
inline constexpr int jobs_max = 1000;

// What the pool of the process is made with: a fourth job waits, a sixty-eighth is refused.
inline constexpr coracle::ThreadPoolOptions pool_options = {
    .max_workers = 3,
    .max_queue = 64,
    .on_full = coracle::QueuePolicy::reject,
    .name = "showcase",
};

// Sleeps, as a model, a codec or a query would compute: whoever calls it waits.
std::string blocking_func(int seconds);

// /blocked?seconds=1 calls it on the loop. Wrong on purpose: nobody else is served meanwhile.
coracle::Task<coracle::web::Response> blocked(coracle::web::Request& request);

// /threaded?seconds=1 calls it in the pool. When the queue is full the answer is 503 with
// Retry-After, which is what the web layer makes of QueueFull.
coracle::Task<coracle::web::Response> threaded(coracle::web::Request& request);

// /burst?jobs=67&seconds=1 gives the pool many jobs at once, because a browser has only six
// connections to do so; answers how many were done and how many refused, as JSON.
coracle::Task<coracle::web::Response> burst(coracle::web::Request& request);

}  // namespace showcase
