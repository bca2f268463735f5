// SPDX-License-Identifier: Apache-2.0
// Status codes and their reason phrases (RFC 9110 section 15, IANA HTTP Status Code Registry).
#pragma once

#include <string_view>

namespace coracle::http {

// Plain ints, so that a status is compared, printed and stored like any number.
struct Status {
    static constexpr int Continue = 100;
    static constexpr int SwitchingProtocols = 101;
    static constexpr int Processing = 102;
    static constexpr int EarlyHints = 103;

    static constexpr int OK = 200;
    static constexpr int Created = 201;
    static constexpr int Accepted = 202;
    static constexpr int NonAuthoritativeInformation = 203;
    static constexpr int NoContent = 204;
    static constexpr int ResetContent = 205;
    static constexpr int PartialContent = 206;
    static constexpr int MultiStatus = 207;
    static constexpr int AlreadyReported = 208;
    static constexpr int IMUsed = 226;

    static constexpr int MultipleChoices = 300;
    static constexpr int MovedPermanently = 301;
    static constexpr int Found = 302;
    static constexpr int SeeOther = 303;
    static constexpr int NotModified = 304;
    static constexpr int UseProxy = 305;
    static constexpr int TemporaryRedirect = 307;
    static constexpr int PermanentRedirect = 308;

    static constexpr int BadRequest = 400;
    static constexpr int Unauthorized = 401;
    static constexpr int PaymentRequired = 402;
    static constexpr int Forbidden = 403;
    static constexpr int NotFound = 404;
    static constexpr int MethodNotAllowed = 405;
    static constexpr int NotAcceptable = 406;
    static constexpr int ProxyAuthenticationRequired = 407;
    static constexpr int RequestTimeout = 408;
    static constexpr int Conflict = 409;
    static constexpr int Gone = 410;
    static constexpr int LengthRequired = 411;
    static constexpr int PreconditionFailed = 412;
    static constexpr int ContentTooLarge = 413;
    static constexpr int URITooLong = 414;
    static constexpr int UnsupportedMediaType = 415;
    static constexpr int RangeNotSatisfiable = 416;
    static constexpr int ExpectationFailed = 417;
    static constexpr int MisdirectedRequest = 421;
    static constexpr int UnprocessableContent = 422;
    static constexpr int Locked = 423;
    static constexpr int FailedDependency = 424;
    static constexpr int TooEarly = 425;
    static constexpr int UpgradeRequired = 426;
    static constexpr int PreconditionRequired = 428;
    static constexpr int TooManyRequests = 429;
    static constexpr int RequestHeaderFieldsTooLarge = 431;
    static constexpr int UnavailableForLegalReasons = 451;

    static constexpr int InternalServerError = 500;
    static constexpr int NotImplemented = 501;
    static constexpr int BadGateway = 502;
    static constexpr int ServiceUnavailable = 503;
    static constexpr int GatewayTimeout = 504;
    static constexpr int HTTPVersionNotSupported = 505;
    static constexpr int VariantAlsoNegotiates = 506;
    static constexpr int InsufficientStorage = 507;
    static constexpr int LoopDetected = 508;
    static constexpr int NotExtended = 510;
    static constexpr int NetworkAuthenticationRequired = 511;
};

// "Not Found" for 404; empty for a code that is not registered.
std::string_view reason_phrase(int status) noexcept;

// True for the statuses whose response never has content: 1xx, 204 and 304 (RFC 9110
// section 6.4.1).
constexpr bool status_forbids_body(int status) noexcept {
    return status < 200 || status == Status::NoContent || status == Status::NotModified;
}

}  // namespace coracle::http
