// SPDX-License-Identifier: Apache-2.0
#include <coracle/wire/internal/h1_exchange.h>

#include <coracle/base/assert.h>
#include <coracle/base/log.h>
#include <coracle/core/checkpoint.h>
#include <coracle/http/h1/framing.h>

#include <algorithm>
#include <array>
#include <utility>

namespace coracle::wire::internal {
namespace {

using http::h1::BodyFraming;
using http::h1::ChunkStatus;
using http::h1::ConnectionOption;
using http::h1::Expectation;
using http::h1::ParseStatus;

constexpr std::size_t body_read_bytes = 64 * 1024;
// A body at least this large is sent from where it lies, with the head, in one gathered write.
constexpr std::size_t gather_bytes = 16 * 1024;
// Buffers that grew beyond this are given back rather than kept for the next connection.
constexpr std::size_t kept_bytes_max = 64 * 1024;

}  // namespace

H1Exchange::H1Exchange(ServerLoop& shared)
    : shared_(shared), parser_(shared.options().limits), decoder_(shared.options().limits) {}

void H1Exchange::attach(net::Stream& stream, ConnectionDeadline& deadline) noexcept {
    stream_ = &stream;
    deadline_ = &deadline;
}

void H1Exchange::detach() noexcept {
    stream_ = nullptr;
    deadline_ = nullptr;
    input_.clear();
    output_.clear();
    parser_.reset();
    head_.clear();
    peer_.clear();
    local_.clear();
    pending_ = {};
    close_ = draining_ = false;
    body_done_ = true;
    phase_ = Phase::waiting;
    send_started_ = no_deadline;
    if (input_.capacity() > kept_bytes_max) input_.release();
    if (output_.capacity() > kept_bytes_max) output_.release();
    body_input_.release();
}

net::IoResult H1Exchange::read_ahead() noexcept {
    // Room for a head of any permitted size; a burst of pipelined requests is bounded by
    // read_ahead_max.
    auto into = input_.prepare(shared_.options().read_ahead_max);
    auto result = stream_->read_nowait(into.first(shared_.options().read_ahead_max));
    if (result.done()) input_.commit(result.bytes());
    return result;
}

http::h1::ParseResult H1Exchange::parse() {
    auto result = parser_.parse(input_.view(), head_);
    if (result.status == ParseStatus::Done) start_request(result.consumed);
    return result;
}

void H1Exchange::start_request(std::size_t head_bytes) {
    const auto& framing = parser_.framing();
    pending_ = input_.view().substr(head_bytes);
    pending_in_body_input_ = false;
    body_done_ = framing.body == BodyFraming::none;
    body_remaining_ = framing.content_length;
    body_received_ = 0;
    body_started_ = no_deadline;
    continue_due_ = framing.expect == Expectation::continue_100;
    if (framing.body == BodyFraming::chunked) decoder_.reset();
    phase_ = Phase::waiting;
    chunked_ = has_length_ = false;
    close_ = false;
    suspended_ = false;
    is_head_ = head_.method() == http::Method::HEAD;
    status_ = 0;
    body_bytes_sent_ = 0;
    id_ = shared_.next_request_id();
    shared_.counters().requests.fetch_add(1, std::memory_order_relaxed);
}

std::string_view H1Exchange::peer() const noexcept {
    if (peer_.empty() && stream_) peer_ = stream_->peer();
    return peer_;
}

std::string_view H1Exchange::local() const noexcept {
    if (local_.empty() && stream_) local_ = stream_->local();
    return local_;
}

std::optional<std::uint64_t> H1Exchange::content_length() const noexcept {
    const auto& framing = parser_.framing();
    switch (framing.body) {
    case BodyFraming::none:
        return 0;
    case BodyFraming::length:
        return framing.content_length;
    case BodyFraming::chunked:
        return std::nullopt;
    }
    return std::nullopt;
}

// Request body

Task<std::string_view> H1Exchange::read_body() {
    co_await checkpoint();  // a peer that sends fast enough is never waited for
    for (;;) {
        std::string_view piece = take_body();
        if (!piece.empty() || body_done_) co_return piece;
        if (!co_await read_more_body()) lost("the peer ended the connection inside a request body");
    }
}

std::string_view H1Exchange::take_body() {
    if (body_done_ || pending_.empty()) return {};
    if (parser_.framing().body == BodyFraming::length) {
        std::size_t size =
            static_cast<std::size_t>(std::min<std::uint64_t>(pending_.size(), body_remaining_));
        std::string_view piece = pending_.substr(0, size);
        pending_.remove_prefix(size);
        body_remaining_ -= size;
        body_received_ += size;
        body_done_ = body_remaining_ == 0;
        return piece;
    }
    auto result = decoder_.decode(pending_);
    pending_.remove_prefix(result.consumed);
    switch (result.status) {
    case ChunkStatus::NeedMore:
        return {};
    case ChunkStatus::Data:
        body_received_ += result.data.size();
        return result.data;
    case ChunkStatus::Done:
        body_done_ = true;
        return {};
    case ChunkStatus::Bad:
        break;
    }
    close_ = true;
    throw BodyError(http::h1::status_of(result.error),
                    http::h1::describe(result.error, shared_.options().limits));
}

// Waits for and reads the next bytes of the body. False when the peer has ended.
Task<bool> H1Exchange::read_more_body() {
    if (continue_due_) send_continue();
    if (!flush_nowait()) co_return false;
    TimePoint now = shared_.loop().turn_time();
    if (body_started_ == no_deadline) body_started_ = now;
    for (;;) {
        body_input_.clear();
        auto into = body_input_.prepare(body_read_bytes).first(body_read_bytes);
        auto result = stream_->read_nowait(into);
        if (result.done()) {
            body_input_.commit(result.bytes());
            pending_ = body_input_.view();
            pending_in_body_input_ = true;
            deadline_->clear();
            co_return true;
        }
        if (!result.would_block()) co_return false;
        deadline_->set_at(
            rate_deadline(body_started_, shared_.options().body_grace, body_received_));
        bool ready = co_await stream_->readiness().wait_readable();
        if (!ready && discarding_ && draining_) co_return false;
        if (!ready && deadline_->has_expired()) {
            close_ = true;
            throw BodyError(408, "the request body came slower than the minimum rate");
        }
    }
}

void H1Exchange::send_continue() {
    continue_due_ = false;
    http::h1::write_continue(output_);
}

TimePoint H1Exchange::rate_deadline(TimePoint start, Duration grace,
                                    std::uint64_t bytes) const noexcept {
    auto earned =
        std::chrono::seconds(bytes / std::max<std::size_t>(shared_.options().rate_min, 1));
    return saturating_add(saturating_add(start, grace), earned);
}

bool H1Exchange::skip_body() noexcept {
    try {
        while (!body_done_ && !pending_.empty()) take_body();
    } catch (const BodyError&) {
        return false;  // close_ is set
    }
    if (body_done_) end_input();
    return body_done_;
}

Task<bool> H1Exchange::discard_body() {
    if (continue_due_) co_return false;  // the client has not been told to send it
    std::uint64_t start = body_received_;
    bool within = true;
    discarding_ = true;
    try {
        while (!body_done_ && within) {
            take_body();
            if (body_done_) break;
            within = body_received_ - start <= shared_.options().discard_bytes_max;
            if (pending_.empty() && within) within = co_await read_more_body();
        }
    } catch (const BodyError&) {
        within = false;
    }
    discarding_ = false;
    if (body_done_) end_input();
    co_return body_done_;
}

// What follows the body is the input of the next request.
void H1Exchange::end_input() noexcept {
    if (pending_in_body_input_) {
        input_.clear();
        input_.append(pending_);
        body_input_.release();
        pending_in_body_input_ = false;
    } else {
        input_.consume(input_.size() - pending_.size());
    }
    pending_ = {};
}

// Response

bool H1Exchange::body_will_be_read() const noexcept {
    if (body_done_) return true;
    if (continue_due_) return false;
    if (parser_.framing().body == BodyFraming::chunked) return true;
    return body_remaining_ <= pending_.size() + shared_.options().discard_bytes_max;
}

ConnectionOption H1Exchange::connection_option() {
    close_ = close_ || draining_ || !parser_.framing().keep_alive || !body_will_be_read();
    if (close_) return ConnectionOption::close;
    return head_.version() == http::Version::http_1_0 ? ConnectionOption::keep_alive
                                                      : ConnectionOption::none;
}

http::h1::ResponseHead H1Exchange::framed(const ResponseHead& head) {
    CORACLE_ASSERT(phase_ == Phase::waiting);
    status_ = head.status;
    close_ = close_ || head.close;
    return {.status = head.status,
            .reason = head.reason,
            .standing = &shared_.standing_fields(),
            .content_type = head.content_type,
            .headers = head.headers,
            .connection = connection_option()};
}

bool H1Exchange::response_has_body() const noexcept {
    return !is_head_ && status_ != 204 && status_ != 304 && status_ >= 200;
}

void H1Exchange::respond(const ResponseHead& head, std::string_view body) {
    auto framing = framed(head);
    phase_ = Phase::finished;
    if (!response_has_body()) {
        // 304 speaks of a representation whose length it does not know.
        if (status_ == 304) framing.body = BodyFraming::none;
        framing.content_length = body.size();
        if (!http::h1::write_response_head(output_, framing)) replace_unsendable("a response head");
        return;
    }
    body_bytes_sent_ = body.size();
    if (body.size() < gather_bytes) {
        if (!http::h1::write_response(output_, framing, body))
            replace_unsendable("a response head");
        return;
    }
    framing.content_length = body.size();
    if (!http::h1::write_response_head(output_, framing)) {
        replace_unsendable("a response head");
        return;
    }
    // Head and body from where they lie; only what the kernel does not take is copied.
    std::size_t sent = 0;
    if (stream_->readiness().is_writable()) {
        std::array<std::string_view, 2> pieces = {output_.view(), body};
        auto result = stream_->write_nowait(pieces);
        if (result.done()) sent = result.bytes();
    }
    std::size_t head_sent = std::min(sent, output_.size());
    output_.consume(head_sent);
    output_.append(body.substr(sent - head_sent));
}

// A head that the writer refused: nothing of it was queued, so the client gets a plain 500.
void H1Exchange::replace_unsendable(std::string_view what) {
    log::error("http",
               std::string(what) + " held a byte that must not be sent; the client got a 500");
    status_ = 500;
    close_ = true;
    constexpr std::string_view text = "500: Internal Server Error";
    body_bytes_sent_ = is_head_ ? 0 : text.size();
    bool written = http::h1::write_response(output_,
                                            {.status = 500,
                                             .standing = &shared_.standing_fields(),
                                             .content_type = "text/plain; charset=utf-8",
                                             .connection = ConnectionOption::close},
                                            is_head_ ? std::string_view() : text);
    CORACLE_ASSERT(written);
}

Task<void> H1Exchange::begin(const ResponseHead& head, std::optional<std::uint64_t> length) {
    has_length_ = length.has_value();
    stream_remaining_ = length.value_or(0);
    chunked_ = !has_length_ && head_.version() == http::Version::http_1_1;
    if (!has_length_ && !chunked_)
        close_ = true;  // only the end of the connection ends such a body
    auto framing = framed(head);
    framing.body = has_length_ ? BodyFraming::length
                   : chunked_  ? BodyFraming::chunked
                               : BodyFraming::none;
    framing.content_length = stream_remaining_;
    if (!response_has_body()) chunked_ = false;
    phase_ = Phase::streaming;
    if (!http::h1::write_response_head(output_, framing)) {
        replace_unsendable("a response head");
        phase_ = Phase::finished;
        throw InvalidResponse("the response head holds a byte that must not be sent");
    }
    if (suspended_) co_await flush();
}

Task<void> H1Exchange::write(std::string_view bytes) {
    CORACLE_ASSERT(phase_ == Phase::streaming);
    co_await checkpoint();  // nor one that reads fast enough
    if (has_length_) {
        if (bytes.size() > stream_remaining_) {
            close_ = true;
            throw InvalidResponse("more bytes were written than the length that begin() announced");
        }
        stream_remaining_ -= bytes.size();
    }
    if (bytes.empty() || !response_has_body()) co_return;
    body_bytes_sent_ += bytes.size();
    if (chunked_) {
        http::h1::write_chunk(output_, bytes);
    } else {
        output_.append(bytes);
    }
    // Small pieces of a handler that has not waited yet are gathered until it does.
    if (suspended_ || output_.size() >= shared_.options().write_high_water) co_await flush();
}

Task<void> H1Exchange::finish() {
    CORACLE_ASSERT(phase_ == Phase::streaming);
    if (has_length_ && stream_remaining_ > 0 && response_has_body()) {
        close_ = true;
        throw InvalidResponse("fewer bytes were written than the length that begin() announced");
    }
    if (chunked_) http::h1::write_last_chunk(output_);
    phase_ = Phase::finished;
    if (suspended_) flush_nowait();
    co_return;
}

void H1Exchange::refuse(int status, std::string_view body) {
    close_ = true;
    body_done_ = false;  // whatever else the peer sends is not ours to understand
    phase_ = Phase::waiting;
    is_head_ = false;
    status_ = status;
    phase_ = Phase::finished;
    bool written = http::h1::write_response(output_,
                                            {.status = status,
                                             .standing = &shared_.standing_fields(),
                                             .content_type = "text/plain; charset=utf-8",
                                             .connection = ConnectionOption::close},
                                            body);
    CORACLE_ASSERT(written);
}

void H1Exchange::handler_ended() {
    if (phase_ == Phase::finished) return;
    if (phase_ == Phase::waiting) {
        log::error("http", "a handler ended without a response; the client got a 500");
        respond({.status = 500, .content_type = "text/plain; charset=utf-8", .close = true},
                "500: Internal Server Error");
        return;
    }
    // A body that was begun and not finished must not look complete: the connection is cut before
    // its end.
    close_ = true;
    phase_ = Phase::finished;
}

// Sending

bool H1Exchange::is_output_high() const noexcept {
    return output_.size() > shared_.options().write_high_water;
}

bool H1Exchange::flush_nowait() noexcept {
    while (!output_.empty() && stream_->readiness().is_writable()) {
        auto result = stream_->write_nowait(output_.view());
        if (result.would_block()) break;
        if (!result.done()) {
            close_ = true;
            output_.clear();
            return false;
        }
        output_.consume(result.bytes());
        sent_ += result.bytes();
    }
    if (output_.empty()) send_started_ = no_deadline;
    return true;
}

Task<void> H1Exchange::flush() {
    for (;;) {
        if (!flush_nowait()) lost("the peer closed the connection inside a response");
        if (output_.empty()) break;
        if (send_started_ == no_deadline) {
            send_started_ = shared_.loop().turn_time();
            sent_ = 0;
            unacknowledged_ = stream_->unacknowledged();
        }
        TimePoint due = write_deadline();
        if (due <= shared_.loop().turn_time()) {
            stream_->abort();
            lost("the peer read its response slower than the minimum rate");
        }
        deadline_->set_at(due);
        co_await stream_->readiness().wait_writable();
    }
    deadline_->clear();
}

// What counts is what the peer has acknowledged: a full send buffer drains for a long time before
// the kernel takes more.
TimePoint H1Exchange::write_deadline() const noexcept {
    std::uint64_t given = unacknowledged_ + sent_;
    std::uint64_t left = stream_->unacknowledged();
    return rate_deadline(send_started_, shared_.options().write_grace,
                         given > left ? given - left : 0);
}

Task<void> H1Exchange::linger() {
    stream_->shutdown_write();
    deadline_->set(shared_.options().linger_timeout);
    std::size_t dropped = 0;
    std::size_t dropped_max = shared_.options().discard_bytes_max;
    while (dropped <= dropped_max) {
        input_.clear();
        auto result = stream_->read_nowait(input_.prepare(body_read_bytes).first(body_read_bytes));
        if (result.done()) {
            dropped += result.bytes();
        } else if (!result.would_block()) {
            break;
        } else if (!co_await stream_->readiness().wait_readable() && deadline_->has_expired()) {
            break;
        }
    }
    input_.clear();
}

void H1Exchange::lost(std::string_view what) {
    close_ = true;
    throw ConnectionLost(std::string(what) + " (" + std::string(peer()) + ")");
}

}  // namespace coracle::wire::internal
