// SPDX-License-Identifier: Apache-2.0
// Shows: a redirect, an empty answer, a file, an optional path variable, JSON, and a middleware.
//
//   build/release/examples/routes_server &
//   curl -i  http://127.0.0.1:8080/redirect           302 to /page
//   curl -i  http://127.0.0.1:8080/empty              204
//   curl     http://127.0.0.1:8080/page               page.html, read from disk
//   curl     http://127.0.0.1:8080/greet              {"name":"Anonymous","query":{}}
//   curl    "http://127.0.0.1:8080/greet/Ada?x=1"     {"name":"Ada","query":{"x":"1"}}
//
// Every answer carries the header the middleware adds. Beside it: routes_server.py.
#include <coracle/web.h>

#include <filesystem>

#include "shared/options.h"

using namespace coracle;

Task<web::Response> redirect(web::Request&) { co_return web::redirect("/page"); }

Task<web::Response> empty(web::Request&) { co_return web::Response(204); }

// The build puts page.html beside the program.
Task<web::Response> page(web::Request&) {
    auto folder = std::filesystem::read_symlink("/proc/self/exe").parent_path();
    co_return web::file(folder / "page.html", {.content_type = "text/html"});
}

Task<web::Response> greet(web::Request& request) {
    boost::json::object query;
    for (const auto& [name, value] : request.query()) query.emplace(name, value);
    co_return web::json_response(
        {{"name", request.match_info("name", "Anonymous")}, {"query", query}});
}

Task<web::Response> sign(web::Request& request, web::Next next) {
    auto response = co_await next(request);
    response.headers().set("X-Signed-By", "middleware");
    co_return response;
}

web::Application make_app() {
    web::Application app;
    app.middlewares().append(sign);
    app.add_routes({
        web::get("/redirect", redirect),
        web::get("/empty", empty),
        web::get("/page", page),
        web::get("/greet[/{name}]", greet),
    });
    return app;
}

int main(int argc, char** argv) { return web::run_app(make_app, examples::options(argc, argv)); }
