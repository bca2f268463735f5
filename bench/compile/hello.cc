// SPDX-License-Identifier: Apache-2.0
// Hello world as the README has it: what its users compile first.
#include <coracle/web.h>
using namespace coracle;

Task<web::Response> hello(web::Request& request) {
    co_return web::text("Hello, " + std::string(request.match_info("name", "Anonymous")));
}

web::Application make_app() {
    web::Application app;
    app.add_routes({web::get("/", hello), web::get("/{name}", hello)});
    return app;
}

int main() { return web::run_app(make_app, {.port = 8080}); }
