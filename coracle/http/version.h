// SPDX-License-Identifier: Apache-2.0
// Protocol versions a message can have arrived by.
#pragma once

#include <cstdint>
#include <string_view>

namespace coracle::http {

enum class Version : std::uint8_t { http_1_0, http_1_1, http_2 };

// "HTTP/1.1" and its like, as access logs write it.
constexpr std::string_view version_name(Version version) noexcept {
    switch (version) {
    case Version::http_1_0:
        return "HTTP/1.0";
    case Version::http_1_1:
        return "HTTP/1.1";
    case Version::http_2:
        return "HTTP/2";
    }
    return {};
}

}  // namespace coracle::http
