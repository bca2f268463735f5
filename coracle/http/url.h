// SPDX-License-Identifier: Apache-2.0
// URLs as HTTP uses them (RFC 3986, RFC 9110 section 4.2).
#pragma once

#include <coracle/base/error.h>
#include <coracle/http/query.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace coracle::http {

class RequestHead;

// A text that is no URL. The message does not repeat it: it may hold a password.
class InvalidUrl : public Error {
  public:
    using Error::Error;
};

// An http or https URL, or the reference part of one ("/path?query#fragment"). A value that owns
// its text; views are valid as long as the Url is neither changed nor moved.
//
// Kept as it was written but for letter case of scheme and host; "//path" keeps its slashes, dots
// are not resolved, nothing is decoded until path() or query() asks, and then once. At most 64 KiB.
class Url {
  public:
    Url() : Url(parse("/")) {}

    // Absolute ("http://host:port/path?query#fragment", also https, ws and wss) or a reference that
    // starts with '?' or one '/'. Refused: bytes that no URL has (blanks, controls, over 0x7E), an
    // empty host, a port over 65,535, and "%00" in the path.
    static std::optional<Url> try_parse(std::string_view text);
    static Url parse(std::string_view text);

    // The target of a request, where "//path" is a path and no host.
    //   origin     "/path?query"
    //   absolute   the whole URL
    //   authority  only host() and port()
    //   asterisk   path "*"
    // Nothing if the path holds "%00".
    static std::optional<Url> try_parse_target(std::string_view target);
    // The URL a request is for, with the connection's scheme and the request's authority.
    static std::optional<Url> try_from(const RequestHead& head);

    bool is_absolute() const noexcept { return scheme_size_ != 0; }
    // "http", "https", "ws", "wss", or empty.
    std::string_view scheme() const noexcept { return part(0, scheme_size_); }
    // "user:password" as it was written, or empty.
    std::string_view user_info() const noexcept { return part(user_offset_, user_size_); }
    // In lower case; an IPv6 address without its brackets.
    std::string_view host() const noexcept;
    // The port that is written, or the scheme's: 80, 443; 0 if there is neither.
    std::uint16_t port() const noexcept;
    // host[:port] as a Host field has it.
    std::string_view authority() const noexcept { return part(host_offset_, authority_size_); }

    // Still encoded; "/" if an absolute URL has none.
    std::string_view raw_path() const noexcept;
    // Decoded once: "/path%2523" is "/path%23"; '+' stays '+'.
    std::string path() const;
    // Without '?', still encoded.
    std::string_view query_string() const noexcept { return part(query_offset_, query_size_); }
    // raw_path() and, if there is one, '?' and the query: what a request line says.
    std::string path_qs() const;
    // Nothing if there are too many parameters.
    std::optional<Query> try_query(const QueryLimits& limits = QueryLimits()) const;
    std::string_view fragment() const noexcept { return part(fragment_offset_, fragment_size_); }

    // The whole text.
    const std::string& str() const noexcept { return text_; }

    bool operator==(const Url& other) const noexcept { return text_ == other.text_; }

  private:
    struct Unset {};
    explicit Url(Unset) noexcept {}
    bool split(std::string_view text, bool is_target);
    bool split_authority(std::size_t offset, std::size_t size);
    std::string_view part(std::uint32_t offset, std::uint32_t size) const noexcept {
        return std::string_view(text_).substr(offset, size);
    }

    std::string text_;
    std::uint32_t scheme_size_ = 0;
    std::uint32_t user_offset_ = 0;
    std::uint32_t user_size_ = 0;
    std::uint32_t host_offset_ = 0;
    std::uint32_t host_size_ = 0;
    std::uint32_t authority_size_ = 0;
    std::uint32_t path_offset_ = 0;
    std::uint32_t path_size_ = 0;
    std::uint32_t query_offset_ = 0;
    std::uint32_t query_size_ = 0;
    std::uint32_t fragment_offset_ = 0;
    std::uint32_t fragment_size_ = 0;
    std::uint16_t port_ = 0;
    bool has_query_ = false;
};

// "http" and "HTTP" are 80, "https" 443, anything else 0.
std::uint16_t default_port(std::string_view scheme) noexcept;

}  // namespace coracle::http
