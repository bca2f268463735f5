// SPDX-License-Identifier: Apache-2.0
#include <coracle/web/response.h>

#include <coracle/http/mime.h>
#include <coracle/web/internal/response_extra.h>

#include <stdexcept>

namespace coracle::web {
namespace {

void check_value(std::string_view what, std::string_view value) {
    if (http::is_field_value(value)) return;
    throw http::InvalidHeader(std::string(what) + " holds a byte that no header may have");
}

}  // namespace

Response::Response(int status) { set_status(status); }

Response::Response(std::string body, ResponseOptions options)
    : Response(std::move(body), "application/octet-stream", options) {}

void Response::ExtraDelete::operator()(Extra* extra) const noexcept { delete extra; }

void Response::apply(const ResponseOptions& options) {
    if (options.status != 200 || !options.reason.empty())
        set_status(options.status, options.reason);
    if (!options.content_type.empty()) set_content_type(options.content_type);
}

Response::Extra& Response::extra() {
    if (!extra_) extra_.reset(new Extra);
    return *extra_;
}

void Response::set_status(int status, std::string_view reason) {
    if (status < 200 || status > 999) {
        throw std::invalid_argument("a response's status is 200 to 999, not " +
                                    std::to_string(status));
    }
    check_value("the reason phrase", reason);
    status_ = status;
    if (extra_ || !reason.empty()) extra().reason = reason;
}

std::string_view Response::reason() const noexcept {
    return extra_ ? std::string_view(extra_->reason) : std::string_view();
}

void Response::set_body(std::string body) {
    body_ = std::move(body);
    if (extra_) extra_->is_file = false;
    if (content_type_.empty()) content_type_ = "application/octet-stream";
}

std::string_view Response::content_type() const noexcept { return content_type_; }

void Response::set_content_type(std::string_view value) {
    check_value("Content-Type", value);
    extra().content_type = value;
    content_type_ = extra_->content_type;
}

http::Headers& Response::headers() { return extra().headers; }

bool Response::has_headers() const noexcept { return extra_ && !extra_->headers.empty(); }

void Response::set_cookie(const http::SetCookie& cookie) {
    headers().add("Set-Cookie", cookie.str());
}

void Response::del_cookie(std::string_view name, std::string_view path, std::string_view domain) {
    auto cookie = http::SetCookie::expired(name);
    cookie.path(path);
    if (!domain.empty()) cookie.domain(domain);
    set_cookie(cookie);
}

Response Response::internal_file(std::string path, ResponseOptions options) {
    Response response(options.status);
    response.apply(options);
    Extra& extra = response.extra();
    extra.is_file = true;
    if (options.content_type.empty()) {
        std::string_view type = http::mime_type(path);
        extra.content_type = type;
        if (http::is_text_type(type)) extra.content_type += "; charset=utf-8";
        response.content_type_ = extra.content_type;
    }
    extra.file_path = std::move(path);
    return response;
}

Response Response::internal_sent(int status) noexcept {
    Response response(status);
    response.sent_ = true;
    return response;
}

Response file(std::string path, ResponseOptions options) {
    return Response::internal_file(std::move(path), options);
}

Response redirect(std::string_view location, int status) {
    if (status < 300 || status > 399) {
        throw std::invalid_argument("a redirect's status is 300 to 399, not " +
                                    std::to_string(status));
    }
    std::string phrase = std::to_string(status) + ": " + std::string(http::reason_phrase(status));
    Response response = text(std::move(phrase), {.status = status});
    response.headers().set("Location", location);
    return response;
}

}  // namespace coracle::web
