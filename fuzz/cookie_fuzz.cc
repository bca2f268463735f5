// SPDX-License-Identifier: Apache-2.0
// Cookies: reading never fails and stays inside the field; what SetCookie lets out is a field
// value.
#include <coracle/http/cookie.h>

#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using namespace coracle::http;

void require(bool condition) {
    if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(data), size);
    Cookies cookies = Cookies::parse(text);
    require(cookies.size() <= 1000);
    for (Cookies::Cookie cookie : cookies) {
        require(!cookie.name.empty() && cookies.contains(cookie.name));
        require(cookie.name.data() >= text.data() &&
                cookie.value.data() + cookie.value.size() <= text.data() + text.size());
        try {
            std::string field = SetCookie(cookie.name, cookie.value).str();
            require(is_field_value(field));
            Cookies back = Cookies::parse(field);
            require(back[0].name == cookie.name && back[0].value == cookie.value);
        } catch (const InvalidCookie&) {
            // Refused as it should be: the peer's bytes may be anything.
        }
    }
    return 0;
}
