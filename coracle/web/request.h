// SPDX-License-Identifier: Apache-2.0
// Request: what a handler is asked.
#pragma once

#include <coracle/core/task.h>
#include <coracle/http/cookie.h>
#include <coracle/http/headers.h>
#include <coracle/http/method.h>
#include <coracle/http/query.h>
#include <coracle/http/url.h>
#include <coracle/http/version.h>
#include <coracle/web/router.h>
#include <coracle/web/storage.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace boost::json {
class value;
}

namespace coracle::wire {
class Exchange;
}

namespace coracle::web {

class Application;

namespace internal {

// The text as a number or a bool ("1", "true", "0", "false"); false if it is none that fits.
bool parse_value(std::string_view text, bool& value) noexcept;
bool parse_value(std::string_view text, long long& value) noexcept;
bool parse_value(std::string_view text, unsigned long long& value) noexcept;
bool parse_value(std::string_view text, double& value) noexcept;

// What query<T>() and match_info<T>() can read.
template <class T>
concept Readable = std::is_arithmetic_v<T> || std::same_as<T, std::string>;

template <Readable T>
bool read_value(std::string_view text, T& value) {
    if constexpr (std::is_same_v<T, std::string>) {
        value = text;
        return true;
    } else if constexpr (std::is_same_v<T, bool>) {
        return parse_value(text, value);
    } else if constexpr (std::is_floating_point_v<T>) {
        double wide = 0;
        if (!parse_value(text, wide)) return false;
        value = static_cast<T>(wide);
        return true;
    } else {
        using Wide = std::conditional_t<std::is_signed_v<T>, long long, unsigned long long>;
        Wide wide = 0;
        if (!parse_value(text, wide)) return false;
        if (wide < std::numeric_limits<T>::min() || wide > std::numeric_limits<T>::max()) {
            return false;
        }
        value = static_cast<T>(wide);
        return true;
    }
}

template <class T>
inline constexpr const char* value_kind = std::is_same_v<T, bool>       ? "true or false"
                                          : std::is_floating_point_v<T> ? "a number"
                                          : std::is_unsigned_v<T>       ? "a whole number from 0"
                                                                        : "a whole number";

[[noreturn]] void throw_bad_query(std::string_view name, const char* kind);
[[noreturn]] void throw_missing_query(std::string_view name);
[[noreturn]] void throw_no_such_path();

}  // namespace internal

// One request, alive until its response has been made. Handlers get a reference; it belongs to the
// loop's thread. Views it hands out live until the handler ends, but not across a read of the body
// (copy what you keep: std::string(request.path())).
class Request {
  public:
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;
    ~Request() = default;

    http::Method method() const noexcept;
    // As it arrived; the only place to learn a method that http::Method does not name.
    std::string_view method_text() const noexcept;
    http::Version version() const noexcept;

    // Decoded once, without the query: "/a b" for "/a%20b?x".
    std::string_view path() const;
    // As it arrived.
    std::string_view raw_path() const noexcept;
    std::string_view query_string() const noexcept;
    // raw_path(), and the query with its '?' if there is one.
    std::string path_qs() const;

    // "http" or "https"; host[:port] that was asked for, or our own address if an HTTP/1.0 client
    // did not say. Both are what the peer and the connection say, without regard to proxies.
    std::string_view scheme() const noexcept;
    std::string_view host() const noexcept;
    // The whole URL. 400 if the peer's target and host make none.
    http::Url url() const;
    // Address of the peer without its port: "127.0.0.1", "::1", "unix"; peer() has the port.
    std::string_view remote() const noexcept;
    std::string_view peer() const noexcept;

    // Query parameters, decoded. 400 if there are more than http::QueryLimits allows.
    const http::Query& query() const;
    // The first parameter of that name, or the fallback.
    std::string_view query(std::string_view name, std::string_view fallback = {}) const;
    // The same as a number, bool or std::string: 400 if it is there and is not one.
    //   auto seconds = request.query<int>("seconds", 5);
    template <internal::Readable T>
    T query(std::string_view name, std::type_identity_t<T> fallback) const;
    // 400 if it is not there either.
    template <internal::Readable T>
    T query(std::string_view name) const;

    http::HeaderView headers() const noexcept;
    // The first field of that name, or the fallback.
    std::string_view header(std::string_view name, std::string_view fallback = {}) const noexcept;

