// SPDX-License-Identifier: Apache-2.0
// Request methods (RFC 9110 section 9) and their wire spelling.
#pragma once

#include <cstdint>
#include <string_view>

namespace coracle::http {

// The methods the library itself knows. `other` stands for every further method; its text stays
// with the message (RequestHead::method_text()), so handlers for WebDAV verbs and private ones
// work.
enum class Method : std::uint8_t {
    GET,
    HEAD,
    POST,
    PUT,
    PATCH,
    DELETE,
    OPTIONS,
    CONNECT,
    TRACE,
    QUERY,
    other,
};

// "GET" for Method::GET; empty for `other`. The text is static.
std::string_view method_name(Method method) noexcept;

// The method spelled exactly like that; methods are case-sensitive, so "get" is `other`.
Method parse_method(std::string_view text) noexcept;

// True for letters, '-' and '_', 1 to 32 of them: every registered method and nothing a log or a
// proxy could misread. Narrower than RFC 9110's token on purpose: digits and punctuation are
// refused.
bool is_method(std::string_view text) noexcept;

}  // namespace coracle::http
