// SPDX-License-Identifier: Apache-2.0
// Responses that are thrown: HTTPNotFound and its like.
#pragma once

#include <coracle/base/error.h>
#include <coracle/http/headers.h>
#include <coracle/web/response.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace coracle::web {

// A response in the form of an exception: thrown by a handler, a middleware, or by Request when it
// is asked for what is not there. The client gets its status, its headers and its text.
//
//   throw web::HTTPNotFound();                              // "404: Not Found"
//   throw web::HTTPBadRequest("the year is before 1990");
//   throw web::HTTPFound("/login");
//   throw web::HTTPUnauthorized().header("WWW-Authenticate", "Basic");
//
// It is not an error of the server, so it is not logged. Throwing costs microseconds: return a
// response where it is the usual case.
class HTTPException : public Error {
  public:
    // Empty text: "404: Not Found".
    HTTPException(int status, std::string text);

    int status() const noexcept { return status_; }
    // The body: text/plain unless set_content_type() was called.
    const std::string& text() const noexcept { return text_; }
    const std::string& content_type() const noexcept { return content_type_; }
    http::Headers& headers() noexcept { return headers_; }
    const http::Headers& headers() const noexcept { return headers_; }

    void set_header(std::string_view name, std::string_view value) { headers_.set(name, value); }
    void set_content_type(std::string_view value);

    // The response it stands for.
    Response response() const;

  private:
    int status_;
    std::string text_;
    std::string content_type_;
    http::Headers headers_;
};

class HTTPSuccessful : public HTTPException {
    using HTTPException::HTTPException;
};
class HTTPRedirection : public HTTPException {
    using HTTPException::HTTPException;
};
class HTTPError : public HTTPException {
    using HTTPException::HTTPException;
};
class HTTPClientError : public HTTPError {
    using HTTPError::HTTPError;
};
class HTTPServerError : public HTTPError {
    using HTTPError::HTTPError;
};

namespace internal {

template <int status_, class Base>
class StatusException : public Base {
  public:
    static constexpr int status_code = status_;
    explicit StatusException(std::string text = {}) : Base(status_, std::move(text)) {}

    // To be chained in the throw expression.
    StatusException& header(std::string_view name, std::string_view value) {
        this->set_header(name, value);
        return *this;
    }
    StatusException& type(std::string_view content_type) {
        this->set_content_type(content_type);
        return *this;
    }
};

// A redirection that says where to. Throws http::InvalidHeader if that could break the message.
template <int status_>
class RedirectException : public StatusException<status_, HTTPRedirection> {
  public:
    explicit RedirectException(std::string_view location, std::string text = {})
        : StatusException<status_, HTTPRedirection>(std::move(text)) {
        this->set_header("Location", location);
    }
    std::string_view location() const { return this->headers().get("Location", {}); }
};

}  // namespace internal

using HTTPOk = internal::StatusException<200, HTTPSuccessful>;
using HTTPCreated = internal::StatusException<201, HTTPSuccessful>;
using HTTPAccepted = internal::StatusException<202, HTTPSuccessful>;
using HTTPNonAuthoritativeInformation = internal::StatusException<203, HTTPSuccessful>;
using HTTPNoContent = internal::StatusException<204, HTTPSuccessful>;
using HTTPResetContent = internal::StatusException<205, HTTPSuccessful>;
using HTTPPartialContent = internal::StatusException<206, HTTPSuccessful>;

using HTTPMultipleChoices = internal::RedirectException<300>;
using HTTPMovedPermanently = internal::RedirectException<301>;
using HTTPFound = internal::RedirectException<302>;
using HTTPSeeOther = internal::RedirectException<303>;
using HTTPNotModified = internal::StatusException<304, HTTPRedirection>;
using HTTPUseProxy = internal::RedirectException<305>;
using HTTPTemporaryRedirect = internal::RedirectException<307>;
using HTTPPermanentRedirect = internal::RedirectException<308>;

using HTTPBadRequest = internal::StatusException<400, HTTPClientError>;
using HTTPUnauthorized = internal::StatusException<401, HTTPClientError>;
using HTTPPaymentRequired = internal::StatusException<402, HTTPClientError>;
using HTTPForbidden = internal::StatusException<403, HTTPClientError>;
using HTTPNotFound = internal::StatusException<404, HTTPClientError>;
using HTTPNotAcceptable = internal::StatusException<406, HTTPClientError>;
using HTTPProxyAuthenticationRequired = internal::StatusException<407, HTTPClientError>;
using HTTPRequestTimeout = internal::StatusException<408, HTTPClientError>;
using HTTPConflict = internal::StatusException<409, HTTPClientError>;
using HTTPGone = internal::StatusException<410, HTTPClientError>;
using HTTPLengthRequired = internal::StatusException<411, HTTPClientError>;
using HTTPPreconditionFailed = internal::StatusException<412, HTTPClientError>;
using HTTPRequestURITooLong = internal::StatusException<414, HTTPClientError>;
using HTTPUnsupportedMediaType = internal::StatusException<415, HTTPClientError>;
using HTTPRequestRangeNotSatisfiable = internal::StatusException<416, HTTPClientError>;
using HTTPExpectationFailed = internal::StatusException<417, HTTPClientError>;
using HTTPMisdirectedRequest = internal::StatusException<421, HTTPClientError>;
using HTTPUnprocessableEntity = internal::StatusException<422, HTTPClientError>;
using HTTPFailedDependency = internal::StatusException<424, HTTPClientError>;
using HTTPUpgradeRequired = internal::StatusException<426, HTTPClientError>;
using HTTPPreconditionRequired = internal::StatusException<428, HTTPClientError>;
using HTTPTooManyRequests = internal::StatusException<429, HTTPClientError>;
using HTTPRequestHeaderFieldsTooLarge = internal::StatusException<431, HTTPClientError>;

using HTTPInternalServerError = internal::StatusException<500, HTTPServerError>;
using HTTPNotImplemented = internal::StatusException<501, HTTPServerError>;
using HTTPBadGateway = internal::StatusException<502, HTTPServerError>;
using HTTPServiceUnavailable = internal::StatusException<503, HTTPServerError>;
using HTTPGatewayTimeout = internal::StatusException<504, HTTPServerError>;
using HTTPVersionNotSupported = internal::StatusException<505, HTTPServerError>;
using HTTPVariantAlsoNegotiates = internal::StatusException<506, HTTPServerError>;
using HTTPInsufficientStorage = internal::StatusException<507, HTTPServerError>;
using HTTPNotExtended = internal::StatusException<510, HTTPServerError>;
using HTTPNetworkAuthenticationRequired = internal::StatusException<511, HTTPServerError>;

// 405, with the methods that are allowed: HTTPMethodNotAllowed("GET,HEAD").
class HTTPMethodNotAllowed : public internal::StatusException<405, HTTPClientError> {
  public:
    explicit HTTPMethodNotAllowed(std::string_view allowed, std::string text = {});
};

// 413, with the limit that was broken: HTTPRequestEntityTooLarge("client_max_size", 1048576).
class HTTPRequestEntityTooLarge : public internal::StatusException<413, HTTPClientError> {
  public:
    HTTPRequestEntityTooLarge(std::string_view limit_name, std::size_t limit_bytes);
    explicit HTTPRequestEntityTooLarge(std::string text);
};

// 451, with the URL of who demands it (RFC 7725).
class HTTPUnavailableForLegalReasons : public internal::StatusException<451, HTTPClientError> {
  public:
    explicit HTTPUnavailableForLegalReasons(std::string_view link, std::string text = {});
};

}  // namespace coracle::web
