// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/h1/request_parser.h>

#include <coracle/http/internal/authority.h>
#include <coracle/http/internal/chars.h>
#include <coracle/http/internal/known_header_match.h>
#include <coracle/http/internal/scan.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace coracle::http::h1 {

namespace {

using internal::find;
using internal::is_blank;

// Fields that mean one thing: two of them are two readings of the same message.
constexpr auto bit = &HeaderFields::bit;
constexpr std::uint64_t single_fields =
    bit(KnownHeader::content_length) | bit(KnownHeader::transfer_encoding) |
    bit(KnownHeader::host) | bit(KnownHeader::content_type) | bit(KnownHeader::etag) |
    bit(KnownHeader::user_agent) | bit(KnownHeader::server) | bit(KnownHeader::content_range) |
    bit(KnownHeader::content_location) | bit(KnownHeader::max_forwards) | bit(KnownHeader::expect);

// Fields that say how the message ends or what it asks of the connection.
constexpr std::uint64_t framing_fields =
    bit(KnownHeader::content_length) | bit(KnownHeader::transfer_encoding) |
    bit(KnownHeader::connection) | bit(KnownHeader::expect) | bit(KnownHeader::sec_websocket_key1);

constexpr std::size_t version_line_size = 10;  // "HTTP/1.1" CR LF

// Reads "HTTP/d.d" CR LF from a possibly incomplete text, byte by byte so that the verdict comes
// with the first wrong byte however the text is cut. `need_more` when everything so far fits.
struct VersionResult {
    ParseError error = ParseError::none;
    bool need_more = false;
    Version version = Version::http_1_1;
};

VersionResult read_version(const char* at, const char* end) noexcept {
    constexpr std::string_view shape = "HTTP/0.0\r\n";
    for (std::size_t i = 0; i < shape.size(); ++i) {
        if (at + i == end) return {ParseError::none, true};
        bool fits = shape[i] == '0' ? internal::is_digit(at[i]) : at[i] == shape[i];
        if (!fits)
            return {i == shape.size() - 1 ? ParseError::bad_line_end : ParseError::bad_version};
    }
    if (at[5] != '1' || at[7] > '1') return {ParseError::version_unsupported};
    return {ParseError::none, false, at[7] == '1' ? Version::http_1_1 : Version::http_1_0};
}

// Decimal digits only, below 2^63.
bool read_content_length(std::string_view text, std::uint64_t& out) noexcept {
    constexpr auto max = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (text.empty()) return false;
    std::uint64_t value = 0;
    for (char byte : text) {
        if (!internal::is_digit(byte)) return false;
        auto digit = static_cast<std::uint64_t>(byte - '0');
        if (value > (max - digit) / 10) return false;
        value = value * 10 + digit;
    }
    out = value;
    return true;
}

// RFC 9112 6.1 and 6.3: chunked must come last and once. A list that ends well but starts with a
// coding we lack is 501, everything else is malformed.
ParseError read_transfer_encoding(std::string_view value) noexcept {
    if (equal_ignoring_case(value, "chunked")) return ParseError::none;
    bool last_is_chunked = false;
    while (true) {
        std::size_t comma = value.find(',');
        std::string_view coding = internal::trim(value.substr(0, comma));
        if (last_is_chunked) return ParseError::bad_transfer_encoding;
        std::string_view name = internal::trim(coding.substr(0, coding.find(';')));
        if (!is_token(name)) return ParseError::bad_transfer_encoding;
        last_is_chunked = equal_ignoring_case(coding, "chunked");
        if (comma == std::string_view::npos) break;
        value.remove_prefix(comma + 1);
    }
    return last_is_chunked ? ParseError::transfer_coding_unsupported
                           : ParseError::bad_transfer_encoding;
}

}  // namespace

