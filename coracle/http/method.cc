// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/method.h>

#include <coracle/http/internal/chars.h>

#include <array>

namespace coracle::http {

namespace {

constexpr std::array<std::string_view, 11> names = {
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "QUERY", "",
};

constexpr std::size_t method_bytes_max = 32;

}  // namespace

std::string_view method_name(Method method) noexcept {
    return names[static_cast<std::size_t>(method)];
}

Method parse_method(std::string_view text) noexcept {
    for (std::size_t i = 0; i + 1 < names.size(); ++i)
        if (text == names[i]) return static_cast<Method>(i);
    return Method::other;
}

bool is_method(std::string_view text) noexcept {
    return !text.empty() && text.size() <= method_bytes_max &&
           internal::all_of_class(text, internal::kMethod);
}

}  // namespace coracle::http
