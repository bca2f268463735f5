// SPDX-License-Identifier: Apache-2.0
// Coracle with CPU-bound work, which the showcase has no route for.
//
//   workload --port N [--workers N]
//
//   /plaintext        the fast endpoint
//   /spin?ms=50       burns that much CPU in a pool of three threads
//   /burn?us=200      burns it on the loop, as a handler that computes does
#include <coracle/web.h>

#include <chrono>

#include "../load/options.h"
#include "spin.h"

using namespace coracle;

namespace {

Task<web::Response> plaintext(web::Request&) { co_return web::text("Hello, World!"); }

Task<web::Response> spin(web::Request& request) {
    std::chrono::milliseconds cpu(request.query<int>("ms", 50));
    auto& pool = request.app().get<ThreadPoolExecutor>();
    co_await run_in_executor(pool, bench::spin_for, cpu);
    co_return web::text("spun");
}

Task<web::Response> burn(web::Request& request) {
    bench::spin_for(std::chrono::microseconds(request.query<int>("us", 200)));
    co_return web::text("burnt");
}

web::Application make_app() {
    web::Application app;
    app.emplace<ThreadPoolExecutor>(ThreadPoolOptions{.max_workers = 3, .max_queue = 64});
    app.router().add_get("/plaintext", plaintext);
    app.router().add_get("/spin", spin);
    app.router().add_get("/burn", burn);
    return app;
}

}  // namespace

int main(int argc, char** argv) {
    bench::Options options(argc, argv);
    return web::run_app(make_app,
                        {.port = static_cast<std::uint16_t>(options.integer("port", 8080)),
                         .workers = static_cast<unsigned>(options.integer("workers", 1))});
}
