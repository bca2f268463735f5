// SPDX-License-Identifier: Apache-2.0
#include <coracle/web/route.h>

namespace coracle::web {

RouteDef route(std::string_view method, std::string_view path, Handler handler,
               RouteOptions options) {
    return {std::string(method), std::string(path), std::move(handler), options};
}

RouteDef get(std::string_view path, Handler handler, RouteOptions options) {
    return route("GET", path, std::move(handler), options);
}
RouteDef post(std::string_view path, Handler handler, RouteOptions options) {
    return route("POST", path, std::move(handler), options);
}
RouteDef put(std::string_view path, Handler handler, RouteOptions options) {
    return route("PUT", path, std::move(handler), options);
}
RouteDef patch(std::string_view path, Handler handler, RouteOptions options) {
    return route("PATCH", path, std::move(handler), options);
}
RouteDef delete_(std::string_view path, Handler handler, RouteOptions options) {
    return route("DELETE", path, std::move(handler), options);
}
RouteDef head(std::string_view path, Handler handler, RouteOptions options) {
    return route("HEAD", path, std::move(handler), options);
}
RouteDef options(std::string_view path, Handler handler, RouteOptions options) {
    return route("OPTIONS", path, std::move(handler), options);
}

Route::Route(RouteDef definition)
    : definition_(std::move(definition)), label_(definition_.method + " " + definition_.path) {}

}  // namespace coracle::web
