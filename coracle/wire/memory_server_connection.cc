// SPDX-License-Identifier: Apache-2.0
#include <coracle/wire/memory_server_connection.h>

#include <coracle/base/assert.h>
#include <coracle/core/cancel.h>
#include <coracle/core/checkpoint.h>
#include <coracle/http/request_head.h>
#include <coracle/http/status.h>

#include <algorithm>
#include <atomic>
#include <optional>

namespace coracle::wire {
namespace {

std::atomic<std::uint64_t> last_id{0};

// One request on its way through the server.
struct Call {
    MemoryRequest request;
    MemoryResponse response;
    Event answered;
};

}  // namespace

struct MemoryServerConnection::Pipe {
    std::deque<std::shared_ptr<Call>> calls;
    Event changed;
    bool client_closed = false;
    bool server_closed = false;
    bool draining = false;
};

// Keeps the head's bytes and hands the body out in pieces.
class MemoryServerConnection::MemoryExchange final : public Exchange {
  public:
    MemoryExchange(Pipe& pipe, Call& call, std::unique_ptr<Attachment>& attachment)
        : pipe_(pipe), call_(call), attachment_(attachment), id_(++last_id) {}

    bool build() {
        const MemoryRequest& request = call_.request;
        http::RequestParts parts;
        parts.method = request.method;
        parts.target = request.target;
        parts.version = request.version;
        parts.headers = &request.headers;
        if (!request.headers.contains("Host")) parts.authority = "memory";
        return http::build_request_head(parts, storage_, head_);
    }

    const http::RequestHead& request() const noexcept override { return head_; }
    std::string_view peer() const noexcept override { return "memory:1"; }
    std::string_view local() const noexcept override { return "memory:0"; }
    std::uint64_t id() const noexcept override { return id_; }
    bool has_body() const noexcept override { return !call_.request.body.empty(); }
    std::optional<std::uint64_t> content_length() const noexcept override {
        if (!call_.request.announce_length) return std::nullopt;
        return call_.request.body.size();
    }

    Task<std::string_view> read_body() override {
        co_await checkpoint();
        check_connected();
        std::string_view rest = std::string_view(call_.request.body).substr(body_read_);
        constexpr std::size_t most = 64 * 1024;
        std::size_t limit = call_.request.body_piece_max;
        rest = rest.substr(0, limit == 0 ? most : std::min(limit, most));
        body_read_ += rest.size();
        co_return rest;
    }

    void respond(const ResponseHead& head, std::string_view body) override {
        CORACLE_ASSERT(!responded_);
        put_head(head);
        if (has_body_bytes()) {
            call_.response.body = body;
            body_bytes_sent_ = body.size();
        }
        call_.response.complete = true;
    }

    Task<void> begin(const ResponseHead& head, std::optional<std::uint64_t> length) override {
        CORACLE_ASSERT(!responded_);
        put_head(head);
        left_ = length;
        co_return;
    }

    Task<void> write(std::string_view bytes) override {
        CORACLE_ASSERT(responded_ && !call_.response.complete);
        co_await checkpoint();
        check_connected();
        if (!has_body_bytes()) co_return;
        if (left_) {
            if (bytes.size() > *left_) {
                throw InvalidResponse("more bytes were written than begin() announced");
            }
            *left_ -= bytes.size();
        }
        call_.response.body += bytes;
        body_bytes_sent_ += bytes.size();
    }

    Task<void> finish() override {
        CORACLE_ASSERT(responded_ && !call_.response.complete);
        if (left_ && *left_ > 0 && has_body_bytes()) {
            throw InvalidResponse("fewer bytes were written than begin() announced");
        }
        call_.response.complete = true;
        co_return;
    }

    bool responded() const noexcept override { return responded_; }
    std::unique_ptr<Attachment>& attachment() noexcept override { return attachment_; }

    // The handler has ended: a missing response becomes a 500.
    void handler_ended() {
        if (responded_) return;
        respond({.status = 500, .content_type = "text/plain; charset=utf-8", .close = true},
                "500: Internal Server Error");
    }
    bool is_complete() const noexcept { return call_.response.complete; }

  private:
    void check_connected() const {
        if (pipe_.client_closed) throw ConnectionLost("the peer has left (memory)");
    }
    bool has_body_bytes() const noexcept {
        return head_.method() != http::Method::HEAD &&
               !http::status_forbids_body(call_.response.status);
    }

