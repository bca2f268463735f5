// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/url.h>

#include <coracle/http/internal/authority.h>
#include <coracle/http/internal/chars.h>
#include <coracle/http/percent.h>
#include <coracle/http/request_head.h>

#include <algorithm>
#include <array>

namespace coracle::http {

namespace {

constexpr std::size_t url_bytes_max = 65535;

struct KnownScheme {
    std::string_view name;
    std::uint16_t port;
};
constexpr std::array<KnownScheme, 4> known_schemes = {{
    {"http", 80},
    {"https", 443},
    {"ws", 80},
    {"wss", 443},
}};

// Length of the scheme if the text starts with a known one and "://".
std::size_t scheme_size(std::string_view text) noexcept {
    for (const KnownScheme& scheme : known_schemes) {
        std::size_t size = scheme.name.size();
        if (text.substr(std::min(size, text.size())).starts_with("://") &&
            equal_ignoring_case(text.substr(0, size), scheme.name))
            return size;
    }
    return 0;
}

bool is_visible(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(),
                       [](char byte) { return byte > 0x20 && byte < 0x7F; });
}

void make_lower(std::string& text, std::size_t offset, std::size_t size) noexcept {
    for (std::size_t i = offset; i < offset + size; ++i) text[i] = internal::to_lower(text[i]);
}

}  // namespace

std::uint16_t default_port(std::string_view scheme) noexcept {
    for (const KnownScheme& known : known_schemes)
        if (equal_ignoring_case(scheme, known.name)) return known.port;
    return 0;
}

// Fills host and port from text_; user information has been cut off.
bool Url::split_authority(std::size_t offset, std::size_t size) {
    internal::Authority authority;
    if (!internal::split_authority(std::string_view(text_).substr(offset, size), authority))
        return false;
    host_offset_ = static_cast<std::uint32_t>(offset);
    host_size_ = static_cast<std::uint32_t>(authority.host.size());
    authority_size_ = static_cast<std::uint32_t>(size);
    unsigned port = 0;
    for (char digit : authority.port) port = port * 10 + static_cast<unsigned>(digit - '0');
    port_ = authority.port.empty() ? default_port(scheme()) : static_cast<std::uint16_t>(port);
    make_lower(text_, host_offset_, host_size_);
    return true;
}

bool Url::split(std::string_view text, bool is_target) {
    if (text.empty() || text.size() > url_bytes_max || !is_visible(text)) return false;
    if (is_target && text.find('#') != std::string_view::npos) return false;
    text_ = text;
    std::size_t at = 0;
    if (std::size_t size = scheme_size(text); size != 0) {
        scheme_size_ = static_cast<std::uint32_t>(size);
        make_lower(text_, 0, size);
        at = size + 3;
        std::size_t end = std::min(text.find_first_of("/?#", at), text.size());
        std::size_t user_end = text.substr(0, end).rfind('@');
        if (user_end != std::string_view::npos && user_end >= at) {
            if (is_target) return false;
            user_offset_ = static_cast<std::uint32_t>(at);
            user_size_ = static_cast<std::uint32_t>(user_end - at);
            at = user_end + 1;
        }
        if (!split_authority(at, end - at)) return false;
        at = end;
    } else if (is_target) {
        if (text == "*") {
            path_size_ = 1;
            return true;
        }
        if (text.front() != '/') return split_authority(0, text.size());
    } else if (text.front() != '?' && (text.front() != '/' || text.starts_with("//"))) {
        return false;
    }

    std::size_t path_end = std::min(text.find_first_of("?#", at), text.size());
    path_offset_ = static_cast<std::uint32_t>(at);
    path_size_ = static_cast<std::uint32_t>(path_end - at);
    at = path_end;
    if (at < text.size() && text[at] == '?') {
        std::size_t end = std::min(text.find('#', at), text.size());
        has_query_ = true;
        query_offset_ = static_cast<std::uint32_t>(at + 1);
        query_size_ = static_cast<std::uint32_t>(end - at - 1);
        at = end;
    }
    if (at < text.size()) {
        fragment_offset_ = static_cast<std::uint32_t>(at + 1);
        fragment_size_ = static_cast<std::uint32_t>(text.size() - at - 1);
    }
    return raw_path().find("%00") == std::string_view::npos;
}

std::optional<Url> Url::try_parse(std::string_view text) {
    Url url{Unset()};
    if (!url.split(text, false)) return std::nullopt;
    return url;
}

Url Url::parse(std::string_view text) {
    std::optional<Url> url = try_parse(text);
    if (!url) throw InvalidUrl("parse URL: neither an http URL nor a path");
    return *std::move(url);
}

std::optional<Url> Url::try_parse_target(std::string_view target) {
    Url url{Unset()};
    if (!url.split(target, true)) return std::nullopt;
    return url;
}

std::optional<Url> Url::try_from(const RequestHead& head) {
    bool is_origin = head.target_form() == TargetForm::origin;
    bool is_absolute = head.target_form() == TargetForm::absolute;
    if (head.authority().empty() || !(is_origin || is_absolute))
        return try_parse_target(head.target());
    std::string text(head.scheme());
    text.append("://").append(head.authority()).append(head.raw_path());
    if (head.has_query()) text.append("?").append(head.query_string());
    return try_parse_target(text);
}

std::string_view Url::host() const noexcept {
    std::string_view host = part(host_offset_, host_size_);
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    return host;
}

std::uint16_t Url::port() const noexcept { return port_; }

std::string_view Url::raw_path() const noexcept {
    return path_size_ == 0 && is_absolute() ? std::string_view("/")
                                            : part(path_offset_, path_size_);
}

std::string Url::path() const { return percent_decode(raw_path()); }

std::string Url::path_qs() const {
    std::string text(raw_path());
    if (has_query_) text.append("?").append(query_string());
    return text;
}

std::optional<Query> Url::try_query(const QueryLimits& limits) const {
    return Query::try_parse(query_string(), limits);
}

}  // namespace coracle::http
