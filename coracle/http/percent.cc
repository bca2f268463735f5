// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/percent.h>

#include <coracle/http/internal/chars.h>

namespace coracle::http {

namespace {

std::string encode(std::string_view text, unsigned kept) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size());
    for (char byte : text) {
        if (internal::has_class(byte, kept)) {
            out.push_back(byte);
        } else {
            auto code = static_cast<unsigned char>(byte);
            out.push_back('%');
            out.push_back(digits[code >> 4]);
            out.push_back(digits[code & 15]);
        }
    }
    return out;
}

}  // namespace

void append_decoded(std::string& out, std::string_view text, bool plus_is_blank) {
    out.reserve(out.size() + text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        char byte = text[at];
        if (byte == '%' && text.size() - at >= 3) {
            int high = internal::hex_value(text[at + 1]);
            int low = internal::hex_value(text[at + 2]);
            if (high >= 0 && low >= 0) {
                byte = static_cast<char>(high << 4 | low);
                at += 2;
            }
        } else if (byte == '+' && plus_is_blank) {
            byte = ' ';
        }
        out.push_back(byte);
    }
}

std::string percent_decode(std::string_view text) {
    std::string out;
    append_decoded(out, text, false);
    return out;
}

std::string form_decode(std::string_view text) {
    std::string out;
    append_decoded(out, text, true);
    return out;
}

std::string percent_encode(std::string_view text) { return encode(text, internal::kUnreserved); }

std::string percent_encode_path(std::string_view path) { return encode(path, internal::kPathSafe); }

}  // namespace coracle::http
