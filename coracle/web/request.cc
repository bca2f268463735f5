// SPDX-License-Identifier: Apache-2.0
#include <coracle/web/request.h>

#include <coracle/http/mime.h>
#include <coracle/http/percent.h>
#include <coracle/http/request_head.h>
#include <coracle/web/application.h>
#include <coracle/web/http_exceptions.h>
#include <coracle/wire/exchange.h>

#include <charconv>
#include <cmath>
#include <cstring>

namespace coracle::web {

struct Request::Details {
    std::optional<http::Query> query;
    std::optional<http::Cookies> cookies;
    std::optional<std::string> path;
    std::string match_values;  // decoded; what match_'s spans refer to when the path is encoded
    std::string body;
    std::optional<std::string> converted_text;
    bool body_complete = false;
    bool body_too_large = false;
    bool body_taken = false;  // readany() has given away some of it
    bool text_checked = false;
    internal::Storage storage;
};

Request::Request(wire::Exchange& exchange, Application& app) noexcept
    : exchange_(exchange), app_(app) {}
void Request::DetailsDelete::operator()(Details* details) const noexcept { delete details; }

Request::Details& Request::details() const {
    if (!details_) details_.reset(new Details);
    return *details_;
}

internal::Storage& Request::storage() const { return details().storage; }

http::Method Request::method() const noexcept { return exchange_.request().method(); }
std::string_view Request::method_text() const noexcept { return exchange_.request().method_text(); }
http::Version Request::version() const noexcept { return exchange_.request().version(); }

std::string_view Request::path() const {
    const http::RequestHead& head = exchange_.request();
    if (!head.path_is_encoded()) return head.raw_path();
    std::optional<std::string>& path = details().path;
    if (!path) path = http::percent_decode(head.raw_path());
    return *path;
}

std::string_view Request::raw_path() const noexcept { return exchange_.request().raw_path(); }
std::string_view Request::query_string() const noexcept {
    return exchange_.request().query_string();
}

std::string Request::path_qs() const {
    std::string text(raw_path());
    if (exchange_.request().has_query()) text.append("?").append(query_string());
    return text;
}

std::string_view Request::scheme() const noexcept { return exchange_.request().scheme(); }

std::string_view Request::host() const noexcept {
    std::string_view authority = exchange_.request().authority();
    return authority.empty() ? exchange_.local() : authority;
}

http::Url Request::url() const {
    auto url =
        http::Url::try_parse(std::string(scheme()) + "://" + std::string(host()) + path_qs());
    if (!url) throw HTTPBadRequest("the request's target and host make no URL");
    return *std::move(url);
}

std::string_view Request::peer() const noexcept { return exchange_.peer(); }

std::string_view Request::remote() const noexcept {
    std::string_view peer = exchange_.peer();
    if (!peer.empty() && peer.front() == '[') {
        return peer.substr(1, std::min(peer.find(']'), peer.size()) - 1);
    }
    return peer.substr(0, peer.rfind(':'));
}

const http::Query& Request::query() const {
    std::optional<http::Query>& query = details().query;
    if (!query) {
        query = http::Query::try_parse(query_string());
        if (!query) {
            throw HTTPBadRequest("the query has more than " +
                                 std::to_string(http::QueryLimits().parameters_count_max) +
                                 " parameters");
        }
    }
    return *query;
}

std::string_view Request::query(std::string_view name, std::string_view fallback) const {
    return query().get(name, fallback);
}

http::HeaderView Request::headers() const noexcept { return exchange_.request().headers(); }

std::string_view Request::header(std::string_view name, std::string_view fallback) const noexcept {
    return headers().get(name, fallback);
}

const http::Cookies& Request::cookies() const {
    std::optional<http::Cookies>& cookies = details().cookies;
    if (!cookies) cookies.emplace(headers());
    return *cookies;
}

std::string_view Request::cookie(std::string_view name, std::string_view fallback) const {
    return cookies().get(name, fallback);
}

std::string Request::content_type() const {
    auto field = headers().get(http::KnownHeader::content_type);
    auto parsed = field ? http::parse_content_type(*field) : std::nullopt;
    return parsed ? parsed->type : "application/octet-stream";
}

std::string Request::charset() const {
    auto field = headers().get(http::KnownHeader::content_type);
    auto parsed = field ? http::parse_content_type(*field) : std::nullopt;
    return parsed ? parsed->charset() : std::string();
}

std::optional<std::uint64_t> Request::content_length() const noexcept {
    return exchange_.content_length();
}
bool Request::has_body() const noexcept { return exchange_.has_body(); }
std::uint64_t Request::id() const noexcept { return exchange_.id(); }

std::string_view Request::match_info(std::string_view name,
                                     std::string_view fallback) const noexcept {
    if (!match_.route) return fallback;
    const std::vector<std::string>& names = match_.route->variables();
    for (std::uint32_t i = 0; i < match_.count; ++i) {
        if (names[i] != name) continue;
        std::string_view text = exchange_.request().path_is_encoded()
                                    ? std::string_view(details_->match_values)
                                    : exchange_.request().raw_path();
        return text.substr(match_.values[i].offset, match_.values[i].size);
    }
    return fallback;
}

void Request::internal_keep_match(std::string normalized) {
    std::string& values = details().match_values;
    for (std::uint32_t i = 0; i < match_.count; ++i) {
        RouteMatch::Span& span = match_.values[i];
        std::string_view value = std::string_view(normalized).substr(span.offset, span.size);
        std::size_t offset = values.size();
        http::append_decoded(values, value, false);  // what is left: "%2F" and "%25"
        span = {static_cast<std::uint32_t>(offset),
                static_cast<std::uint32_t>(values.size() - offset)};
    }
}

Task<void> Request::read_all(std::size_t limit) {
    Details& kept = details();
    while (!kept.body_complete) {
        if (kept.body_too_large) throw HTTPRequestEntityTooLarge("client_max_size", limit);
        std::string_view piece = co_await exchange_.read_body();
        if (piece.empty()) {
            kept.body_complete = true;
        } else if (piece.size() > limit - kept.body.size()) {
            kept.body_too_large = true;
            kept.body = std::string();
        } else {
            kept.body += piece;
        }
    }
}

Task<const std::string&> Request::read_whole() {
    std::size_t limit = app_.options().client_max_size.value_or(std::string::npos);
    Details& kept = details();
    if (kept.body_taken)
        throw Error("the body was read with readany(): it is not there to be read whole");
    if (!kept.body_complete) {
        auto announced = exchange_.content_length();
        if (announced && *announced > limit) kept.body_too_large = true;
        constexpr std::size_t reserve_max = 1024 * 1024;  // an announcement is only a claim
        if (announced && !kept.body_too_large) {
            kept.body.reserve(std::min<std::size_t>(*announced, reserve_max));
        }
        co_await read_all(limit);
    }
    co_return kept.body;
}

Task<const std::string&> Request::read() { return read_whole(); }

namespace {

bool is_utf8(std::string_view text) noexcept {
    auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    std::size_t i = 0;
    while (i < text.size()) {
        std::uint64_t word = 0;
        if (text.size() - i >= 8) {
            std::memcpy(&word, text.data() + i, 8);
            if ((word & 0x8080808080808080U) == 0) {
                i += 8;
                continue;
            }
        }
        unsigned lead = byte(i);
        std::size_t more = 0;
        if (lead >= 0x80) {
            if (lead < 0xC2 || lead > 0xF4) return false;
            more = lead < 0xE0 ? 1 : (lead < 0xF0 ? 2 : 3);
        }
        if (more >= text.size() - i) return false;
        for (std::size_t k = 1; k <= more; ++k) {
            if ((byte(i + k) & 0xC0) != 0x80) return false;
        }
        if (more >= 2) {
            // Overlong forms, surrogates, and what lies beyond U+10FFFF.
            unsigned next = byte(i + 1);
            if ((lead == 0xE0 && next < 0xA0) || (lead == 0xED && next >= 0xA0) ||
                (lead == 0xF0 && next < 0x90) || (lead == 0xF4 && next >= 0x90)) {
                return false;
            }
        }
        i += more + 1;
    }
    return true;
}

std::string from_latin1(std::string_view text) {
    std::string out;
    for (char c : text) {
        auto code = static_cast<unsigned char>(c);
        if (code < 0x80) {
            out += c;
        } else {
            out += static_cast<char>(0xC0 | (code >> 6));
            out += static_cast<char>(0x80 | (code & 0x3F));
        }
    }
    return out;
}

}  // namespace

Task<const std::string&> Request::read_text() {
    const std::string& body = co_await read_whole();
    Details& kept = details();
    if (kept.converted_text) co_return *kept.converted_text;
    if (!kept.text_checked) {
        std::string named = charset();
        if (named == "iso-8859-1" || named == "latin-1" || named == "latin1") {
            kept.converted_text = from_latin1(body);
            co_return *kept.converted_text;
        }
        if (!named.empty() && named != "utf-8" && named != "utf8" && named != "us-ascii") {
            throw HTTPUnsupportedMediaType("text in another charset than UTF-8 or ISO-8859-1");
        }
        if (!is_utf8(body)) throw HTTPBadRequest("the request's body is not valid UTF-8");
        kept.text_checked = true;
    }
    co_return body;
}

Task<const std::string&> Request::text() { return read_text(); }

Task<std::string_view> Request::readany() {
    Details& kept = details();
    if (kept.body_complete && !kept.body_taken && exchange_.has_body()) {
        throw Error("the body was read whole: readany() has nothing left to give");
    }
    kept.body_taken = true;
    return exchange_.read_body();
}

namespace internal {
namespace {

template <class T>
bool read_number(std::string_view text, T& value) noexcept {
    if (!text.empty() && text.front() == '+') text.remove_prefix(1);
    if (text.empty() || text.front() == '+') return false;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

bool parse_value(std::string_view text, bool& value) noexcept {
    value = text == "1" || text == "true";
    return value || text == "0" || text == "false";
}
bool parse_value(std::string_view text, long long& value) noexcept {
    return read_number(text, value);
}
bool parse_value(std::string_view text, unsigned long long& value) noexcept {
    return read_number(text, value);
}
bool parse_value(std::string_view text, double& value) noexcept {
    return read_number(text, value) && std::isfinite(value);
}

void throw_bad_query(std::string_view name, const char* kind) {
    throw HTTPBadRequest("the query parameter '" + std::string(name) + "' is not " + kind);
}
void throw_missing_query(std::string_view name) {
    throw HTTPBadRequest("the query parameter '" + std::string(name) + "' is missing");
}
void throw_no_such_path() { throw HTTPNotFound(); }

}  // namespace internal
}  // namespace coracle::web
