// SPDX-License-Identifier: Apache-2.0
// One HTTP/1 request and its response, and the buffers they need: lent to a connection while it has
// something to do.
#pragma once

#include <coracle/base/buffer.h>
#include <coracle/base/clock.h>
#include <coracle/http/h1/chunked.h>
#include <coracle/http/h1/request_parser.h>
#include <coracle/http/h1/writer.h>
#include <coracle/net/stream.h>
#include <coracle/wire/exchange.h>
#include <coracle/wire/internal/connection_deadline.h>
#include <coracle/wire/server_loop.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace coracle::wire::internal {

// Holds bytes read ahead, the head parsed from them, and bytes to be sent. The head's views stay
// valid during the handler because body bytes beyond those read ahead go to a buffer of their own.
class H1Exchange final : public Exchange {
  public:
    explicit H1Exchange(ServerLoop& shared);
    H1Exchange(const H1Exchange&) = delete;
    H1Exchange& operator=(const H1Exchange&) = delete;

    // The connection's side: lent for a burst of requests.
    void attach(net::Stream& stream, ConnectionDeadline& deadline) noexcept;
    void detach() noexcept;

    // The next of those that nobody has borrowed.
    H1Exchange* next_free = nullptr;

    // Reads once, without waiting, behind what is there.
    net::IoResult read_ahead() noexcept;
    bool has_input() const noexcept { return !input_.empty(); }

    // Looks for a complete head in the input; after Done the exchange is ready for its handler.
    http::h1::ParseResult parse();
    bool expectation_is_unknown() const noexcept {
        return parser_.framing().expect == http::h1::Expectation::unknown;
    }

    // Answers a request that is not given to a handler, and closes.
    void refuse(int status, std::string_view body);

    // The handler has ended. A missing response becomes a 500; an unfinished one closes the
    // connection.
    void handler_ended();
    // Whether the body is read, or can be skipped with what is at hand; what follows it becomes the
    // input.
    bool skip_body() noexcept;
    // Reads and drops the rest of the body. False when the connection cannot go on.
    Task<bool> discard_body();

    // Whether the response said, or must mean, that this connection ends.
    bool must_close() const noexcept { return close_; }
    void set_must_close() noexcept { close_ = true; }
    void set_draining(bool draining) noexcept { draining_ = draining; }
    // Closing now could destroy the response in flight, because the peer may still be sending.
    bool has_unread_input() const noexcept { return !body_done_ || has_input(); }

    // Sends what is queued, as much as goes without waiting. False when the connection is broken.
    bool flush_nowait() noexcept;
    // The handler has begun to wait: what it writes from now on goes out at once.
    void handler_suspended() noexcept {
        suspended_ = true;
        flush_nowait();
    }
    bool is_output_high() const noexcept;
    bool is_flushed() const noexcept { return output_.empty(); }
    // Sends all of it, waiting for the peer. Throws ConnectionLost.
    Task<void> flush();
    // Half-closes and reads until the peer is done, within the limits.
    Task<void> linger();

    // Exchange.
    const http::RequestHead& request() const noexcept override { return head_; }
    std::string_view peer() const noexcept override;
    std::string_view local() const noexcept override;
    std::uint64_t id() const noexcept override { return id_; }
    bool has_body() const noexcept override {
        return parser_.framing().body != http::h1::BodyFraming::none;
    }
    std::optional<std::uint64_t> content_length() const noexcept override;
    Task<std::string_view> read_body() override;
    void respond(const ResponseHead& head, std::string_view body) override;
    Task<void> begin(const ResponseHead& head, std::optional<std::uint64_t> length) override;
    Task<void> write(std::string_view bytes) override;
    Task<void> finish() override;
    bool responded() const noexcept override { return phase_ != Phase::waiting; }
    std::unique_ptr<Attachment>& attachment() noexcept override { return attachment_; }

  private:
    enum class Phase : std::uint8_t { waiting, streaming, finished };

    void start_request(std::size_t head_bytes);
    void end_input() noexcept;
    bool body_will_be_read() const noexcept;
    bool response_has_body() const noexcept;
    http::h1::ConnectionOption connection_option();
    http::h1::ResponseHead framed(const ResponseHead& head);
    void replace_unsendable(std::string_view what);
    // The next decoded bytes from `pending_`; empty when more input is needed or the body is over.
    std::string_view take_body();
    Task<bool> read_more_body();
    void send_continue();
    TimePoint write_deadline() const noexcept;
    TimePoint rate_deadline(TimePoint start, Duration grace, std::uint64_t bytes) const noexcept;
    [[noreturn]] void lost(std::string_view what);

    ServerLoop& shared_;
    net::Stream* stream_ = nullptr;
    ConnectionDeadline* deadline_ = nullptr;

    Buffer input_;       // read ahead; the current head lies at its front
    Buffer body_input_;  // body bytes that were not read ahead
    Buffer output_;

    http::h1::RequestParser parser_;
    http::h1::ChunkedDecoder decoder_;
    http::RequestHead head_;

    std::string_view pending_;          // input behind the head, or the rest of body_input_
    std::uint64_t body_remaining_ = 0;  // for Content-Length
    std::uint64_t body_received_ = 0;
    std::uint64_t stream_remaining_ = 0;  // of a streamed response with a length
    std::uint64_t unacknowledged_ = 0;    // by the peer, when `send_started_`
    std::uint64_t sent_ = 0;              // bytes the peer took since `send_started_`
    TimePoint body_started_ = no_deadline;
    TimePoint send_started_ = no_deadline;
    std::uint64_t id_ = 0;
    Phase phase_ = Phase::waiting;
    bool pending_in_body_input_ = false;
    bool body_done_ = true;
    bool continue_due_ = false;
    bool chunked_ = false;
    bool has_length_ = false;
    bool close_ = false;
    bool suspended_ = false;
    bool draining_ = false;
    bool discarding_ = false;
    bool is_head_ = false;

    mutable std::string peer_;
    mutable std::string local_;
    std::unique_ptr<Attachment> attachment_;
};

}  // namespace coracle::wire::internal
