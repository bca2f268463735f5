// SPDX-License-Identifier: Apache-2.0
// Shows: what a blocking call on the event loop does to everybody else.
//
//   build/release/examples/blocking_server &
//   for i in 1 2 3; do curl "http://127.0.0.1:8080/?seconds=1" & done; wait
//
// The three answers come after 1, 2 and 3 seconds: while one handler sleeps, nobody is served. The
// log names the handler. Beside it: blocking_server.py; the cure: threaded_server.cc.
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
    co_return web::text(blocking_func(seconds));  // wrong on purpose: this blocks the loop
}

web::Application make_app() {
    web::Application app;
    app.router().add_get("/", wait_for_it);
    return app;
}

int main(int argc, char** argv) { return web::run_app(make_app, examples::options(argc, argv)); }
