// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/cookie.h>

#include <coracle/http/date.h>
#include <coracle/http/internal/chars.h>

#include <algorithm>

namespace coracle::http {

namespace {

constexpr std::size_t cookies_count_max = 1000;

// Attribute values may not end the attribute (RFC 6265 section 4.1.1: any character but controls
// and ';').
bool is_attribute_value(std::string_view text) noexcept {
    return std::ranges::all_of(text,
                               [](char byte) { return byte > 0x20 && byte < 0x7F && byte != ';'; });
}

}  // namespace

Cookies::Cookies(HeaderView headers) {
    if (!headers.contains(KnownHeader::cookie)) return;
    for (std::string_view field : headers.get_all("cookie")) read(field);
}

Cookies Cookies::parse(std::string_view field) {
    Cookies cookies;
    cookies.read(field);
    return cookies;
}

void Cookies::read(std::string_view field) {
    while (!field.empty() && cookies_.size() < cookies_count_max) {
        std::size_t size = std::min(field.find(';'), field.size());
        std::string_view pair = field.substr(0, size);
        field.remove_prefix(std::min(size + 1, field.size()));
        std::size_t equals = pair.find('=');
        if (equals == std::string_view::npos) continue;
        std::string_view name = internal::trim(pair.substr(0, equals));
        std::string_view value = internal::trim(pair.substr(equals + 1));
        if (name.empty()) continue;
        if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
            value = value.substr(1, value.size() - 2);
        cookies_.push_back({name, value});
    }
}

std::optional<std::string_view> Cookies::get(std::string_view name) const noexcept {
    for (const Cookie& cookie : cookies_)
        if (cookie.name == name) return cookie.value;
    return std::nullopt;
}

std::string_view Cookies::get(std::string_view name, std::string_view fallback) const noexcept {
    return get(name).value_or(fallback);
}

SetCookie::SetCookie(std::string_view name, std::string_view value) : name_(name), value_(value) {
    if (!is_token(name)) throw InvalidCookie("set cookie: its name is not a token");
    if (!internal::all_of_class(value, internal::kCookieOctet))
        throw InvalidCookie("set cookie \"" + name_ + "\": its value needs percent_encode()");
}

SetCookie SetCookie::expired(std::string_view name) {
    SetCookie cookie(name, "");
    cookie.max_age(std::chrono::seconds(0)).expires(std::chrono::sys_seconds());
    return cookie;
}

SetCookie& SetCookie::path(std::string_view path) {
    if (!is_attribute_value(path)) throw InvalidCookie("set cookie \"" + name_ + "\": bad path");
    path_ = path;
    return *this;
}

SetCookie& SetCookie::domain(std::string_view domain) {
    if (!is_attribute_value(domain))
        throw InvalidCookie("set cookie \"" + name_ + "\": bad domain");
    domain_ = domain;
    return *this;
}

SetCookie& SetCookie::max_age(std::chrono::seconds age) {
    max_age_ = age;
    return *this;
}

SetCookie& SetCookie::expires(std::chrono::sys_seconds time) {
    expires_ = time;
    return *this;
}

SetCookie& SetCookie::secure(bool on) {
    secure_ = on;
    return *this;
}

SetCookie& SetCookie::http_only(bool on) {
    http_only_ = on;
    return *this;
}

SetCookie& SetCookie::partitioned(bool on) {
    partitioned_ = on;
    return *this;
}

SetCookie& SetCookie::same_site(SameSite policy) {
    same_site_ = policy;
    return *this;
}

std::string SetCookie::str() const {
    auto has_prefix = [this](std::string_view prefix) {
        return equal_ignoring_case(std::string_view(name_).substr(0, prefix.size()), prefix);
    };
    if (!secure_ && (same_site_ == SameSite::none || partitioned_ || has_prefix("__Secure-") ||
                     has_prefix("__Host-")))
        throw InvalidCookie("set cookie \"" + name_ + "\": browsers ignore it without secure()");
    if (has_prefix("__Host-") && (path_ != "/" || !domain_.empty()))
        throw InvalidCookie("set cookie \"" + name_ + "\": __Host- means path \"/\" and no domain");

    std::string text = name_ + "=" + value_;
    if (!domain_.empty()) text += "; Domain=" + domain_;
    if (expires_) text += "; Expires=" + format_date(*expires_);
    if (max_age_) text += "; Max-Age=" + std::to_string(max_age_->count());
    if (!path_.empty()) text += "; Path=" + path_;
    if (secure_) text += "; Secure";
    if (http_only_) text += "; HttpOnly";
    switch (same_site_) {
    case SameSite::unset:
        break;
    case SameSite::strict:
        text += "; SameSite=Strict";
        break;
    case SameSite::lax:
        text += "; SameSite=Lax";
        break;
    case SameSite::none:
        text += "; SameSite=None";
        break;
    }
    if (partitioned_) text += "; Partitioned";
    return text;
}

}  // namespace coracle::http
