// SPDX-License-Identifier: Apache-2.0
// One request and its response, whatever the protocol underneath: what a connection offers to the
// server above it.
#pragma once

#include <coracle/base/bytes.h>
#include <coracle/base/error.h>
#include <coracle/core/task.h>
#include <coracle/http/headers.h>
#include <coracle/http/request_head.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace coracle::wire {

// The peer left or stalled in the middle of an exchange; the connection is of no more use.
class ConnectionLost : public Error {
  public:
    using Error::Error;
};

// The request's body is not what its framing says, or breaks a limit: `status()` is what to answer
// (400, 408, 413).
class BodyError : public Error {
  public:
    BodyError(int status, const std::string& sentence) : Error(sentence), status_(status) {}
    int status() const noexcept { return status_; }

  private:
    int status_;
};

// A response that contradicts itself: a head with a forbidden byte, more or fewer bytes than
// announced. The connection is closed.
class InvalidResponse : public Error {
  public:
    using Error::Error;
};

// The head of a response as handlers mean it. Framing (Content-Length, Transfer-Encoding,
// Connection), Date and Server are the connection's: it adds them, and drops them from `headers` if
// they are there. Views need to live only for the call.
struct ResponseHead {
    int status = 200;
    std::string_view reason;        // empty: the status's own phrase
    std::string_view content_type;  // empty: no Content-Type beyond what `headers` holds
    const http::Headers* headers = nullptr;
    bool close = false;  // close the connection after this response
};

// Valid from the call of the handler until it ends. Exactly one response is made: respond() once,
// or begin(), any number of write() and finish(). Ending without a response is a bug of the layer
// above; the connection then answers 500. Not for concurrent use, except that the body may be read
// while the response is written.
class Exchange {
  public:
    virtual const http::RequestHead& request() const noexcept = 0;

    // Numeric address of the peer, "127.0.0.1:40312", "[::1]:40312", "unix"; of our own end.
    virtual std::string_view peer() const noexcept = 0;
    virtual std::string_view local() const noexcept = 0;
    // Counts requests over all connections of the process, from 1. For logs.
    virtual std::uint64_t id() const noexcept = 0;

    // Whether a body follows, and its length if it was announced.
    virtual bool has_body() const noexcept = 0;
    virtual std::optional<std::uint64_t> content_length() const noexcept = 0;

    // The next bytes of the body, as they come, at most 64 KiB; empty at its end and ever after.
    // The view lives until the next read or the end of the handler. Sends "100 Continue" first if
    // the client waits for it. Throws ConnectionLost, and BodyError when the body is malformed or
    // slower than the minimum rate. Cancelling loses nothing: unread bytes stay.
    virtual Task<std::string_view> read_body() = 0;

    // The whole response. Never waits and never copies more than once: it is queued, and the
    // connection sends what is queued after the handler (responses to pipelined requests in one
    // write). A HEAD request, 204 and 304 get the same head and no body.
    virtual void respond(const ResponseHead& head, std::string_view body) = 0;

    // A response in pieces. With `length` the pieces must add up to it; without, it is chunked (or
    // ends with the connection, for HTTP/1.0). begin() and finish() only fill the buffer, and are
    // no checkpoints; write() is one. It waits while more than the high-water mark is unsent; it
    // throws ConnectionLost when the peer is gone or does not read for the write deadline.
    virtual Task<void> begin(const ResponseHead& head, std::optional<std::uint64_t> length) = 0;
    virtual Task<void> write(std::string_view bytes) = 0;
    virtual Task<void> finish() = 0;

    // Whether a response has been started.
    virtual bool responded() const noexcept = 0;
    int status() const noexcept { return status_; }
    // Bytes of body given to respond() or write() so far, for access logs.
    std::uint64_t body_bytes_sent() const noexcept { return body_bytes_sent_; }

    // A slot for the layer above, for state it wants to reuse from request to request. It may meet
    // the requests of other connections later, so it must be cleared of what one request left.
    class Attachment {
      public:
        virtual ~Attachment() = default;
    };
    virtual std::unique_ptr<Attachment>& attachment() noexcept = 0;

  protected:
    ~Exchange() = default;
    int status_ = 0;
    std::uint64_t body_bytes_sent_ = 0;
};

// What serves requests: web::Application's dispatcher, or a test.
class RequestHandler {
  public:
    // Answers one request. Must not throw anything but Cancelled and ConnectionLost.
    virtual Task<void> handle(Exchange& exchange) = 0;

    // The request could not be parsed: what to answer besides the status, for logs and error pages.
    // `sentence` names the rule or the limit. Returns the text body.
    virtual std::string refuse(int status, std::string_view sentence, std::string_view peer) = 0;

  protected:
    ~RequestHandler() = default;
};

}  // namespace coracle::wire