RequestParser::RequestParser(const H1Limits& limits) noexcept : limits_(limits) {
    limits_.header_line_bytes_max = std::min(limits_.header_line_bytes_max, std::uint32_t{65535});
    limits_.headers_count_max = std::min(limits_.headers_count_max, std::uint32_t{65534});
    // Offsets are 32 bits; half of that leaves room for sums.
    limits_.request_line_bytes_max =
        std::min(limits_.request_line_bytes_max, std::uint32_t{1} << 30);
    limits_.headers_bytes_max = std::min(limits_.headers_bytes_max, std::uint32_t{1} << 30);
}

void RequestParser::reset() noexcept {
    stage_ = Stage::start;
    error_ = ParseError::none;
    position_ = mark_ = line_start_ = headers_start_ = name_size_ = 0;
    closing_ = false;
    framing_ = Framing();
}

bool RequestParser::is_good_host(const char* base, std::string_view host) noexcept {
    if (host.size() == host_size_ && std::memcmp(host.data(), host_.data(), host_size_) == 0) {
        return host_size_ != 0;
    }
    if (!internal::is_authority(base, host)) return false;
    if (host.size() <= host_.size()) {
        std::memcpy(host_.data(), host.data(), host.size());
        host_size_ = static_cast<std::uint8_t>(host.size());
    }
    return true;
}

ParseResult RequestParser::suspend(Stage stage, std::size_t position) noexcept {
    stage_ = stage;
    position_ = static_cast<std::uint32_t>(position);
    return {};
}

ParseResult RequestParser::refuse(ParseError error) noexcept {
    stage_ = Stage::failed;
    error_ = error;
    return {ParseStatus::Bad, error, 0};
}

// The usual request line, complete: GET or POST, an origin target, HTTP/1.1. Where the fields
// start, or nullptr for any other and for all that is not there or not right, which the stages look
// at.
[[gnu::always_inline]] inline const char* RequestParser::read_plain_request_line(
    const char* base, const char* at, const char* end, RequestHead& out) const {
    if (end - at < 16) return nullptr;
    const char* target = at;
    if (std::memcmp(at, "GET ", 4) == 0) {
        target += 4;
        out.method_ = Method::GET;
    } else if (std::memcmp(at, "POST ", 5) == 0) {
        target += 5;
        out.method_ = Method::POST;
    } else {
        return nullptr;
    }
    const char* const path_end = find<internal::PlainPathEnd>(base, target, end);
    const bool is_plain = path_end != end && *path_end == ' ';
    const char* const blank = is_plain ? path_end : find<internal::TargetEnd>(base, path_end, end);
    if (*target != '/' || end - blank < 11 ||
        std::memcmp(blank, " HTTP/1.1\r\n", version_line_size + 1) != 0 ||
        blank + 9 - base > std::ptrdiff_t{limits_.request_line_bytes_max})
        return nullptr;
    out.method_text_ = {static_cast<std::uint32_t>(at - base),
                        static_cast<std::uint32_t>(target - at) - 1};
    out.target_ = {static_cast<std::uint32_t>(target - base),
                   static_cast<std::uint32_t>(blank - target)};
    out.path_ = out.target_;
    if (!is_plain) out.split_query();
    return blank + 1 + version_line_size;
}

