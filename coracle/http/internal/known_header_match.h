// SPDX-License-Identifier: Apache-2.0
// The search behind known_header(), inline for the parser's inner loop.
#pragma once

#include <coracle/http/internal/chars.h>
#include <coracle/http/known_header.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace coracle::http::internal {

inline constexpr std::array<std::string_view, known_header_count> known_header_names = {
    "",
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Authorization",
    "Connection",
    "Content-Encoding",
    "Content-Length",
    "Content-Location",
    "Content-Range",
    "Content-Type",
    "Cookie",
    "Date",
    "ETag",
    "Expect",
    "Forwarded",
    "Host",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Keep-Alive",
    "Max-Forwards",
    "Origin",
    "Range",
    "Referer",
    "Sec-WebSocket-Extensions",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Key1",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Version",
    "Server",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "User-Agent",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
};

// One word of a name in lower case, and the bits that make letters so. Dashes and digits have no
// such bit, so (word | bits) == lower holds for the two spellings of each letter and for nothing
// else.
template <class Word>
struct Pattern {
    Word lower;
    Word bits;
};

template <class Word>
constexpr Pattern<Word> pattern_at(std::string_view name, std::size_t offset) {
    std::array<char, sizeof(Word)> lower{};
    std::array<char, sizeof(Word)> bits{};
    for (std::size_t i = 0; i < sizeof(Word); ++i) {
        lower[i] = to_lower(name[offset + i]);
        bits[i] = lower[i] >= 'a' && lower[i] <= 'z' ? 0x20 : 0;
    }
    return {std::bit_cast<Word>(lower), std::bit_cast<Word>(bits)};
}

template <class Word, KnownHeader Header, std::size_t Offset>
[[gnu::always_inline]] inline bool matches_at(const char* text) noexcept {
    constexpr Pattern<Word> pattern =
        pattern_at<Word>(known_header_names[static_cast<std::size_t>(Header)], Offset);
    Word word;
    std::memcpy(&word, text + Offset, sizeof(Word));
    return (word | pattern.bits) == pattern.lower;
}

// `text` has the length of Header's name: compares it in words that may overlap.
template <KnownHeader Header>
[[gnu::always_inline]] inline bool matches(const char* text) noexcept {
    constexpr std::size_t size = known_header_names[static_cast<std::size_t>(Header)].size();
    static_assert(size >= 4 && size <= 24);
    if constexpr (size < 8) {
        return matches_at<std::uint32_t, Header, 0>(text) &&
               matches_at<std::uint32_t, Header, size - 4>(text);
    } else {
        if (!matches_at<std::uint64_t, Header, 0>(text)) return false;
        if constexpr (size > 16)
            if (!matches_at<std::uint64_t, Header, 8>(text)) return false;
        return matches_at<std::uint64_t, Header, size - 8>(text);
    }
}

template <KnownHeader... Candidates>
[[gnu::always_inline]] inline KnownHeader first_match(const char* text) noexcept {
    KnownHeader found = KnownHeader::none;
    static_cast<void>(((matches<Candidates>(text) && (found = Candidates, true)) || ...));
    return found;
}

[[gnu::always_inline]] inline KnownHeader find_known_header(const char* text,
                                                            std::size_t size) noexcept {
    using enum KnownHeader;
    switch (size) {
    case 4:
        return first_match<host, date, etag>(text);
    case 5:
        return first_match<range>(text);
    case 6:
        return first_match<accept, cookie, origin, server, expect>(text);
    case 7:
        return first_match<referer, upgrade, trailer>(text);
    case 8:
        return first_match<if_match, if_range>(text);
    case 9:
        return first_match<forwarded>(text);
    case 10:
        return first_match<user_agent, connection, keep_alive>(text);
    case 12:
        return first_match<content_type, max_forwards>(text);
    case 13:
        return first_match<if_none_match, authorization, content_range>(text);
    case 14:
        return first_match<content_length>(text);
    case 15:
        return first_match<accept_encoding, accept_language, x_forwarded_for>(text);
    case 16:
        return first_match<content_encoding, content_location>(text);
    case 17:
        return first_match<transfer_encoding, if_modified_since, sec_websocket_key,
                           x_forwarded_proto>(text);
    case 18:
        return first_match<sec_websocket_key1>(text);
    case 19:
        return first_match<if_unmodified_since>(text);
    case 21:
        return first_match<sec_websocket_version>(text);
    case 22:
        return first_match<sec_websocket_protocol>(text);
    case 24:
        return first_match<sec_websocket_extensions>(text);
    default:
        return none;
    }
}

}  // namespace coracle::http::internal
