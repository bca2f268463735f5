// SPDX-License-Identifier: Apache-2.0
// Shows: the same blocking call in a pool of three threads that the application owns.
//
//   build/release/examples/threaded_server &
//   for i in 1 2 3 4; do curl "http://127.0.0.1:8080/?seconds=1" & done; wait
//
// Three answers come after 1 second and the fourth, which waited for a free worker, after 2. All
// the while the loop serves everybody else. Beside it: threaded_server.py.
#include <coracle/web.h>

#include <chrono>
#include <string>
#include <thread>

#include "shared/options.h"

using namespace coracle;

std::string blocking_func(int seconds) {
    std::this_thread::sleep_for(std::chrono::seconds(seconds));
    return "Waited for " + std::to_string(seconds) + " second(s)";
}

Task<web::Response> wait_for_it(web::Request& request) {
    auto seconds = request.query<int>("seconds", 5);
    auto& pool = request.app().get<ThreadPoolExecutor>();
    auto text = co_await run_in_executor(pool, blocking_func, seconds);
    co_return web::text(std::move(text));
}

web::Application make_app() {
    web::Application app;
    app.emplace<ThreadPoolExecutor>(ThreadPoolOptions{.max_workers = 3});
    app.router().add_get("/", wait_for_it);
    return app;
}

int main(int argc, char** argv) { return web::run_app(make_app, examples::options(argc, argv)); }
