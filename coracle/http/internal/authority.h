// SPDX-License-Identifier: Apache-2.0
// The shape of host[:port].
#pragma once

#include <string_view>

namespace coracle::http::internal {

struct Authority {
    std::string_view host;  // an IPv6 address keeps its brackets
    std::string_view port;  // digits, possibly none
    bool has_port = false;
};

// Splits `text` at the port. False unless it is a non-empty registered name, IPv4 address or
// bracketed IP literal, optionally with ':' and a port of at most 65,535 (RFC 3986 section 3.2). No
// user information, no comma.
bool split_authority(std::string_view text, Authority& out) noexcept;

// The same without the parts; `begin` <= text.data() is the start of the buffer that holds the
// text.
bool is_authority(const char* begin, std::string_view text) noexcept;

}  // namespace coracle::http::internal
