// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/h1/writer.h>

#include <array>
#include <charconv>
#include <cstring>

#include <coracle/http/internal/scan.h>
#include <coracle/http/status.h>

namespace coracle::http::h1 {

namespace {

// Copies short texts in registers; a call of memcpy costs more than most header values.
char* put(char* to, std::string_view text) noexcept {
    const char* from = text.data();
    std::size_t size = text.size();
    if (size >= 16) {
        if (size > 64) {
            std::memcpy(to, from, size);
            return to + size;
        }
        // Sixteen at a time; the last sixteen may overlap those before.
        for (std::size_t i = 0; i + 16 < size; i += 16) std::memcpy(to + i, from + i, 16);
        std::memcpy(to + size - 16, from + size - 16, 16);
    } else if (size >= 8) {
        std::uint64_t head;
        std::uint64_t tail;
        std::memcpy(&head, from, 8);
        std::memcpy(&tail, from + size - 8, 8);
        std::memcpy(to, &head, 8);
        std::memcpy(to + size - 8, &tail, 8);
    } else if (size >= 4) {
        std::uint32_t head;
        std::uint32_t tail;
        std::memcpy(&head, from, 4);
        std::memcpy(&tail, from + size - 4, 4);
        std::memcpy(to, &head, 4);
        std::memcpy(to + size - 4, &tail, 4);
    } else {
        for (std::size_t i = 0; i < size; ++i) to[i] = from[i];
    }
    return to + size;
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
    return put(to, {at, static_cast<std::size_t>(digits + sizeof digits - at)});
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

// Writes the head to `to`, which has room for it; where it ends, or nullptr if a byte may not
// leave.
char* put_head(char* to, const ResponseHead& head, BodyFraming body,
               std::uint64_t length) noexcept {
    if (head.status == Status::OK && head.reason.empty()) {
        to = put_literal(to, "HTTP/1.1 200 OK\r\n");
    } else {
        auto status = static_cast<unsigned>(head.status);
        std::string_view reason = head.reason.empty() ? reason_phrase(head.status) : head.reason;
        if (!is_field_value(reason)) return nullptr;
        to = put_literal(to, "HTTP/1.1 ");
        *to++ = static_cast<char>('0' + status / 100);
        std::memcpy(to, &digit_pairs[2 * (status % 100)], 2);
        to += 2;
        *to++ = ' ';
        to = put(to, reason);
        to = put_literal(to, "\r\n");
    }

    const Headers* headers = head.headers && !head.headers->empty() ? head.headers : nullptr;
    auto is_ours = [&](std::string_view value, KnownHeader header) {
        return !value.empty() && !(headers && headers->contains(header));
    };
    if (is_ours(head.server, KnownHeader::server)) {
        if (!is_field_value(head.server)) return nullptr;
        to = put_literal(to, "Server: ");
        to = put(to, head.server);
        to = put_literal(to, "\r\n");
    }
    if (is_ours(head.date, KnownHeader::date)) {
        if (!is_field_value(head.date)) return nullptr;
        to = put_literal(to, "Date: ");
        to = put(to, head.date);
        to = put_literal(to, "\r\n");
    }
    if (is_ours(head.content_type, KnownHeader::content_type)) {
        if (!is_field_value(head.content_type)) return nullptr;
        to = put_literal(to, "Content-Type: ");
        to = put(to, head.content_type);
        to = put_literal(to, "\r\n");
    }
    if (headers) {
        for (Headers::Field field : *headers) {
            if (!is_token(field.name) || !is_field_value(field.value)) return nullptr;
            if (belongs_to_connection(known_header(field.name))) continue;
            to = put(to, field.name);
            to = put_literal(to, ": ");
            to = put(to, field.value);
            to = put_literal(to, "\r\n");
        }
    }

    if (head.status >= 200 && head.status != Status::NoContent) {
        if (body == BodyFraming::length) {
            to = put_literal(to, "Content-Length: ");
            to = put_number(to, length);
            to = put_literal(to, "\r\n");
        } else if (body == BodyFraming::chunked && head.status != Status::NotModified) {
            to = put_literal(to, "Transfer-Encoding: chunked\r\n");
        }
    }
    switch (head.connection) {
    case ConnectionOption::none:
        break;
    case ConnectionOption::close:
        to = put_literal(to, "Connection: close\r\n");
        break;
    case ConnectionOption::keep_alive:
        to = put_literal(to, "Connection: keep-alive\r\n");
        break;
    case ConnectionOption::upgrade:
        to = put_literal(to, "Connection: Upgrade\r\n");
        break;
    }
    return put_literal(to, "\r\n");
}

bool write_head(Buffer& out, const ResponseHead& head, BodyFraming body, std::uint64_t length,
                std::string_view content) {
    if (head.status < 100 || head.status > 999) return false;
    std::size_t room = fixed_bytes_max + head.reason.size() + head.server.size() +
                       head.date.size() + head.content_type.size() + content.size() +
                       (head.headers ? head.headers->wire_bytes().size() : 0);
    char* begin = out.prepare(room).data();
    char* end = put_head(begin, head, body, length);
    if (!end) return false;
    if (!content.empty()) end = put(end, content);
    out.commit(static_cast<std::size_t>(end - begin));
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
