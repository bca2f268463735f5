// SPDX-License-Identifier: Apache-2.0
// Shows: what blocking does to an event loop, and what offloading cures; a page, and routes to
// curl.
//
//   make serve                              or: build/release/examples/showcase --workers 2
//   open http://127.0.0.1:8080
//   curl "http://127.0.0.1:8080/threaded?seconds=1"
//
// One pool of three threads and 64 places serves all workers; each worker has a loop of its own.
#include <coracle/web.h>

#include "../shared/options.h"
#include "page.h"
#include "stats.h"
#include "work.h"

using namespace coracle;

namespace {

Task<web::Response> page(web::Request&) { co_return web::html(std::string(showcase::page_html)); }

Task<web::Response> hello(web::Request& request) {
    co_return web::text("Hello, " + std::string(request.match_info("name", "Anonymous")));
}

Task<web::Response> plaintext(web::Request&) { co_return web::text("Hello, World!"); }

Task<web::Response> json(web::Request&) {
    co_return web::json_response({{"message", "Hello, World!"}});
}

Task<web::Response> redirect(web::Request&) { co_return web::redirect("/hello"); }

Task<web::Response> empty(web::Request&) { co_return web::Response(204); }

web::Application make_app(web::WorkerContext& worker) {
    web::Application app;
    app.set(worker);
    app.set(worker.shared<ThreadPoolExecutor>(
        [] { return ThreadPoolExecutor(showcase::pool_options); }));
    auto& lag = app.emplace<LoopLagMonitor>(LoopLagOptions{.period = 20ms});
    app.background(&LoopLagMonitor::run, &lag);
    app.add_routes({
        web::get("/", page),
        web::get("/hello[/{name}]", hello),
        web::get("/blocked", showcase::blocked),
        web::get("/threaded", showcase::threaded),
        web::get("/burst", showcase::burst),
        web::get("/plaintext", plaintext),
        web::get("/json", json),
        web::get("/redirect", redirect),
        web::get("/empty", empty),
        web::get("/stats", showcase::stats),
    });
    return app;
}

}  // namespace

int main(int argc, char** argv) { return web::run_app(make_app, examples::options(argc, argv)); }
