// SPDX-License-Identifier: Apache-2.0
// Router: which route answers a method and a path.
#pragma once

#include <coracle/base/error.h>
#include <coracle/http/method.h>
#include <coracle/web/route.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coracle::web {

// A pattern or a route that cannot be registered. The message names the pattern and what is wrong.
class RouteError : public Error {
  public:
    using Error::Error;
};

// Bounds of a route table. Breaking one is a RouteError, but for the last.
struct RouterLimits {
    static constexpr std::size_t variables_count_max = 16;  // in one pattern
    static constexpr std::size_t pattern_bytes_max = 2048;
    static constexpr std::size_t prefix_segments_max = 32;  // before the first variable
    // A path longer than this matches no pattern that needs a regular expression: 404.
    static constexpr std::size_t regex_path_bytes_max = 1024;
};

// What find() found. Offsets are into the path it was given.
struct RouteMatch {
    struct Span {
        std::uint32_t offset;
        std::uint32_t size;
    };
    const Route* route = nullptr;
    // A resource matched the path, but not with this method: 405.
    bool path_found = false;
    std::uint32_t count = 0;                                     // of values
    std::array<Span, RouterLimits::variables_count_max> values;  // of route->variables()
};

// Patterns:
//   /users                    exactly that path
//   /users/{id}               one segment, or a part of one, of any bytes but '/', '{' and '}'
//   /users/{id:[0-9]+}        what the regular expression (ECMAScript) matches; may span segments:
//                             /files/{path:.+}
//   /greet[/{name}]           the last segment is optional; match_info("name", fallback) then gives
//                             the fallback
//
// A request is matched to the pattern with the longest fixed beginning (whole segments), so a fixed
// path beats a variable one; among equal beginnings the first registered wins. A path that matches
// with other methods only is answered 405 with Allow, any other 404. Paths are compared decoded
// once, "%2F" never separates segments, and a trailing slash matters.
//
// A look-up of a fixed path, or of one whose variables are whole segments, allocates nothing and
// looks at each byte once. A regular expression beyond one class and its repetition ([0-9]+, \d{4},
// .*, [^/.]+), and a variable followed by text it could match itself ({name}.html), is run by
// std::regex in its polynomial mode: no backreferences, microseconds, at most regex_path_bytes_max.
//
// Frozen once the application starts: adding then throws Error.
class Router {
  public:
    Router();
    Router(Router&&) noexcept;
    Router& operator=(Router&&) noexcept;
    ~Router();

    // Adds a route. Throws RouteError: unbalanced braces, a name twice, the same route twice, ...
    Route& add(RouteDef definition);

    // add_get("/x", handler), add_get("/x", &Service::show, service), each with RouteOptions last
    // if wanted. add_get adds HEAD too, unless options.allow_head says no; a HEAD route of its own
    // takes precedence over it.
    template <class... A>
    Route& add_get(std::string_view path, A&&... arguments) {
        return add(get(path, std::forward<A>(arguments)...));
    }
    Route& add_get(std::string_view path, Handler handler, RouteOptions options) {
        return add(get(path, std::move(handler), options));
    }
    template <class... A>
    Route& add_post(std::string_view path, A&&... arguments) {
        return add(post(path, std::forward<A>(arguments)...));
    }
    template <class... A>
    Route& add_put(std::string_view path, A&&... arguments) {
        return add(put(path, std::forward<A>(arguments)...));
    }
    template <class... A>
    Route& add_patch(std::string_view path, A&&... arguments) {
        return add(patch(path, std::forward<A>(arguments)...));
    }
    template <class... A>
    Route& add_delete(std::string_view path, A&&... arguments) {
        return add(delete_(path, std::forward<A>(arguments)...));
    }
    template <class... A>
    Route& add_head(std::string_view path, A&&... arguments) {
        return add(head(path, std::forward<A>(arguments)...));
    }
    template <class... A>
    Route& add_options(std::string_view path, A&&... arguments) {
        return add(options(path, std::forward<A>(arguments)...));
    }
    // Any method: add_route("PROPFIND", path, handler); "*" is every method without its own route.
    template <class... A>
    Route& add_route(std::string_view method, std::string_view path, A&&... arguments) {
        return add(route(method, path, std::forward<A>(arguments)...));
    }
    void add_routes(std::initializer_list<RouteDef> routes);
    void add_routes(std::vector<RouteDef> routes);

    // All routes in order of registration; HEAD twins of GET routes are not listed.
    std::size_t size() const noexcept;
    const Route& operator[](std::size_t index) const noexcept;

    // Looks up a path that has no '%'; `method_text` matters for Method::other only.
    void find(http::Method method, std::string_view method_text, std::string_view path,
              RouteMatch& match) const;
    // The methods a path may be asked with, sorted: "GET,HEAD". Empty if no pattern matches it.
    std::string allowed(std::string_view path) const;

    // A path with '%' in the form that find() takes: every %XX decoded once, but "%2F" and "%25",
    // which stay so that they neither separate segments nor are decoded twice.
    static std::string normalize(std::string_view path);

    // For the application.
    void internal_freeze() noexcept;

  private:
    void find_variable(http::Method method, std::string_view method_text, std::string_view path,
                       RouteMatch& match) const;

    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace coracle::web
