// SPDX-License-Identifier: Apache-2.0
// Text into HTML.
#pragma once

#include <string>
#include <string_view>

namespace coracle::http {

// Replaces & < > " and ' by character references, so that the text can stand in an element or a
// quoted attribute.
std::string html_escape(std::string_view text);

}  // namespace coracle::http
