// SPDX-License-Identifier: Apache-2.0
// The least a user's server can be: it includes, links, answers and ends.
#include <coracle/web.h>
using namespace coracle;

Task<web::Response> hello(web::Request&) { co_return web::text("Hello from outside"); }

web::Application make_app() {
    web::Application app;
    app.router().add_get("/", hello);
    return app;
}

int main() { return web::run_app(make_app, {.port = 0}); }