    const http::Cookies& cookies() const;
    std::string_view cookie(std::string_view name, std::string_view fallback = {}) const;

    // The media type in lower case without parameters; "application/octet-stream" if there is none.
    std::string content_type() const;
    // In lower case; empty if none is given.
    std::string charset() const;
    // Length of the body if it was announced.
    std::optional<std::uint64_t> content_length() const noexcept;
    bool has_body() const noexcept;

    // Value of a variable of the route's pattern, decoded once: "a/b" for "a%2Fb".
    std::string_view match_info(std::string_view name,
                                std::string_view fallback = {}) const noexcept;
    // The same as a number, bool or std::string; 404 if it is not one.
    template <internal::Readable T>
    T match_info(std::string_view name) const;

    // The whole body, read once and kept: several callers may ask. At most client_max_size of the
    // application; more is 413 that names the limit. A body that is malformed or too slow is 400 or
    // 408. Cancelling loses nothing: ask again. One reader at a time.
    //   const auto& body = co_await request.read();
    Task<const std::string&> read();
    // The same as UTF-8 text. 400 if it is not; ISO-8859-1 is converted, another charset is 415.
    Task<const std::string&> text();
    // The body as JSON: boost::json::value, or a struct described with Boost.Describe. 400 when it
    // is not JSON or does not fit. Needs <coracle/web/json.h>.
    //   auto order = co_await request.json<Order>();
    template <class T = boost::json::value>
    Task<T> json();
    // The body in pieces as they arrive, without a limit; empty at its end. A piece lives until the
    // next one is asked for. Not after read(), text() or json().
    Task<std::string_view> readany();

    Application& app() const noexcept { return app_; }
    // The route that answers; its path() is the pattern. Null when none matched (a middleware sees
    // such requests too).
    const Route* route() const noexcept { return match_.route; }
    // Counts requests over the process. For logs.
    std::uint64_t id() const noexcept;

    // What middlewares leave for handlers, by type: request.set(User{...}); request.get<User>().
    template <class T>
    std::decay_t<T>& set(T&& value);
    // Throws Error if there is none.
    template <class T>
    T& get() const;
    template <class T>
    T* find() const noexcept;

    // For the library.
    Request(wire::Exchange& exchange, Application& app) noexcept;
    wire::Exchange& internal_exchange() const noexcept { return exchange_; }
    RouteMatch& internal_match() noexcept { return match_; }
    // Takes over the normalized path that the match's offsets refer to.
    void internal_keep_match(std::string normalized);
    std::size_t internal_body_max() const noexcept;

  private:
    // Defined where Details is complete, so that the end of a request without any is inline.
    struct Details;
    struct DetailsDelete {
        void operator()(Details* details) const noexcept;
    };
    Details& details() const;
    internal::Storage& storage() const;
    Task<void> read_all(std::size_t limit);
    Task<const std::string&> read_whole();
    Task<const std::string&> read_text();

    wire::Exchange& exchange_;
    Application& app_;
    mutable std::unique_ptr<Details, DetailsDelete> details_;  // what most requests never ask for
    RouteMatch match_;
};

// Implementation

template <internal::Readable T>
T Request::query(std::string_view name, std::type_identity_t<T> fallback) const {
    auto text = query().get(name);
    if (!text) return fallback;
    T value{};
    if (!internal::read_value(*text, value)) {
        internal::throw_bad_query(name, internal::value_kind<T>);
    }
    return value;
}

template <internal::Readable T>
T Request::query(std::string_view name) const {
    if (!query().contains(name)) internal::throw_missing_query(name);
    return query<T>(name, T{});
}

template <internal::Readable T>
T Request::match_info(std::string_view name) const {
    T value{};
    if (!internal::read_value(match_info(name), value)) internal::throw_no_such_path();
    return value;
}

template <class T>
std::decay_t<T>& Request::set(T&& value) {
    return storage().emplace<std::decay_t<T>>({}, std::forward<T>(value));
}

template <class T>
T* Request::find() const noexcept {
    return details_ ? static_cast<T*>(storage().find(typeid(T), {})) : nullptr;
}

template <class T>
T& Request::get() const {
    T* object = find<T>();
    if (!object) internal::throw_not_stored("the request", typeid(T), {});
    return *object;
}

}  // namespace coracle::web
