// SPDX-License-Identifier: Apache-2.0
#include <coracle/web/stream_response.h>

#include <coracle/web/internal/response_extra.h>
#include <coracle/web/request.h>
#include <coracle/wire/exchange.h>

namespace coracle::web {

StreamResponse::StreamResponse(ResponseOptions options)
    : head_(std::string(), "application/octet-stream", options) {}

void StreamResponse::check_not_prepared() const {
    if (exchange_) throw Error("a StreamResponse cannot be changed once its head has been sent");
}

void StreamResponse::set_status(int status, std::string_view reason) {
    check_not_prepared();
    head_.set_status(status, reason);
}

void StreamResponse::set_content_type(std::string_view value) {
    check_not_prepared();
    head_.set_content_type(value);
}

http::Headers& StreamResponse::headers() {
    check_not_prepared();
    return head_.headers();
}

void StreamResponse::set_cookie(const http::SetCookie& cookie) {
    check_not_prepared();
    head_.set_cookie(cookie);
}

void StreamResponse::set_content_length(std::uint64_t length) {
    check_not_prepared();
    length_ = length;
}

Task<void> StreamResponse::prepare(Request& request) {
    check_not_prepared();
    exchange_ = &request.internal_exchange();
    return begin();
}

Task<void> StreamResponse::begin() {
    wire::ResponseHead head;
    head.status = head_.status();
    head.content_type = head_.content_type();
    if (const Response::Extra* extra = head_.internal_extra()) {
        head.reason = extra->reason;
        head.headers = &extra->headers;
    }
    co_await exchange_->begin(head, length_);
}

Task<void> StreamResponse::write(std::string bytes) {
    if (!exchange_) throw Error("write() on a StreamResponse before prepare()");
    return write_piece(*exchange_, std::move(bytes));
}

Task<void> StreamResponse::write_piece(wire::Exchange& exchange, std::string bytes) {
    if (!bytes.empty()) co_await exchange.write(bytes);
}

Task<Response> StreamResponse::write_eof() {
    if (!exchange_) throw Error("write_eof() on a StreamResponse before prepare()");
    return finish(*exchange_, head_.status());
}

Task<Response> StreamResponse::finish(wire::Exchange& exchange, int status) {
    co_await exchange.finish();
    co_return Response::internal_sent(status);
}

}  // namespace coracle::web
