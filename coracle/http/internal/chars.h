// SPDX-License-Identifier: Apache-2.0
// Byte classes of HTTP's grammar as one table.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace coracle::http::internal {

enum CharClass : std::uint8_t {
    kToken = 1,   // tchar, RFC 9110 section 5.6.2
    kMethod = 2,  // letters, '-' and '_'
    kHost = 4,    // reg-name without percent-encoding and comma, RFC 3986 section 3.2.2
    kHexDigit = 8,
    kDigit = 16,
    kUnreserved = 32,   // RFC 3986 section 2.3
    kCookieOctet = 64,  // RFC 6265 section 4.1.1
    kPathSafe = 128,    // pchar and '/', without '%'
};

constexpr std::array<std::uint8_t, 256> make_char_classes() {
    std::array<std::uint8_t, 256> table{};
    auto mark = [&](std::string_view bytes, unsigned bits) {
        for (char byte : bytes) {
            auto& entry = table[static_cast<unsigned char>(byte)];
            entry = static_cast<std::uint8_t>(entry | bits);
        }
    };
    mark("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
         kToken | kMethod | kHost | kUnreserved | kPathSafe);
    mark("0123456789", kToken | kHost | kHexDigit | kDigit | kUnreserved | kPathSafe);
    mark("abcdefABCDEF", kHexDigit);
    mark("!#$%&'*+-.^_`|~", kToken);
    mark("-_", kMethod);
    mark("-._~!$&'()*+;=", kHost);
    mark("-._~", kUnreserved | kPathSafe);
    mark("!$&'()*+,;=:@/", kPathSafe);
    for (unsigned byte = 0x21; byte < 0x7F; ++byte)
        if (byte != '"' && byte != ',' && byte != ';' && byte != '\\') table[byte] |= kCookieOctet;
    return table;
}
inline constexpr std::array<std::uint8_t, 256> char_classes = make_char_classes();

constexpr bool has_class(char byte, unsigned classes) noexcept {
    return (char_classes[static_cast<unsigned char>(byte)] & classes) != 0;
}
constexpr bool all_of_class(std::string_view text, unsigned classes) noexcept {
    for (char byte : text)
        if (!has_class(byte, classes)) return false;
    return true;
}

constexpr bool is_blank(char byte) noexcept { return byte == ' ' || byte == '\t'; }
constexpr bool is_digit(char byte) noexcept { return byte >= '0' && byte <= '9'; }
constexpr char to_lower(char byte) noexcept {
    return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte | 0x20) : byte;
}
// -1 for anything but a hexadecimal digit.
constexpr int hex_value(char byte) noexcept {
    if (is_digit(byte)) return byte - '0';
    char lower = to_lower(byte);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Without the blanks (space and TAB) at both ends.
constexpr std::string_view trim(std::string_view text) noexcept {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

}  // namespace coracle::http::internal
