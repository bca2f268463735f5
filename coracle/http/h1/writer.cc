// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/h1/writer.h>

#include <coracle/http/internal/scan.h>
#include <coracle/http/status.h>

#include <array>
#include <charconv>
#include <cstring>

namespace coracle::http::h1 {

namespace {

// Copies `text` in registers (a call of memcpy costs more than most header values) and looks at the
// bytes on the way: `suspect` becomes non-zero if one of them is, or may be, a control byte.
char* put(char* to, std::string_view text, std::uint64_t& suspect) noexcept {
    const char* from = text.data();
    const std::size_t size = text.size();
    auto move_word = [&](std::size_t offset) {
        std::uint64_t word;
        std::memcpy(&word, from + offset, 8);
        std::memcpy(to + offset, &word, 8);
        suspect |= internal::ControlByte::matches(word);
    };
    if (size >= 16) {
#if defined(__SSE2__)
        __m128i found = _mm_setzero_si128();
        auto move_vector = [&](std::size_t offset) {
            __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + offset));
            _mm_storeu_si128(reinterpret_cast<__m128i*>(to + offset), bytes);
            found = _mm_or_si128(found, internal::ControlByte::matches(bytes));
        };
        // The last sixteen may overlap those before.
        for (std::size_t offset = 0; offset + 16 < size; offset += 16) move_vector(offset);
        move_vector(size - 16);
        suspect |= static_cast<unsigned>(_mm_movemask_epi8(found));
#else
        for (std::size_t offset = 0; offset + 8 < size; offset += 8) move_word(offset);
        move_word(size - 8);
#endif
    } else if (size >= 8) {
        move_word(0);
        move_word(size - 8);
    } else if (size >= 4) {
        std::uint32_t front;
        std::uint32_t back;
        std::memcpy(&front, from, 4);
        std::memcpy(&back, from + size - 4, 4);
        std::memcpy(to, &front, 4);
        std::memcpy(to + size - 4, &back, 4);
        suspect |= internal::ControlByte::matches(std::uint64_t{front} << 32 | back);
    } else {
        for (std::size_t i = 0; i < size; ++i) {
            to[i] = from[i];
            suspect |= internal::ControlByte::matches(from[i]) ? 1 : 0;
        }
    }
    return to + size;
}

// What has been looked at before, or may be any byte.
char* put(char* to, std::string_view text) noexcept {
    constexpr std::size_t call_pays_from = 256;
    if (text.size() < call_pays_from) {
        std::uint64_t ignored = 0;
        return put(to, text, ignored);
    }
    std::memcpy(to, text.data(), text.size());
    return to + text.size();
}

template <std::size_t Size>
char* put_literal(char* to, const char (&text)[Size]) noexcept {
    std::memcpy(to, text, Size - 1);
    return to + Size - 1;
}

constexpr auto digit_pairs = [] {
    std::array<char, 200> pairs{};
    for (std::size_t i = 0; i < 100; ++i) {
        pairs[2 * i] = static_cast<char>('0' + i / 10);
        pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
    }
    return pairs;
}();

char* put_number(char* to, std::uint64_t value) noexcept {
    if (value < 100) {
        if (value >= 10) *to++ = digit_pairs[2 * value];
        *to++ = digit_pairs[2 * value + 1];
        return to;
    }
    char digits[20];
    char* at = digits + sizeof digits;
    while (value >= 100) {
        at -= 2;
        std::memcpy(at, &digit_pairs[2 * (value % 100)], 2);
        value /= 100;
    }
    if (value >= 10) {
        at -= 2;
        std::memcpy(at, &digit_pairs[2 * value], 2);
    } else {
        *--at = static_cast<char>('0' + value);
    }
    while (at != digits + sizeof digits) *to++ = *at++;
    return to;
}

constexpr std::size_t hex_digits_max = 16;

char* put_hex(char* to, std::uint64_t value) noexcept {
    return std::to_chars(to, to + hex_digits_max, value, 16).ptr;
}

constexpr bool belongs_to_connection(KnownHeader header) noexcept {
    return header == KnownHeader::content_length || header == KnownHeader::transfer_encoding ||
           header == KnownHeader::connection || header == KnownHeader::keep_alive;
}

// The bytes a head needs besides its variable parts: status line, field names, numbers, line ends.
constexpr std::size_t fixed_bytes_max = 256;

// Writes a head into memory that has room for it.
class HeadWriter {
  public:
    explicit HeadWriter(char* begin) noexcept : begin_(begin), to_(begin) {}

