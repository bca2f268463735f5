// SPDX-License-Identifier: Apache-2.0
// One line of a route table: method, path pattern, handler, options.
#pragma once

#include <coracle/base/clock.h>
#include <coracle/web/handler.h>

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace coracle::web {

struct RouteOptions {
    // add_get() answers HEAD too, with the same handler and without the body.
    bool allow_head = true;
    // How long the handler may take until it is cancelled and the client gets 503. Zero: no limit.
    Duration deadline{};
    // What the client gets when a TimeoutError leaves the handler. aiohttp answers 504, which
    // blames an upstream server even if the handler's own lock was slow; say 504 here for a
    // gateway.
    int timeout_status = 500;
};
static_assert(std::is_trivially_copyable_v<RouteOptions>);

// What get(), post() and their like make, and add_routes() takes.
//
//   app.add_routes({web::get("/", index), web::post("/orders", &Shop::order, shop)});
struct RouteDef {
    std::string method;
    std::string path;
    Handler handler;
    RouteOptions options;
};

// method "*" stands for every method without a route of its own.
RouteDef route(std::string_view method, std::string_view path, Handler handler,
               RouteOptions options = {});

RouteDef get(std::string_view path, Handler handler, RouteOptions options = {});
RouteDef post(std::string_view path, Handler handler, RouteOptions options = {});
RouteDef put(std::string_view path, Handler handler, RouteOptions options = {});
RouteDef patch(std::string_view path, Handler handler, RouteOptions options = {});
RouteDef delete_(std::string_view path, Handler handler, RouteOptions options = {});
RouteDef head(std::string_view path, Handler handler, RouteOptions options = {});
RouteDef options(std::string_view path, Handler handler, RouteOptions options = {});

// The same with a member function and its object.
template <class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
RouteDef route(std::string_view method, std::string_view path, Member member, Object&& object,
               RouteOptions options = {}) {
    return route(method, path, Handler(member, std::forward<Object>(object)), options);
}
template <class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
RouteDef get(std::string_view path, Member member, Object&& object, RouteOptions options = {}) {
    return get(path, Handler(member, std::forward<Object>(object)), options);
}
template <class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
RouteDef post(std::string_view path, Member member, Object&& object, RouteOptions options = {}) {
    return post(path, Handler(member, std::forward<Object>(object)), options);
}
template <class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
RouteDef put(std::string_view path, Member member, Object&& object, RouteOptions options = {}) {
    return put(path, Handler(member, std::forward<Object>(object)), options);
}
template <class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
RouteDef patch(std::string_view path, Member member, Object&& object, RouteOptions options = {}) {
    return patch(path, Handler(member, std::forward<Object>(object)), options);
}
template <class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
RouteDef delete_(std::string_view path, Member member, Object&& object, RouteOptions options = {}) {
    return delete_(path, Handler(member, std::forward<Object>(object)), options);
}
template <class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
RouteDef head(std::string_view path, Member member, Object&& object, RouteOptions options = {}) {
    return head(path, Handler(member, std::forward<Object>(object)), options);
}

// A route in the table, for introspection and logs.
class Route {
  public:
    explicit Route(RouteDef definition);

    const std::string& method() const noexcept { return definition_.method; }
    // The pattern as it was registered: "/users/{id}".
    const std::string& path() const noexcept { return definition_.path; }
    const Handler& handler() const noexcept { return definition_.handler; }
    const RouteOptions& options() const noexcept { return definition_.options; }
    // Names of the pattern's variables, in order.
    const std::vector<std::string>& variables() const noexcept { return variables_; }
    // "GET /users/{id}": what a task that serves it is busy with.
    const std::string& label() const noexcept { return label_; }

  private:
    friend class Router;
    RouteDef definition_;
    std::vector<std::string> variables_;
    std::string label_;
};

}  // namespace coracle::web
