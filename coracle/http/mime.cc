// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/mime.h>

#include <coracle/http/headers.h>
#include <coracle/http/internal/chars.h>

#include <algorithm>
#include <array>

namespace coracle::http {

namespace {

struct Extension {
    std::string_view name;
    std::string_view type;
};

// Sorted by name.
constexpr auto extensions = std::to_array<Extension>({
    {"7z", "application/x-7z-compressed"},
    {"aac", "audio/aac"},
    {"apng", "image/apng"},
    {"avi", "video/x-msvideo"},
    {"avif", "image/avif"},
    {"bin", "application/octet-stream"},
    {"bmp", "image/bmp"},
    {"br", "application/x-brotli"},
    {"bz2", "application/x-bzip2"},
    {"css", "text/css"},
    {"csv", "text/csv"},
    {"doc", "application/msword"},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"eot", "application/vnd.ms-fontobject"},
    {"epub", "application/epub+zip"},
    {"flac", "audio/flac"},
    {"gif", "image/gif"},
    {"gz", "application/gzip"},
    {"htm", "text/html"},
    {"html", "text/html"},
    {"ico", "image/vnd.microsoft.icon"},
    {"ics", "text/calendar"},
    {"jar", "application/java-archive"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", "text/javascript"},
    {"json", "application/json"},
    {"jsonld", "application/ld+json"},
    {"jxl", "image/jxl"},
    {"m3u8", "application/vnd.apple.mpegurl"},
    {"m4a", "audio/mp4"},
    {"map", "application/json"},
    {"md", "text/markdown"},
    {"mid", "audio/midi"},
    {"mjs", "text/javascript"},
    {"mkv", "video/x-matroska"},
    {"mov", "video/quicktime"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"mpeg", "video/mpeg"},
    {"odp", "application/vnd.oasis.opendocument.presentation"},
    {"ods", "application/vnd.oasis.opendocument.spreadsheet"},
    {"odt", "application/vnd.oasis.opendocument.text"},
    {"oga", "audio/ogg"},
    {"ogg", "audio/ogg"},
    {"ogv", "video/ogg"},
    {"opus", "audio/ogg"},
    {"otf", "font/otf"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"ppt", "application/vnd.ms-powerpoint"},
    {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"rss", "application/rss+xml"},
    {"rtf", "application/rtf"},
    {"sh", "application/x-sh"},
    {"svg", "image/svg+xml"},
    {"tar", "application/x-tar"},
    {"tif", "image/tiff"},
    {"tiff", "image/tiff"},
    {"ttf", "font/ttf"},
    {"txt", "text/plain"},
    {"wasm", "application/wasm"},
    {"wav", "audio/wav"},
    {"weba", "audio/webm"},
    {"webm", "video/webm"},
    {"webmanifest", "application/manifest+json"},
    {"webp", "image/webp"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"xhtml", "application/xhtml+xml"},
    {"xls", "application/vnd.ms-excel"},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"xml", "application/xml"},
    {"yaml", "application/yaml"},
    {"yml", "application/yaml"},
    {"zip", "application/zip"},
    {"zst", "application/zstd"},
});
static_assert(std::ranges::is_sorted(extensions, {}, &Extension::name));

constexpr std::string_view unknown_type = "application/octet-stream";
constexpr std::size_t parameters_count_max = 32;

std::string lower(std::string_view text) {
    std::string copy(text);
    for (char& byte : copy) byte = internal::to_lower(byte);
    return copy;
}

// Reads a quoted-string at the front of `text` and drops it from there. Nothing if it does not end.
std::optional<std::string> take_quoted(std::string_view& text) {
    std::string value;
    for (std::size_t at = 1; at < text.size(); ++at) {
        if (text[at] == '"') {
            text.remove_prefix(at + 1);
            return value;
        }
        if (text[at] == '\\' && ++at == text.size()) break;
        value.push_back(text[at]);
    }
    return std::nullopt;
}

std::string_view take_token(std::string_view& text) {
    std::size_t size = 0;
    while (size < text.size() && internal::has_class(text[size], internal::kToken)) ++size;
    std::string_view token = text.substr(0, size);
    text.remove_prefix(size);
    return token;
}

}  // namespace

std::string_view mime_type(std::string_view file_name) noexcept {
    std::size_t dot = file_name.find_last_of("./");
    if (dot == std::string_view::npos || file_name[dot] != '.') return unknown_type;
    std::string_view extension = file_name.substr(dot + 1);
    std::array<char, 16> buffer{};
    if (extension.size() > buffer.size()) return unknown_type;
    std::ranges::transform(extension, buffer.begin(), internal::to_lower);
    std::string_view name(buffer.data(), extension.size());
    auto found = std::ranges::lower_bound(extensions, name, {}, &Extension::name);
    return found != extensions.end() && found->name == name ? found->type : unknown_type;
}

bool is_text_type(std::string_view type) noexcept {
    return type.starts_with("text/") || type == "application/json" || type == "application/xml" ||
           type == "application/javascript" || type.ends_with("+json") || type.ends_with("+xml");
}

std::string_view ContentType::parameter(std::string_view name,
                                        std::string_view fallback) const noexcept {
    for (const auto& [key, value] : parameters)
        if (key == name) return value;
    return fallback;
}

std::string ContentType::charset() const { return lower(parameter("charset")); }

std::optional<ContentType> parse_content_type(std::string_view value) {
    ContentType result;
    value = internal::trim(value);
    std::string_view type = take_token(value);
    if (type.empty() || !value.starts_with('/')) return std::nullopt;
    value.remove_prefix(1);
    std::string_view subtype = take_token(value);
    if (subtype.empty()) return std::nullopt;
    result.type = lower(type) + "/" + lower(subtype);

    while (!(value = internal::trim(value)).empty()) {
        if (value.front() != ';') return std::nullopt;
        value = internal::trim(value.substr(1));
        if (value.empty() || value.front() == ';') continue;
        std::string_view name = take_token(value);
        if (name.empty() || !value.starts_with('=')) return std::nullopt;
        value.remove_prefix(1);
        std::optional<std::string> text;
        if (value.starts_with('"')) {
            text = take_quoted(value);
        } else if (std::string_view token = take_token(value); !token.empty()) {
            text = token;
        }
        if (!text || result.parameters.size() == parameters_count_max) return std::nullopt;
        result.parameters.emplace_back(lower(name), *std::move(text));
    }
    return result;
}

}  // namespace coracle::http
