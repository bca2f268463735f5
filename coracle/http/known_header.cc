// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/known_header.h>

#include <coracle/http/internal/known_header_match.h>

namespace coracle::http {

KnownHeader known_header(std::string_view name) noexcept {
    return internal::find_known_header(name.data(), name.size());
}

std::string_view known_header_name(KnownHeader header) noexcept {
    return internal::known_header_names[static_cast<std::size_t>(header)];
}

}  // namespace coracle::http
