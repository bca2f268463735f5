// SPDX-License-Identifier: Apache-2.0
// Shows: one handler behind two routes, on all interfaces.
//
//   build/release/examples/hello_server &
//   curl http://127.0.0.1:8001/             Hello, Anonymous
//   curl http://127.0.0.1:8001/Ada          Hello, Ada
//
// Beside it: hello_server.py.
#include <coracle/web.h>

#include "shared/options.h"

using namespace coracle;

Task<web::Response> hello(web::Request& request) {
    co_return web::text("Hello, " + std::string(request.match_info("name", "Anonymous")));
}

int main(int argc, char** argv) {
    web::Application app;
    app.add_routes({web::get("/", hello), web::get("/{name}", hello)});
    return web::run_app(std::move(app), examples::options(argc, argv, {.host = "", .port = 8001}));
}