// Reads the complete field lines at `at` that have the usual form (one blank or none behind the
// colon) and keep the limits, without the bookkeeping of the stages. Stops in front of whatever is
// different, the end of the head at the latest, and leaves the verdict to the stages.
[[gnu::always_inline]] inline const char* RequestParser::read_plain_lines(
    const char* base, const char* at, const char* end, HeaderFields& fields) const {
    const std::size_t limit = std::size_t{headers_start_} + limits_.headers_bytes_max;
    const char* const fields_end = base + std::min(limit, static_cast<std::size_t>(end - base));
    const std::ptrdiff_t line_bytes_max = limits_.header_line_bytes_max;
    const std::size_t count_max = limits_.headers_count_max;
    while (fields_end - at >= 4) {
        const char* const line = at;
        const char* const colon = internal::find_name_end(base, line, end);
        if (fields_end - colon < 3 || *colon != ':' || colon == line) return line;
        const char* const value = colon + (colon[1] == ' ' ? 2 : 1);
        if (is_blank(*value)) return line;
        const char* const stop = find<internal::ControlByte>(base, value, end);
        if (fields_end - stop < 2 || std::memcmp(stop, "\r\n", 2) != 0 ||
            stop - line > line_bytes_max || fields.size() >= count_max)
            return line;
        at = stop + 2;

        const char* value_end = stop;
        while (value_end != value && is_blank(value_end[-1])) --value_end;
        HeaderField& field = fields.next();
        const auto name_size = static_cast<std::size_t>(colon - line);
        const KnownHeader known = internal::find_known_header(line, name_size);
        field.name_offset = static_cast<std::uint32_t>(line - base);
        field.name_size = static_cast<std::uint16_t>(name_size);
        field.value_offset = static_cast<std::uint32_t>(value - base);
        field.value_size = static_cast<std::uint32_t>(value_end - value);
        field.known = known;
        fields.commit(known);
    }
    return at;
}

[[gnu::always_inline]] inline ParseError RequestParser::finish(RequestHead& out) {
    const HeaderFields& fields = out.fields_;
    HeaderView headers = out.headers();
    auto find_value = [&](KnownHeader header, std::string_view& value) {
        std::size_t index = fields.find(header);
        if (index == HeaderFields::npos) return false;
        value = headers[index].value;
        return true;
    };
    std::string_view value;
    const bool is_1_1 = out.version_ == Version::http_1_1;
    framing_ = Framing();
    if ((fields.repeated() & single_fields) != 0) return ParseError::duplicate_header;

    // RFC 9112 3.2: exactly one valid Host in 1.1 (a second was refused as it came), and it stands
    // back behind the authority of the target.
    if (find_value(KnownHeader::host, value)) {
        if (!is_good_host(out.base_, value)) return ParseError::bad_host;
        if (out.authority_.size == 0) {
            const HeaderField& field = fields[fields.find(KnownHeader::host)];
            out.authority_ = {field.value_offset, field.value_size};
        }
    } else if (is_1_1) {
        return ParseError::missing_host;
    }
    framing_.keep_alive = is_1_1;
    framing_.tunnel = out.method_ == Method::CONNECT;
    closing_ = !is_1_1;
    if ((fields.present() & framing_fields) == 0) return ParseError::none;
    if (fields.find(KnownHeader::sec_websocket_key1) != HeaderFields::npos)
        return ParseError::obsolete_websocket;

    const bool has_length = find_value(KnownHeader::content_length, value);
    if (has_length) {
        if (!read_content_length(value, framing_.content_length))
            return ParseError::bad_content_length;
        if (framing_.content_length != 0) framing_.body = BodyFraming::length;
    }
    if (find_value(KnownHeader::transfer_encoding, value)) {
        if (has_length) return ParseError::length_and_transfer_encoding;
        // RFC 9112 6.1: HTTP/1.0 has no transfer codings, so its framing is faulty.
        if (!is_1_1) return ParseError::bad_transfer_encoding;
        ParseError error = read_transfer_encoding(value);
        if (error != ParseError::none) return error;
        framing_.body = BodyFraming::chunked;
    }
    if (framing_.tunnel && framing_.body != BodyFraming::none) return ParseError::body_not_allowed;

    // RFC 9112 9.3. Several Connection fields are one list.
    bool close = false;
    bool keep_alive = false;
    bool upgrade = false;
    auto read_connection = [&](std::string_view options) {
        if (options == "keep-alive" || options == "Keep-Alive") {
            keep_alive = true;
            return;
        }
        close = close || list_contains(options, "close");
        keep_alive = keep_alive || list_contains(options, "keep-alive");
        upgrade = upgrade || list_contains(options, "upgrade");
    };
    if (find_value(KnownHeader::connection, value)) {
        read_connection(value);
        if ((fields.repeated() & bit(KnownHeader::connection)) != 0)
            for (std::string_view more : headers.get_all("connection")) read_connection(more);
    }
    framing_.keep_alive = !close && (is_1_1 || keep_alive);

    // RFC 9110 7.8 and 10.1.1: HTTP/1.0 can neither upgrade nor expect.
    if (is_1_1) {
        if (upgrade && find_value(KnownHeader::upgrade, value) && !value.empty()) {
            framing_.upgrade = true;
            framing_.upgrade_websocket = list_contains(value, "websocket");
        }
        if (find_value(KnownHeader::expect, value))
            framing_.expect = equal_ignoring_case(value, "100-continue") ? Expectation::continue_100
                                                                         : Expectation::unknown;
    }
    closing_ = !framing_.keep_alive;
    return ParseError::none;
}

