// SPDX-License-Identifier: Apache-2.0
// Response: what a handler returns.
#pragma once

#include <coracle/http/cookie.h>
#include <coracle/http/headers.h>
#include <coracle/http/status.h>

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace coracle::web {

// Views need to live for the call only.
struct ResponseOptions {
    int status = 200;
    std::string_view content_type = {};  // empty: what the function says
    std::string_view reason = {};        // empty: the status's own phrase
};
static_assert(std::is_trivially_copyable_v<ResponseOptions>);

// Status, header fields and a body that is a string or a file. Date, Server, Content-Length and
// Connection are added when it is sent. Move-only; made by text(), html(), json_response(), file(),
// redirect() or a constructor:
//
//   co_return web::text("Hello");
//   co_return web::Response(204);
//
//   auto response = web::html(page, {.status = 201});
//   response.headers().set("Cache-Control", "no-store");
//   response.set_cookie(http::SetCookie("theme", "dark"));
//   co_return response;
//
// A name or value that could break the message throws http::InvalidHeader where it is set.
class Response {
  public:
    // 200 without a body, or another status: Response(204).
    Response() noexcept = default;
    // Throws as set_status() does.
    explicit Response(int status);
    explicit Response(std::string body, ResponseOptions options = {});
    Response(Response&& other) noexcept = default;
    Response& operator=(Response&& other) noexcept = default;
    ~Response() = default;

    int status() const noexcept { return status_; }
    // Throws std::invalid_argument outside of 200 to 999 (interim answers are the connection's),
    // and http::InvalidHeader for a reason with control bytes.
    void set_status(int status, std::string_view reason = {});
    // Empty when it is the status's own phrase.
    std::string_view reason() const noexcept;

    const std::string& body() const noexcept { return body_; }
    void set_body(std::string body);

    // The whole Content-Type value; empty: none is sent.
    std::string_view content_type() const noexcept;
    void set_content_type(std::string_view value);

    // Fields besides those above. Content-Length, Connection, Keep-Alive and Transfer-Encoding put
    // here are not sent: framing is the connection's. A Content-Type here wins over content_type().
    http::Headers& headers();
    bool has_headers() const noexcept;

    void set_cookie(const http::SetCookie& cookie);
    // Tells the browser to forget a cookie; path and domain as it was set with.
    void del_cookie(std::string_view name, std::string_view path = "/",
                    std::string_view domain = {});

    // Closes the connection after this response.
    void force_close() noexcept { close_ = true; }

    // True for what StreamResponse::write_eof() returned: it is on its way, changes come too late.
    bool is_sent() const noexcept { return sent_; }

    // For the library: the content type is a literal.
    Response(std::string body, std::string_view literal_type, const ResponseOptions& options)
        : body_(std::move(body)), content_type_(literal_type) {
        if (options.status != 200 || !options.reason.empty() || !options.content_type.empty()) {
            apply(options);
        }
    }
    struct Extra;
    const Extra* internal_extra() const noexcept { return extra_.get(); }
    bool internal_close() const noexcept { return close_; }
    static Response internal_file(std::string path, ResponseOptions options);
    static Response internal_sent(int status) noexcept;

  private:
    // Defined where Extra is complete, so that moving and destroying the rest is inline.
    struct ExtraDelete {
        void operator()(Extra* extra) const noexcept;
    };

    Extra& extra();
    void apply(const ResponseOptions& options);

    std::string body_;
    std::string_view content_type_;              // a literal, or lies in extra_
    std::unique_ptr<Extra, ExtraDelete> extra_;  // what most responses have none of
    int status_ = 200;
    bool close_ = false;
    bool sent_ = false;
};

// text/plain; charset=utf-8.
inline Response text(std::string body, const ResponseOptions& options = {}) {
    return Response(std::move(body), "text/plain; charset=utf-8", options);
}
// text/html; charset=utf-8.
inline Response html(std::string body, const ResponseOptions& options = {}) {
    return Response(std::move(body), "text/html; charset=utf-8", options);
}
// application/octet-stream.
inline Response bytes(std::string body, const ResponseOptions& options = {}) {
    return Response(std::move(body), "application/octet-stream", options);
}

// A file from disk, read in pieces by threads so that the loop never waits for the disk. The
// content type is told by the extension (text with charset=utf-8) unless options say it. Opened
// when the response is sent: 404 if it is missing, 403 if it is no regular file or may not be read.
// `path` is trusted: never build it from what a peer sent.
Response file(std::string path, ResponseOptions options = {});

// 302 unless the status says otherwise: 301, 303, 307, 308. `location` must be a URL or a path;
// throws http::InvalidHeader for bytes that no header may have.
Response redirect(std::string_view location, int status = 302);

}  // namespace coracle::web
