// SPDX-License-Identifier: Apache-2.0
// Request heads: whole and in pieces they mean the same, limits hold, and what is accepted is well
// formed.
#include <coracle/http/h1/request_parser.h>

#include <coracle/http/cookie.h>
#include <coracle/http/url.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace coracle::http;
using coracle::http::h1::ParseResult;
using coracle::http::h1::ParseStatus;

void require(bool condition) {
    if (!condition) std::abort();
}

struct Outcome {
    ParseStatus status = ParseStatus::NeedMore;
    h1::ParseError error = h1::ParseError::none;
    std::size_t consumed = 0;
    std::string message;
    bool operator==(const Outcome&) const = default;
};

// Parses all messages of `input`, which arrives as prefixes that grow by `step` bytes, each in new
// memory.
std::vector<Outcome> parse_all(std::string_view input, std::size_t step, const H1Limits& limits) {
    std::vector<Outcome> outcomes;
    h1::RequestParser parser(limits);
    RequestHead head;
    std::size_t held = 0;
    while (true) {
        held = std::min(input.size(), step == 0 ? input.size() : held + step);
        std::vector<char> memory(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(held));
        ParseResult result = parser.parse({memory.data(), memory.size()}, head);
        Outcome outcome{result.status, result.error, result.consumed, {}};
        if (result.status == ParseStatus::NeedMore) {
            require(held <= limits.head_bytes_max());
            if (held < input.size()) continue;
            outcomes.push_back(outcome);
            return outcomes;
        }
        if (result.status == ParseStatus::Bad) {
            outcomes.push_back(outcome);
            return outcomes;
        }
        require(result.consumed > 0 && result.consumed <= held);
        require(result.consumed <= limits.head_bytes_max());
        require(head.headers().size() <= limits.headers_count_max);
        require(is_method(head.method_text()));
        outcome.message = std::string(head.method_text()) + " " + std::string(head.target()) + " " +
                          std::string(head.raw_path()) + "?" + std::string(head.query_string()) +
                          " " + std::string(head.authority()) + "\n";
        for (HeaderView::Field field : head.headers()) {
            require(is_token(field.name) && is_field_value(field.value));
            require(field.name.size() + field.value.size() < limits.header_line_bytes_max);
            require(head.headers().contains(field.name));
            outcome.message += std::string(field.name) + ":" + std::string(field.value) + "\n";
        }
        const h1::Framing& framing = parser.framing();
        outcome.message += std::to_string(static_cast<int>(framing.body)) + " " +
                           std::to_string(framing.content_length) + " " +
                           std::to_string(framing.keep_alive) + std::to_string(framing.upgrade) +
                           std::to_string(static_cast<int>(framing.expect));
        require(head.version() == Version::http_1_0 || head.headers().get_all("host").size() == 1);
        static_cast<void>(Url::try_from(head));
        static_cast<void>(Cookies(head.headers()).size());
        outcomes.push_back(outcome);
        input.remove_prefix(result.consumed);
        held -= result.consumed;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    // The first byte chooses how the rest is cut.
    std::size_t step = 1 + data[0] % 64;
    std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
    H1Limits limits;
    if (data[0] >= 128) {
        limits.request_line_bytes_max = 60;
        limits.header_line_bytes_max = 40;
        limits.headers_bytes_max = 150;
        limits.headers_count_max = 6;
    }
    auto whole = parse_all(input, 0, limits);
    require(parse_all(input, step, limits) == whole);
    require(parse_all(input, 1, limits) == whole);
    return 0;
}
