// SPDX-License-Identifier: Apache-2.0
// Percent-encoding (RFC 3986 section 2.1).
#pragma once

#include <string>
#include <string_view>

namespace coracle::http {

// Replaces each %XX by its byte, once: "%2523" becomes "%23". A '%' that two hexadecimal digits do
// not follow stays as it is, and so does '+'.
std::string percent_decode(std::string_view text);

// The same for form data and queries, where '+' is a blank.
std::string form_decode(std::string_view text);

// Appends the decoded text to `out`; `plus_is_blank` tells the two apart.
void append_decoded(std::string& out, std::string_view text, bool plus_is_blank);

// Encodes everything but letters, digits and "-._~", so that the text can stand in any part of a
// URL.
std::string percent_encode(std::string_view text);

// Encodes what a path may not hold and keeps its '/'.
std::string percent_encode_path(std::string_view path);

}  // namespace coracle::http
