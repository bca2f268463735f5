// SPDX-License-Identifier: Apache-2.0
#include <coracle/wire/h1_server_connection.h>

#include <coracle/core/sleep.h>
#include <coracle/http/h1/parse_error.h>
#include <coracle/wire/internal/h1_exchange.h>

#include <coroutine>
#include <utility>

namespace coracle::wire {
namespace {

using http::h1::ParseStatus;
using internal::H1Exchange;

// Lent by the loop for as long as the connection has something to do.
class Lease {
  public:
    explicit Lease(ServerLoop& shared) : shared_(shared), exchange_(shared.borrow()) {}
    ~Lease() {
        exchange_.detach();
        shared_.give_back(exchange_);
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    H1Exchange& operator*() const noexcept { return exchange_; }

  private:
    ServerLoop& shared_;
    H1Exchange& exchange_;
};

// The exchange that drain() has to reach while a burst is served.
class BusyMark {
  public:
    BusyMark(H1Exchange*& slot, H1Exchange& exchange) noexcept : slot_(slot) { slot_ = &exchange; }
    ~BusyMark() { slot_ = nullptr; }
    BusyMark(const BusyMark&) = delete;
    BusyMark& operator=(const BusyMark&) = delete;

  private:
    H1Exchange*& slot_;
};

// Awaits a handler. If it really suspends, responses queued before it are sent first: a slow
// request must not hold back the answers to those pipelined ahead of it.
class HandlerCall {
  public:
    HandlerCall(Task<void> task, H1Exchange& exchange) noexcept
        : task_(std::move(task)), exchange_(exchange) {}

    class Awaiter {
      public:
        explicit Awaiter(HandlerCall&& call) noexcept
            : task_(std::move(call.task_)),
              inner_(task_.internal_frame()),
              exchange_(call.exchange_) {}
        Awaiter(const Awaiter&) = delete;
        Awaiter& operator=(const Awaiter&) = delete;

        bool await_ready() const noexcept { return false; }
        template <class P>
        bool await_suspend(std::coroutine_handle<P> parent) {
            if (!inner_.await_suspend(parent)) return false;
            exchange_.handler_suspended();
            return true;
        }
        void await_resume() { inner_.await_resume(); }

      private:
        Task<void> task_;
        Task<void>::Awaiter inner_;
        H1Exchange& exchange_;
    };
    Awaiter operator co_await() && noexcept { return Awaiter(std::move(*this)); }

  private:
    Task<void> task_;
    H1Exchange& exchange_;
};

}  // namespace

H1ServerConnection::H1ServerConnection(std::unique_ptr<net::Stream> stream, ServerLoop& shared)
    : stream_(std::move(stream)), shared_(shared), deadline_(shared.loop(), stream_->readiness()) {}

void H1ServerConnection::drain() noexcept {
    draining_ = true;
    if (busy_) busy_->set_draining(true);
    if (idle_ || is_expendable_) stream_->readiness().interrupt();
}

Task<void> H1ServerConnection::serve(RequestHandler& handler) {
    // Between bursts the connection is this frame and nothing else.
    bool open = true;
    while (open) {
        idle_ = true;
        deadline_.set(shared_.options().idle_timeout);
        bool ready = co_await stream_->readiness().wait_readable();
        if (!ready && deadline_.has_expired()) break;
        deadline_.clear();
        idle_ = false;
        // A draining connection looks once more: a request that had arrived is answered, not cut.
        open = co_await serve_burst(handler) && !draining_;
    }
    idle_ = false;
    stream_->close();
}

// Serves what has arrived. True if the connection may wait for more.
Task<bool> H1ServerConnection::serve_burst(RequestHandler& handler) {
    Lease lease(shared_);
    H1Exchange& exchange = *lease;
    exchange.attach(*stream_, deadline_);
    exchange.set_draining(draining_);
    BusyMark mark(busy_, exchange);
    try {
        for (;;) {
            if (!stream_->readiness().is_readable()) {
                if (!exchange.has_input()) co_return true;
                if (!co_await wait_for_rest(exchange, handler)) break;
            }
            auto received = exchange.read_ahead();
            if (received.would_block() && (exchange.has_input() || !draining_)) continue;
            if (!received.done()) break;
            bool open = true;
            std::size_t turn_left = shared_.options().pipelined_max;
            while (open && exchange.has_input()) {
                auto parsed = exchange.parse();
                if (parsed.status == ParseStatus::NeedMore) break;
                deadline_.clear();
                if (parsed.status == ParseStatus::Bad || exchange.expectation_is_unknown()) {
                    refuse(parsed, exchange, handler);
                    open = false;
                    break;
                }
                co_await HandlerCall(handler.handle(exchange), exchange);
                exchange.handler_ended();
                if (exchange.is_output_high()) co_await exchange.flush();
                bool skipped = exchange.skip_body();
                open = !exchange.must_close() && (skipped || co_await discard_body(exchange));
                if (--turn_left == 0) {
                    turn_left = shared_.options().pipelined_max;
                    co_await sleep(0s);
                }
            }
            if (!open || !exchange.flush_nowait()) break;
            if (!exchange.is_flushed()) co_await exchange.flush();
            if (draining_ && !exchange.has_input()) break;
        }
        co_await end_with(exchange);
    } catch (const ConnectionLost&) {
        // The peer is gone; there is nobody left to tell.
    }
    co_return false;
}

// Reads on to the next request. Not while draining: nobody needs these bytes.
Task<bool> H1ServerConnection::discard_body(H1Exchange& exchange) {
    if (draining_) co_return false;
    is_expendable_ = true;
    bool skipped = co_await exchange.discard_body();
    is_expendable_ = false;
    co_return skipped;
}

// Part of a head is there. Its deadline runs from its first byte, whatever trickles in.
Task<bool> H1ServerConnection::wait_for_rest(H1Exchange& exchange, RequestHandler& handler) {
    if (draining_) co_return false;  // not accepted yet, so not waited for
    if (!deadline_.is_set()) deadline_.set(shared_.options().header_timeout);
    is_expendable_ = true;
    bool ready = co_await stream_->readiness().wait_readable();
    is_expendable_ = false;
    if (ready) co_return true;
    if (!deadline_.has_expired()) co_return !draining_;
    exchange.refuse(408, handler.refuse(408, "the request head took too long", exchange.peer()));
    co_return false;
}

// Queues the answer to a head that does not go to the handler.
void H1ServerConnection::refuse(const http::h1::ParseResult& parsed, H1Exchange& exchange,
                                RequestHandler& handler) {
    int status = 417;
    std::string sentence = "the expectation is unknown";
    if (parsed.status == ParseStatus::Bad) {
        status = http::h1::status_of(parsed.error);
        sentence = http::h1::describe(parsed.error, shared_.options().limits);
    }
    exchange.refuse(status, handler.refuse(status, sentence, exchange.peer()));
}

// Sends what is left to send, and closes so that the peer can read it.
Task<void> H1ServerConnection::end_with(H1Exchange& exchange) {
    co_await exchange.flush();
    if (exchange.has_unread_input()) co_await exchange.linger();
}

}  // namespace coracle::wire
