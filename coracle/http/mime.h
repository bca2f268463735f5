// SPDX-License-Identifier: Apache-2.0
// Media types: of a file by its name, and of a Content-Type field.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coracle::http {

// The media type of a file by the extension of its name or path, in any letter case: "a/b.HTML" is
// "text/html". Text types come without a charset. "application/octet-stream" if the extension is
// unknown or missing.
std::string_view mime_type(std::string_view file_name) noexcept;

// True for the types whose content is text, so that a charset belongs to them.
bool is_text_type(std::string_view type) noexcept;

// A Content-Type value taken apart (RFC 9110 section 8.3.1).
struct ContentType {
    std::string type;  // "text/html", in lower case
    std::vector<std::pair<std::string, std::string>>
        parameters;  // names in lower case, values unquoted

    // Value of that parameter (name in lower case), or `fallback`.
    std::string_view parameter(std::string_view name,
                               std::string_view fallback = {}) const noexcept;
    // In lower case; empty if there is none.
    std::string charset() const;
};

// Nothing if the value is not type/subtype with parameters. At most 32 parameters.
std::optional<ContentType> parse_content_type(std::string_view value);

}  // namespace coracle::http
