// SPDX-License-Identifier: Apache-2.0
// What a request says before its body, free of any protocol version's framing.
#pragma once

#include <coracle/http/headers.h>
#include <coracle/http/method.h>
#include <coracle/http/version.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace coracle::http {

namespace h1 {
class RequestParser;
}
struct RequestParts;

// The four shapes of a request target (RFC 9112 section 3.2).
enum class TargetForm : std::uint8_t { origin, absolute, authority, asterisk };

// A parsed request head. It owns no bytes: everything lies in the buffer the head was parsed from,
// as offsets. When that buffer moves, or the bytes are copied elsewhere, rebase() and every view is
// right again. Views it hands out are valid until the buffer moves or goes. Clearing and filling it
// again allocates nothing once it has seen a message with as many fields.
class RequestHead {
  public:
    Method method() const noexcept { return method_; }
    // The method as it arrived; for Method::other the only place to learn it.
    std::string_view method_text() const noexcept { return text(method_text_); }
    Version version() const noexcept { return version_; }

    // The whole target as it arrived.
    std::string_view target() const noexcept { return text(target_); }
    TargetForm target_form() const noexcept { return target_form_; }
    // The path as it arrived, still percent-encoded: "/a%2Fb". "/" when an absolute target has
    // none, "*" in asterisk form, empty in authority form. "//path" keeps both slashes.
    std::string_view raw_path() const noexcept {
        return path_.size == 0 && target_form_ == TargetForm::absolute ? std::string_view("/")
                                                                       : text(path_);
    }
    // What follows the '?', still percent-encoded; empty when there is none.
    std::string_view query_string() const noexcept { return text(query_); }
    // True when the target has a '?', even with nothing behind it.
    bool has_query() const noexcept { return has_query_; }
    // True if raw_path() has a '%', so that decoding would change it.
    bool path_is_encoded() const noexcept { return path_is_encoded_; }

    // Host and optional port the request is for: from an absolute or authority target if it has one
    // (RFC 9112 3.2.2), else from Host; empty when neither is there (HTTP/1.0). Checked for shape,
    // not for meaning.
    std::string_view authority() const noexcept { return text(authority_); }

    // "http" or "https". Told by the connection, never by the peer: an absolute target cannot claim
    // another scheme.
    std::string_view scheme() const noexcept { return secure_ ? "https" : "http"; }
    bool is_secure() const noexcept { return secure_; }
    // Kept over clear(); the connection sets it once.
    void set_secure(bool secure) noexcept { secure_ = secure; }

    HeaderView headers() const noexcept { return {base_, fields_}; }

    // Tells the head that its bytes now start at `base`.
    void rebase(const char* base) noexcept { base_ = base; }

    // Forgets the message, keeps the memory; release() gives that back too.
    void clear() noexcept {
        fields_.clear();
        method_text_ = target_ = path_ = query_ = authority_ = Span();
        method_ = Method::GET;
        version_ = Version::http_1_1;
        target_form_ = TargetForm::origin;
        has_query_ = path_is_encoded_ = false;
    }
    void release() noexcept;

  private:
    friend class h1::RequestParser;
    friend bool build_request_head(const RequestParts&, std::string&, RequestHead&);

    struct Span {
        std::uint32_t offset = 0;
        std::uint32_t size = 0;
    };
    std::string_view text(Span span) const noexcept { return {base_ + span.offset, span.size}; }
    // Splits target_ into form, path, query and authority. False if it is not a target that
    // `method_` may have.
    bool split_target() noexcept;
    // Cuts the query off path_.
    void split_query() noexcept;

    const char* base_ = "";
    HeaderFields fields_;
    Span method_text_;
    Span target_;
    Span path_;
    Span query_;
    Span authority_;
    Method method_ = Method::GET;
    Version version_ = Version::http_1_1;
    TargetForm target_form_ = TargetForm::origin;
    bool has_query_ = false;
    bool path_is_encoded_ = false;
    bool secure_ = false;
};

// A request that did not arrive as HTTP/1 bytes: from HTTP/2, from an in-memory connection, from a
// test.
struct RequestParts {
    std::string_view method = "GET";
    std::string_view target = "/";
    std::string_view authority;  // empty: taken from a Host field, if there is one
    Version version = Version::http_2;
    const Headers* headers = nullptr;
};

// Fills `out` from `parts`; `storage` receives the bytes and must live and stay put as long as
// `out` is used (or be followed by rebase). False, with `out` cleared, if method, target, authority
// or Host would not be accepted from a peer either. Framing fields among the headers are taken as
// they are: they mean nothing here.
[[nodiscard]] bool build_request_head(const RequestParts& parts, std::string& storage,
                                      RequestHead& out);

}  // namespace coracle::http
