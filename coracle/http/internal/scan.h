// SPDX-License-Identifier: Apache-2.0
// Run scanners: how far do bytes of one kind reach? SSE2 where every processor has it, eight bytes
// at a time elsewhere.
#pragma once

#include <coracle/http/internal/chars.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace coracle::http::internal {

// Each kind says which bytes end a run: one at a time, eight at a time (any non-zero bit: one of
// them does, or may), and sixteen at a time (exactly).
inline constexpr std::uint64_t every_byte = 0x0101010101010101U;
constexpr std::uint64_t any_below(std::uint64_t word, unsigned limit) noexcept {
    return (word - every_byte * limit) & ~word & every_byte * 0x80;
}
constexpr std::uint64_t any_equal(std::uint64_t word, unsigned byte) noexcept {
    return any_below(word ^ every_byte * byte, 1);
}

// Controls, TAB and DEL among them: what a field value run stops at.
struct ControlByte {
    static bool matches(char byte) noexcept {
        auto code = static_cast<unsigned char>(byte);
        return code < 0x20 || code == 0x7F;
    }
    static std::uint64_t matches(std::uint64_t word) noexcept {
        return any_below(word, 0x20) | any_equal(word, 0x7F);
    }
#if defined(__SSE2__)
    static __m128i matches(__m128i bytes) noexcept {
        __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
        return _mm_or_si128(low, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F)));
    }
#endif
};

// Everything but visible ASCII, and '#': what a request target stops at.
struct TargetEnd {
    static bool matches(char byte) noexcept {
        auto code = static_cast<unsigned char>(byte);
        return code < 0x21 || code > 0x7E || byte == '#';
    }
    static std::uint64_t matches(std::uint64_t word) noexcept {
        return any_below(word, 0x21) | (word & every_byte * 0x80) | any_equal(word, 0x7F) |
               any_equal(word, '#');
    }
#if defined(__SSE2__)
    static __m128i matches(__m128i bytes) noexcept {
        __m128i outside = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x21));  // signed: 0x80 and above too
        __m128i special = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F)),
                                       _mm_cmpeq_epi8(bytes, _mm_set1_epi8('#')));
        return _mm_or_si128(outside, special);
    }
#endif
};

// The same, '?', '%' and their neighbours: a run of the rest is a path that needs no further look.
struct PlainPathEnd {
    static bool matches(char byte) noexcept {
        auto code = static_cast<unsigned char>(byte);
        return code < '&' || code > 0x7E || byte == '?';
    }
    static std::uint64_t matches(std::uint64_t word) noexcept {
        return any_below(word, '&') | (word & every_byte * 0x80) | any_equal(word, 0x7F) |
               any_equal(word, '?');
    }
#if defined(__SSE2__)
    static __m128i matches(__m128i bytes) noexcept {
        __m128i outside = _mm_cmplt_epi8(bytes, _mm_set1_epi8('&'));
        __m128i special = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F)),
                                       _mm_cmpeq_epi8(bytes, _mm_set1_epi8('?')));
        return _mm_or_si128(outside, special);
    }
#endif
};

// Everything but ASCII letters and '-': most field names are made of those alone.
struct NotPlainName {
    static bool matches(char byte) noexcept {
        char lower = static_cast<char>(byte | 0x20);
        return !((lower >= 'a' && lower <= 'z') || byte == '-');
    }
    static std::uint64_t matches(std::uint64_t) noexcept { return 1; }  // bytewise, names are short
#if defined(__SSE2__)
    static __m128i matches(__m128i bytes) noexcept {
        __m128i from_a = _mm_sub_epi8(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
        __m128i letter = _mm_cmpeq_epi8(_mm_min_epu8(from_a, _mm_set1_epi8(25)), from_a);
        __m128i plain = _mm_or_si128(letter, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('-')));
        return _mm_cmpeq_epi8(plain, _mm_setzero_si128());
    }
#endif
};

// Everything but ASCII letters, digits, '.' and '-': most hosts are made of those alone.
struct NotPlainHost {
    static bool matches(char byte) noexcept {
        return NotPlainName::matches(byte) && !is_digit(byte) && byte != '.';
    }
    static std::uint64_t matches(std::uint64_t) noexcept { return 1; }
#if defined(__SSE2__)
    static __m128i matches(__m128i bytes) noexcept {
        __m128i from_0 = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
        __m128i digit = _mm_cmpeq_epi8(_mm_min_epu8(from_0, _mm_set1_epi8(9)), from_0);
        __m128i plain = _mm_or_si128(digit, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('.')));
        return _mm_andnot_si128(plain, NotPlainName::matches(bytes));
    }
#endif
};

// '?' and '%': where a path ends, or needs decoding.
struct QueryOrPercent {
    static bool matches(char byte) noexcept { return byte == '?' || byte == '%'; }
    static std::uint64_t matches(std::uint64_t word) noexcept {
        return any_equal(word, '?') | any_equal(word, '%');
    }
#if defined(__SSE2__)
    static __m128i matches(__m128i bytes) noexcept {
        return _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('?')),
                            _mm_cmpeq_epi8(bytes, _mm_set1_epi8('%')));
    }
#endif
};

// The first byte of [from, end) that Kind matches, or `end`. `begin` <= `from` says how far back
// one may read.
template <class Kind>
const char* find_portable(const char* from, const char* end) noexcept {
    while (end - from >= 8) {
        std::uint64_t word;
        std::memcpy(&word, from, 8);
        if (Kind::matches(word) != 0) {
            // A borrow can mark a byte above the first match, never below: look at the eight one by
            // one.
            for (int i = 0; i < 8; ++i)
                if (Kind::matches(from[i])) return from + i;
        }
        from += 8;
    }
    while (from != end && !Kind::matches(*from)) ++from;
    return from;
}

#if defined(__SSE2__)
template <class Kind>
[[gnu::always_inline]] inline const char* find(const char* begin, const char* from,
                                               const char* end) noexcept {
    auto matches_at = [](const char* at) {
        __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
        return static_cast<unsigned>(_mm_movemask_epi8(Kind::matches(bytes)));
    };
    if (end - begin >= 16) {
        const char* const last = end - 16;
        for (; from <= last; from += 16)
            if (unsigned mask = matches_at(from)) return from + std::countr_zero(mask);
        // The rest is shorter than a vector: look at the last sixteen bytes and forget those
        // before.
        unsigned mask = matches_at(last) >> (from - last);
        return mask != 0 ? from + std::countr_zero(mask) : end;
    }
    while (from != end && !Kind::matches(*from)) ++from;
    return from;
}
#else
template <class Kind>
const char* find(const char*, const char* from, const char* end) noexcept {
    return find_portable<Kind>(from, end);
}
#endif

// The first byte that is no tchar.
[[gnu::always_inline]] inline const char* find_name_end(const char* begin, const char* from,
                                                        const char* end) noexcept {
#if defined(__SSE2__)
    from = find<NotPlainName>(begin, from, end);
#else
    static_cast<void>(begin);
#endif
    if (from != end && *from == ':') return from;
    while (from != end && has_class(*from, kToken)) ++from;
    return from;
}

}  // namespace coracle::http::internal