    template <std::size_t Size>
    void literal(const char (&text)[Size]) noexcept {
        to_ = put_literal(to_, text);
    }
    void number(std::uint64_t number) noexcept { to_ = put_number(to_, number); }
    void value(std::string_view text) noexcept {
        std::uint64_t suspect = 0;
        to_ = put(to_, text, suspect);
        if (suspect != 0 && !is_field_value(text)) is_good_ = false;
    }
    void name(std::string_view text) noexcept {
        to_ = put(to_, text);
        if (!is_token(text)) is_good_ = false;
    }
    void content(std::string_view bytes) noexcept { to_ = put(to_, bytes); }

    bool is_good() const noexcept { return is_good_; }
    std::size_t size() const noexcept { return static_cast<std::size_t>(to_ - begin_); }

  private:
    char* begin_;
    char* to_;
    bool is_good_ = true;
};

void write_status_line(HeadWriter& out, int status, std::string_view reason) noexcept {
    if (status == Status::OK && reason.empty()) {
        out.literal("HTTP/1.1 200 OK\r\n");
        return;
    }
    out.literal("HTTP/1.1 ");
    out.number(static_cast<std::uint64_t>(status));
    out.literal(" ");
    out.value(reason.empty() ? reason_phrase(status) : reason);
    out.literal("\r\n");
}

void write_fields(HeadWriter& out, const ResponseHead& head) noexcept {
    HeaderView headers;
    if (head.headers) headers = *head.headers;
    if (head.standing) {
        const bool has_server = headers.contains(KnownHeader::server);
        const bool has_date = headers.contains(KnownHeader::date);
        if (!has_server && !has_date) {
            out.content(head.standing->lines());
        } else if (!has_server) {
            out.content(head.standing->server_line());
        } else if (!has_date) {
            out.content(head.standing->date_line());
        }
    }
    if (!head.content_type.empty() && !headers.contains(KnownHeader::content_type)) {
        out.literal("Content-Type: ");
        out.value(head.content_type);
        out.literal("\r\n");
    }
    for (std::size_t i = 0; i < headers.size(); ++i) {
        const KnownHeader known = headers.known(i);
        if (belongs_to_connection(known)) continue;
        out.name(headers[i].name);
        out.literal(": ");
        out.value(headers[i].value);
        out.literal("\r\n");
    }
}

void write_framing(HeadWriter& out, const ResponseHead& head, BodyFraming body,
                   std::uint64_t length) noexcept {
    if (head.status >= 200 && head.status != Status::NoContent) {
        if (body == BodyFraming::length) {
            out.literal("Content-Length: ");
            out.number(length);
            out.literal("\r\n");
        } else if (body == BodyFraming::chunked && head.status != Status::NotModified) {
            out.literal("Transfer-Encoding: chunked\r\n");
        }
    }
    switch (head.connection) {
    case ConnectionOption::none:
        break;
    case ConnectionOption::close:
        out.literal("Connection: close\r\n");
        break;
    case ConnectionOption::keep_alive:
        out.literal("Connection: keep-alive\r\n");
        break;
    case ConnectionOption::upgrade:
        out.literal("Connection: Upgrade\r\n");
        break;
    }
    out.literal("\r\n");
}

bool write_head(Buffer& out, const ResponseHead& head, BodyFraming body, std::uint64_t length,
                std::string_view content) {
    if (head.status < 100 || head.status > 999) return false;
    std::size_t room = fixed_bytes_max + head.reason.size() + head.content_type.size() +
                       content.size() + (head.standing ? head.standing->lines().size() : 0) +
                       (head.headers ? head.headers->wire_bytes().size() : 0);
    HeadWriter writer(out.prepare(room).data());
    write_status_line(writer, head.status, head.reason);
    write_fields(writer, head);
    write_framing(writer, head, body, length);
    if (!writer.is_good()) return false;
    if (!content.empty()) writer.content(content);
    out.commit(writer.size());
    return true;
}

}  // namespace

bool write_response_head(Buffer& out, const ResponseHead& head) {
    return write_head(out, head, head.body, head.content_length, {});
}

bool write_response(Buffer& out, const ResponseHead& head, std::string_view body) {
    return write_head(out, head, BodyFraming::length, body.size(), body);
}

void write_chunk(Buffer& out, std::string_view data) {
    if (data.empty()) return;
    char* begin = out.prepare(hex_digits_max + 4 + data.size()).data();
    char* end = put_literal(put_hex(begin, data.size()), "\r\n");
    end = put_literal(put(end, data), "\r\n");
    out.commit(static_cast<std::size_t>(end - begin));
}

void write_chunk_size(Buffer& out, std::size_t size) {
    char* begin = out.prepare(hex_digits_max + 2).data();
    char* end = put_literal(put_hex(begin, size), "\r\n");
    out.commit(static_cast<std::size_t>(end - begin));
}

void write_last_chunk(Buffer& out) { out.append("0\r\n\r\n"); }

void write_continue(Buffer& out) { out.append("HTTP/1.1 100 Continue\r\n\r\n"); }

}  // namespace coracle::http::h1
