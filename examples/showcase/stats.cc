// SPDX-License-Identifier: Apache-2.0
// Reads the monitor, the pool and the server's counters.
#include "stats.h"

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

using namespace coracle;

namespace showcase {

namespace {

std::int64_t us(Duration duration) {
    return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

boost::json::array all_us(const std::vector<Duration>& durations) {
    boost::json::array values;
    for (Duration duration : durations) values.push_back(us(duration));
    return values;
}

// What a registered source says under a name; zero if nobody does.
std::uint64_t statistic(std::string_view source, std::string_view name) {
    for (const auto& [title, numbers] : read_sources()) {
        if (title != source) continue;
        for (const auto& [key, value] : numbers) {
            if (key == name) return static_cast<std::uint64_t>(value);
        }
    }
    return 0;
}

}  // namespace

Task<web::Response> stats(web::Request& request) {
    const auto& app = request.app();
    const auto& worker = app.get<web::WorkerContext>();
    const auto& lag = app.get<LoopLagMonitor>();
    const auto pool = app.get<ThreadPoolExecutor>().statistics();
    boost::json::object answer = {
        {"worker", {{"index", worker.index()}, {"count", worker.count()}}},
        {"backend", EventLoop::current().backend_name()},
        {"loop",
         {{"lag_us", us(lag.current())},
          {"lag_max_us", us(lag.max())},
          {"sample_us", us(lag.options().sample)},
          {"recent_us", all_us(lag.samples())}}},
        {"requests", statistic("server", "requests")},
        {"connections", statistic("server", "connections")},
        {"pool",
         {{"running", pool.running},
          {"queued", pool.queued},
          {"completed", pool.completed},
          {"rejected", pool.rejected}}},
    };
    co_return web::json_response(std::move(answer));
}

}  // namespace showcase
