// SPDX-License-Identifier: Apache-2.0
// Cookies: reading the Cookie field, writing Set-Cookie (RFC 6265bis).
#pragma once

#include <coracle/base/error.h>
#include <coracle/http/headers.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coracle::http {

// A cookie that may not be set. The message names the cookie, never its value.
class InvalidCookie : public Error {
  public:
    using Error::Error;
};

// The cookies of a request, in order, as views into its Cookie fields. Reading never fails: what is
// not "name=value" is skipped, odd names and values are kept as they are, quotes around a value are
// taken off. At most 1,000 cookies; what follows is ignored.
class Cookies {
  public:
    struct Cookie {
        std::string_view name;
        std::string_view value;
    };

    Cookies() = default;
    explicit Cookies(HeaderView headers);
    static Cookies parse(std::string_view field);

    // Value of the first cookie of that name; names are case-sensitive.
    std::optional<std::string_view> get(std::string_view name) const noexcept;
    std::string_view get(std::string_view name, std::string_view fallback) const noexcept;
    bool contains(std::string_view name) const noexcept { return get(name).has_value(); }

    std::size_t size() const noexcept { return cookies_.size(); }
    bool empty() const noexcept { return cookies_.empty(); }
    Cookie operator[](std::size_t index) const noexcept { return cookies_[index]; }
    auto begin() const noexcept { return cookies_.begin(); }
    auto end() const noexcept { return cookies_.end(); }

  private:
    void read(std::string_view field);

    std::vector<Cookie> cookies_;
};

enum class SameSite : std::uint8_t { unset, strict, lax, none };

// A cookie to be set, built part by part. Path "/" unless told otherwise, as in aiohttp.
//
//     headers.add("Set-Cookie", SetCookie("session",
//     id).http_only().same_site(SameSite::lax).str());
//
// Name: a token. Value: visible ASCII without blank, '"', ',', ';' and '\'; percent_encode()
// anything else. Path and domain: visible ASCII without ';'. Anything else throws InvalidCookie
// where it is said. str() throws it for a combination browsers ignore: SameSite=None, Partitioned
// or a name with __Secure- without secure(); a name with
// __Host- without secure() or with a domain or another path.
class SetCookie {
  public:
    SetCookie(std::string_view name, std::string_view value);
    // Tells the browser to forget the cookie: empty value, a date in 1970, Max-Age 0. Path and
    // domain must be those it was set with.
    static SetCookie expired(std::string_view name);

    SetCookie& path(std::string_view path);  // empty: no Path attribute
    SetCookie& domain(std::string_view domain);
    SetCookie& max_age(std::chrono::seconds age);
    SetCookie& expires(std::chrono::sys_seconds time);
    SetCookie& secure(bool on = true);
    SetCookie& http_only(bool on = true);
    SetCookie& partitioned(bool on = true);
    SetCookie& same_site(SameSite policy);

    // The value of a Set-Cookie field.
    std::string str() const;

  private:
    std::string name_;
    std::string value_;
    std::string path_ = "/";
    std::string domain_;
    std::optional<std::chrono::seconds> max_age_;
    std::optional<std::chrono::sys_seconds> expires_;
    SameSite same_site_ = SameSite::unset;
    bool secure_ = false;
    bool http_only_ = false;
    bool partitioned_ = false;
};

}  // namespace coracle::http
