// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/html.h>

namespace coracle::http {

std::string html_escape(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (char byte : text) {
        switch (byte) {
        case '&':
            out += "&amp;";
            break;
        case '<':
            out += "&lt;";
            break;
        case '>':
            out += "&gt;";
            break;
        case '"':
            out += "&quot;";
            break;
        case '\'':
            out += "&#39;";
            break;
        default:
            out += byte;
        }
    }
    return out;
}

}  // namespace coracle::http