ParseResult RequestParser::parse(std::string_view input, RequestHead& out) {
    if (stage_ == Stage::failed) return refuse(error_);
    const char* const base = input.data();
    const char* const end = base + std::min(input.size(), std::size_t{1} << 31);
    const char* at = base + position_;
    const char* mark = base + mark_;
    const char* line = base + line_start_;
    out.base_ = base;

    // How far the current field line may reach, and whose limit that is.
    std::uint32_t line_limit = 0;
    ParseError line_limit_error = ParseError::none;
    auto start_line = [&] {
        std::uint32_t fields_limit = headers_start_ + limits_.headers_bytes_max;
        line_limit = line_start_ + limits_.header_line_bytes_max;
        line_limit_error = ParseError::header_line_too_long;
        if (fields_limit < line_limit) {
            line_limit = fields_limit;
            line_limit_error = ParseError::headers_too_long;
        }
    };
    auto offset_of = [base](const char* place) { return static_cast<std::uint32_t>(place - base); };

    switch (stage_) {
    case Stage::start:
        break;
    case Stage::method:
        goto method;
    case Stage::target:
        goto target;
    case Stage::version:
        goto version;
    case Stage::line_start:
        goto line_start;
    case Stage::name:
        start_line();
        goto name;
    case Stage::value_start:
        start_line();
        goto value_start;
    case Stage::value:
        start_line();
        goto value;
    case Stage::line_feed:
        goto line_feed;
    case Stage::failed:
        return refuse(error_);
    }

    // RFC 9112 2.2: blank lines before the request line are skipped; they count as part of it.
    while (at != end && *at == '\r') {
        if (at + 1 == end) return suspend(Stage::start, offset_of(at));
        if (at[1] != '\n') return refuse(ParseError::bad_line_end);
        at += 2;
        if (offset_of(at) > limits_.request_line_bytes_max)
            return refuse(ParseError::request_line_too_long);
    }
    if (at == end) return suspend(Stage::start, offset_of(at));
    if (*at == '\n') return refuse(ParseError::bad_line_end);
    if (closing_) return refuse(ParseError::data_after_close);
    out.clear();
    mark = at;
    mark_ = offset_of(mark);

    if (const char* fields = read_plain_request_line(base, at, end, out)) {
        at = fields;
        headers_start_ = offset_of(at);
        goto line_start;
    }

method:
    while (at != end && internal::has_class(*at, internal::kMethod)) ++at;
    if (at - mark > 32) return refuse(ParseError::bad_method);
    if (at == end) return suspend(Stage::method, offset_of(at));
    if (*at != ' ' || at == mark) return refuse(ParseError::bad_method);
    out.method_text_ = {offset_of(mark), static_cast<std::uint32_t>(at - mark)};
    mark = ++at;
    mark_ = offset_of(mark);

target:
    at = find<internal::TargetEnd>(base, at, end);
    if (offset_of(at) > limits_.request_line_bytes_max)
        return refuse(ParseError::request_line_too_long);
    if (at == end) return suspend(Stage::target, offset_of(at));
    if (*at != ' ' || at == mark) return refuse(ParseError::bad_target);
    out.target_ = {offset_of(mark), static_cast<std::uint32_t>(at - mark)};
    mark = ++at;
    mark_ = offset_of(mark);

version:
    if (end - mark >= 10 && std::memcmp(mark, "HTTP/1.1\r\n", version_line_size) == 0) {
        out.version_ = Version::http_1_1;
    } else {
        VersionResult result = read_version(mark, end);
        if (result.error != ParseError::none) return refuse(result.error);
        if (result.need_more) return suspend(Stage::version, offset_of(mark));
        out.version_ = result.version;
    }
    at = mark + version_line_size;
    if (offset_of(at) > limits_.request_line_bytes_max + 2)
        return refuse(ParseError::request_line_too_long);
    out.method_ = parse_method(out.method_text());
    if (!out.split_target()) return refuse(ParseError::bad_target);
    headers_start_ = offset_of(at);

line_start:
    at = read_plain_lines(base, at, end, out.fields_);
    if (at == end) return suspend(Stage::line_start, offset_of(at));
    if (*at == '\r') {
        if (at + 1 == end) return suspend(Stage::line_start, offset_of(at));
        if (at[1] != '\n') return refuse(ParseError::bad_line_end);
        at += 2;
        ParseError error = finish(out);
        if (error != ParseError::none) return refuse(error);
        stage_ = Stage::start;
        position_ = mark_ = line_start_ = 0;
        return {ParseStatus::Done, ParseError::none, static_cast<std::size_t>(at - base)};
    }
    if (*at == '\n') return refuse(ParseError::bad_line_end);
    if (is_blank(*at)) return refuse(ParseError::folded_header);
    if (out.fields_.size() >= limits_.headers_count_max)
        return refuse(ParseError::too_many_headers);
    line = at;
    line_start_ = offset_of(line);
    start_line();

name:
    at = internal::find_name_end(base, at, end);
    if (offset_of(at) > line_limit) return refuse(line_limit_error);
    if (at == end) return suspend(Stage::name, offset_of(at));
    if (*at != ':' || at == line)
        return refuse(*at == '\n' ? ParseError::bad_line_end : ParseError::bad_header_name);
    name_size_ = static_cast<std::uint32_t>(at - line);
    ++at;

value_start:
    while (at != end && is_blank(*at)) ++at;
    if (offset_of(at) > line_limit) return refuse(line_limit_error);
    if (at == end) return suspend(Stage::value_start, offset_of(at));
    mark = at;
    mark_ = offset_of(mark);

value:
    for (;;) {
        at = find<internal::ControlByte>(base, at, end);
        if (offset_of(at) > line_limit) return refuse(line_limit_error);
        if (at == end) return suspend(Stage::value, offset_of(at));
        if (*at == '\r') break;
        if (*at != '\t')
            return refuse(*at == '\n' ? ParseError::bad_line_end : ParseError::bad_header_value);
        ++at;
    }

line_feed:
    if (at + 1 == end) return suspend(Stage::line_feed, offset_of(at));
    if (at[1] != '\n') return refuse(ParseError::bad_line_end);
    {
        const char* value_end = at;
        while (value_end != mark && is_blank(value_end[-1])) --value_end;
        HeaderField field;
        field.name_offset = offset_of(line);
        field.name_size = static_cast<std::uint16_t>(name_size_);
        field.value_offset = offset_of(mark);
        field.value_size = static_cast<std::uint32_t>(value_end - mark);
        field.known = known_header({line, name_size_});
        out.fields_.push_back(field);
    }
    at += 2;
    if (offset_of(at) - headers_start_ > limits_.headers_bytes_max)
        return refuse(ParseError::headers_too_long);
    goto line_start;
}

}  // namespace coracle::http::h1
