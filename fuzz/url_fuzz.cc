// SPDX-License-Identifier: Apache-2.0
// URLs: what parses, parses again to the same; encoding is undone by decoding.
#include <coracle/http/url.h>

#include <coracle/http/date.h>
#include <coracle/http/mime.h>
#include <coracle/http/percent.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace coracle::http;

void require(bool condition) {
    if (!condition) std::abort();
}

void check(const Url& url, bool is_target) {
    auto again = is_target ? Url::try_parse_target(url.str()) : Url::try_parse(url.str());
    require(again && *again == url);
    require(again->host() == url.host() && again->port() == url.port());
    require(url.path().find('\0') == std::string::npos);
    if (url.is_absolute()) require(!url.host().empty() && url.raw_path().starts_with('/'));
    static_cast<void>(url.path_qs());
    static_cast<void>(url.try_query());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(data), size);
    if (auto url = Url::try_parse(text)) check(*url, false);
    if (auto url = Url::try_parse_target(text)) check(*url, true);
    require(percent_decode(percent_encode(text)) == text);
    require(percent_decode(percent_encode_path(text)) == text);
    require(percent_decode(text).size() <= size);

    // Other small parsers of peer text, for which a target of their own would be too much.
    if (auto type = parse_content_type(text)) require(type->parameters.size() <= 32);
    static_cast<void>(mime_type(text));
    if (auto date = parse_date(text)) require(parse_date(format_date(*date)) == date);
    return 0;
}
