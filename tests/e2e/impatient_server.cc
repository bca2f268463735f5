// SPDX-License-Identifier: Apache-2.0
// A server whose deadlines and limits are short enough for a test to reach them.
//
//   impatient_server [SHUTDOWN_SECONDS]     on a free port of 127.0.0.1, which it prints
//
//   POST /echo         the body back; 64 KiB at most
//   GET  /slow?ms=500  waits that long without blocking
//   GET  /big          32 MiB, more than any socket buffers
//   GET  /broken       throws
#include <coracle/web.h>

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>

using namespace coracle;

namespace {

Task<web::Response> echo(web::Request& request) {
    std::string body = co_await request.read();
    co_return web::bytes(std::move(body));
}

Task<web::Response> slow(web::Request& request) {
    co_await sleep(std::chrono::milliseconds(request.query<int>("ms")));
    co_return web::text("done");
}

Task<web::Response> big(web::Request&) { co_return web::bytes(std::string(32 << 20, 'x')); }

Task<web::Response> broken(web::Request&) {
    throw std::runtime_error("the drawer is stuck");
    co_return web::text("never");
}

web::Application make_app() {
    web::Application app({.client_max_size = 64 * 1024});
    app.add_routes({
        web::post("/echo", echo),
        web::get("/slow", slow),
        web::get("/big", big),
        web::get("/broken", broken),
    });
    return app;
}

}  // namespace

int main(int argc, char** argv) {
    web::RunOptions options = {.port = 0};
    options.shutdown_timeout = std::chrono::seconds(argc > 1 ? std::atoi(argv[1]) : 2);
    options.server.header_timeout = 1s;
    options.server.idle_timeout = 1s;
    options.server.body_grace = 1s;
    options.server.write_grace = 1s;
    options.server.linger_timeout = 1s;
    return web::run_app(make_app, options);
}
