// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/internal/authority.h>

#include <coracle/http/internal/chars.h>
#include <coracle/http/internal/scan.h>

namespace coracle::http::internal {

namespace {

bool is_port(std::string_view text) noexcept {
    unsigned port = 0;
    for (char byte : text) {
        if (!is_digit(byte)) return false;
        port = port * 10 + static_cast<unsigned>(byte - '0');
        if (port > 65535) return false;
    }
    return true;
}

// The inside of brackets: an IPv6 address by its characters. Zones and future forms are refused.
bool is_ipv6(std::string_view text) noexcept {
    int colons = 0;
    for (char byte : text) {
        if (byte == ':')
            ++colons;
        else if (byte != '.' && !has_class(byte, kHexDigit))
            return false;
    }
    return colons >= 2 && text.size() <= 45;
}

}  // namespace

bool is_authority(const char* begin, std::string_view text) noexcept {
    const char* end = text.data() + text.size();
    const char* at = find<NotPlainHost>(begin, text.data(), end);
    if (at == end) return !text.empty();
    if (*at == ':' && at != text.data() && is_port({at + 1, end})) return true;
    Authority parts;
    return split_authority(text, parts);
}

bool split_authority(std::string_view text, Authority& out) noexcept {
    std::size_t host_size = 0;
    if (!text.empty() && text.front() == '[') {
        std::size_t close = text.find(']');
        if (close == std::string_view::npos || !is_ipv6(text.substr(1, close - 1))) return false;
        host_size = close + 1;
    } else {
        for (;;) {
            while (host_size < text.size() && has_class(text[host_size], kHost)) ++host_size;
            if (text.size() - host_size < 3 || text[host_size] != '%' ||
                !has_class(text[host_size + 1], kHexDigit) ||
                !has_class(text[host_size + 2], kHexDigit))
                break;
            host_size += 3;
        }
    }
    if (host_size == 0) return false;
    out.host = text.substr(0, host_size);
    out.has_port = host_size < text.size();
    out.port = {};
    if (!out.has_port) return true;
    if (text[host_size] != ':') return false;
    out.port = text.substr(host_size + 1);
    return is_port(out.port);
}

}  // namespace coracle::http::internal
