// SPDX-License-Identifier: Apache-2.0
#include <coracle/web/http_exceptions.h>

#include <coracle/http/status.h>

namespace coracle::web {
namespace {

std::string default_text(int status) {
    return std::to_string(status) + ": " + std::string(http::reason_phrase(status));
}

}  // namespace

HTTPException::HTTPException(int status, std::string text)
    : Error(text.empty() ? default_text(status) : text),
      status_(status),
      text_(text.empty() ? default_text(status) : std::move(text)),
      content_type_("text/plain; charset=utf-8") {}

void HTTPException::set_content_type(std::string_view value) {
    if (!http::is_field_value(value)) {
        throw http::InvalidHeader("Content-Type holds a byte that no header may have");
    }
    content_type_ = value;
}

Response HTTPException::response() const {
    if (http::status_forbids_body(status_)) {
        Response response(status_);
        if (!headers_.empty()) response.headers() = headers_;
        return response;
    }
    Response response(text_, {}, {.status = status_, .content_type = content_type_});
    if (!headers_.empty()) response.headers() = headers_;
    return response;
}

HTTPMethodNotAllowed::HTTPMethodNotAllowed(std::string_view allowed, std::string text)
    : StatusException(std::move(text)) {
    set_header("Allow", allowed);
}

HTTPRequestEntityTooLarge::HTTPRequestEntityTooLarge(std::string_view limit_name,
                                                     std::size_t limit_bytes)
    : StatusException("the request's body is larger than " + std::string(limit_name) + ", " +
                      std::to_string(limit_bytes) + " bytes") {}

HTTPRequestEntityTooLarge::HTTPRequestEntityTooLarge(std::string text)
    : StatusException(std::move(text)) {}

HTTPUnavailableForLegalReasons::HTTPUnavailableForLegalReasons(std::string_view link,
                                                               std::string text)
    : StatusException(std::move(text)) {
    set_header("Link", "<" + std::string(link) + ">; rel=\"blocked-by\"");
}

}  // namespace coracle::web