    // Framing, Date and Server belong to connections, and this one has none.
    void put_head(const ResponseHead& head) {
        responded_ = true;
        status_ = head.status;
        MemoryResponse& response = call_.response;
        response.status = head.status;
        response.reason = head.reason.empty() ? http::reason_phrase(head.status) : head.reason;
        response.content_type = head.content_type;
        response.close = head.close;
        if (!head.headers) return;
        response.headers = *head.headers;
        for (std::string_view framing :
             {"Content-Length", "Transfer-Encoding", "Connection", "Date", "Server"}) {
            response.headers.remove(framing);
        }
        if (!response.content_type.empty()) response.headers.remove("Content-Type");
    }

    Pipe& pipe_;
    Call& call_;
    std::unique_ptr<Attachment>& attachment_;
    std::string storage_;
    http::RequestHead head_;
    std::size_t body_read_ = 0;
    std::optional<std::uint64_t> left_;
    std::uint64_t id_;
    bool responded_ = false;
};

MemoryServerConnection::MemoryServerConnection() : pipe_(std::make_shared<Pipe>()) {}

MemoryServerConnection::~MemoryServerConnection() {
    pipe_->server_closed = true;
    while (!pipe_->calls.empty()) {
        pipe_->calls.front()->answered.set();
        pipe_->calls.pop_front();
    }
}

MemoryServerConnection::Client MemoryServerConnection::client() const noexcept {
    return Client(pipe_);
}

bool MemoryServerConnection::is_idle() const noexcept { return idle_; }

void MemoryServerConnection::drain() noexcept {
    pipe_->draining = true;
    pipe_->changed.set();
}

namespace {

// Ends the connection however serve() is left.
class Closing {
  public:
    explicit Closing(bool& closed, std::deque<std::shared_ptr<Call>>& calls) noexcept
        : closed_(closed), calls_(calls) {}
    ~Closing() {
        closed_ = true;
        for (auto& call : calls_) call->answered.set();
        calls_.clear();
    }
    Closing(const Closing&) = delete;
    Closing& operator=(const Closing&) = delete;

  private:
    bool& closed_;
    std::deque<std::shared_ptr<Call>>& calls_;
};

// Tells the client, also when the handler was cancelled.
class Answering {
  public:
    Answering(Call& call, bool& idle) noexcept : call_(call), idle_(idle) { idle_ = false; }
    ~Answering() {
        idle_ = true;
        call_.answered.set();
    }
    Answering(const Answering&) = delete;
    Answering& operator=(const Answering&) = delete;

  private:
    Call& call_;
    bool& idle_;
};

}  // namespace

Task<void> MemoryServerConnection::serve(RequestHandler& handler) {
    Pipe& pipe = *pipe_;
    Closing closing(pipe.server_closed, pipe.calls);
    std::unique_ptr<Exchange::Attachment> attachment;
    for (;;) {
        while (pipe.calls.empty() && !pipe.draining && !pipe.client_closed) {
            pipe.changed.clear();
            co_await pipe.changed.wait();
        }
        if (pipe.calls.empty()) break;
        std::shared_ptr<Call> call = pipe.calls.front();
        pipe.calls.pop_front();
        Answering answering(*call, idle_);
        MemoryExchange exchange(pipe, *call, attachment);
        if (!exchange.build()) {
            std::string text = handler.refuse(400, "the request is malformed", exchange.peer());
            exchange.respond(
                {.status = 400, .content_type = "text/plain; charset=utf-8", .close = true}, text);
            break;
        }
        co_await answer(exchange, handler);
        exchange.handler_ended();
        if (!exchange.is_complete() || call->response.close) break;
    }
}

Task<void> MemoryServerConnection::answer(MemoryExchange& exchange, RequestHandler& handler) {
    try {
        co_await handler.handle(exchange);
    } catch (const ConnectionLost&) {
        // The peer is gone, or must not think that the response is whole.
    }
}

Task<MemoryResponse> MemoryServerConnection::Client::request(MemoryRequest request) {
    auto call = std::make_shared<Call>();
    call->request = std::move(request);
    if (!pipe_->server_closed && !pipe_->client_closed) {
        pipe_->calls.push_back(call);
        pipe_->changed.set();
        co_await call->answered.wait();
    }
    co_return std::move(call->response);
}

void MemoryServerConnection::Client::close() noexcept {
    pipe_->client_closed = true;
    pipe_->changed.set();
}

bool MemoryServerConnection::Client::is_closed() const noexcept { return pipe_->server_closed; }

}  // namespace coracle::wire
