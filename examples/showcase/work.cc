// SPDX-License-Identifier: Apache-2.0
// /blocked, /threaded and /burst: one function, called in three ways.
#include "work.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

using namespace coracle;

namespace showcase {

namespace {

// The query parameter as a whole number from 0 to `most`; anything else is 400.
int bounded(const web::Request& request, const char* name, int most) {
    int value = request.query<int>(name, 1);
    if (value < 0 || value > most) {
        throw web::HTTPBadRequest(std::string(name) + " must be from 0 to " + std::to_string(most));
    }
    return value;
}

// One job of a burst; false if the pool refused it.
Task<bool> job(ThreadPoolExecutor& pool, int seconds) {
    try {
        co_await run_in_executor(pool, blocking_func, seconds);
        co_return true;
    } catch (const QueueFull&) {
        co_return false;
    }
}

}  // namespace

std::string blocking_func(int seconds) {
    std::this_thread::sleep_for(std::chrono::seconds(seconds));
    return "Waited for " + std::to_string(seconds) + " second(s)";
}

Task<web::Response> blocked(web::Request& request) {
    int seconds = bounded(request, "seconds", seconds_max);
    co_return web::text(blocking_func(seconds));
}

Task<web::Response> threaded(web::Request& request) {
    int seconds = bounded(request, "seconds", seconds_max);
    auto& pool = request.app().get<ThreadPoolExecutor>();
    auto text = co_await run_in_executor(pool, blocking_func, seconds);
    co_return web::text(std::move(text));
}

Task<web::Response> burst(web::Request& request) {
    int seconds = bounded(request, "seconds", seconds_max);
    int count = bounded(request, "jobs", jobs_max);
    auto& pool = request.app().get<ThreadPoolExecutor>();
    std::vector<Task<bool>> jobs;
    for (int i = 0; i < count; ++i) jobs.push_back(job(pool, seconds));
    auto done = co_await gather(std::move(jobs));
    auto refused = std::ranges::count(done, false);
    co_return web::json_response({{"done", count - refused}, {"refused", refused}});
}

}  // namespace showcase
