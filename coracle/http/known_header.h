// SPDX-License-Identifier: Apache-2.0
// Header names the library itself asks for: resolved once while parsing, found later without a
// search.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace coracle::http {

// `none` is every name that is not in the list. The list may grow; nothing may depend on the
// numbers.
enum class KnownHeader : std::uint8_t {
    none,
    accept,
    accept_encoding,
    accept_language,
    authorization,
    connection,
    content_encoding,
    content_length,
    content_location,
    content_range,
    content_type,
    cookie,
    date,
    etag,
    expect,
    forwarded,
    host,
    if_match,
    if_modified_since,
    if_none_match,
    if_range,
    if_unmodified_since,
    keep_alive,
    max_forwards,
    origin,
    range,
    referer,
    sec_websocket_extensions,
    sec_websocket_key,
    sec_websocket_key1,
    sec_websocket_protocol,
    sec_websocket_version,
    server,
    trailer,
    transfer_encoding,
    upgrade,
    user_agent,
    x_forwarded_for,
    x_forwarded_proto,
};
inline constexpr std::size_t known_header_count =
    static_cast<std::size_t>(KnownHeader::x_forwarded_proto) + 1;

// The known header of that name in any letter case, `none` if there is none. A few instructions:
// one switch on the length, then one or two comparisons of eight bytes.
KnownHeader known_header(std::string_view name) noexcept;

// The usual spelling, "Content-Length"; empty for `none`.
std::string_view known_header_name(KnownHeader header) noexcept;

}  // namespace coracle::http
