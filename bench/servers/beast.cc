// SPDX-License-Identifier: Apache-2.0
// Boost.Beast as its documentation shows it: one coroutine per connection, one thread.
//
//   beast --port N
#include <boost/asio.hpp>
#include <boost/beast.hpp>
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

#include "../load/options.h"

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

Response answer(const Request& request) {
    Response response(http::status::ok, request.version());
    response.set(http::field::server, "beast");
    response.set(http::field::date, "Thu, 01 Jan 2026 00:00:00 GMT");
    response.set(http::field::content_type, "text/plain; charset=utf-8");
    response.keep_alive(request.keep_alive());
    std::string_view target(request.target().data(), request.target().size());
    constexpr std::string_view hello = "/hello/";
    if (target == "/plaintext") {
        response.body() = "Hello, World!";
    } else if (target == "/json") {
        response.set(http::field::content_type, "application/json");
        response.body() = R"({"message":"Hello, World!"})";
    } else if (target.starts_with(hello)) {
        response.body() = "Hello, " + std::string(target.substr(hello.size()));
    } else {
        response.result(http::status::not_found);
    }
    response.prepare_payload();
    return response;
}

asio::awaitable<void> serve(tcp::socket socket) {
    beast::tcp_stream stream(std::move(socket));
    beast::flat_buffer buffer;
    for (;;) {
        stream.expires_after(std::chrono::seconds(75));
        Request request;
        auto [read_error, received] =
            co_await http::async_read(stream, buffer, request, asio::as_tuple(asio::use_awaitable));
        if (read_error) co_return;
        Response response = answer(request);
        auto [write_error, sent] =
            co_await http::async_write(stream, response, asio::as_tuple(asio::use_awaitable));
        if (write_error || !response.keep_alive()) co_return;
    }
}

asio::awaitable<void> accept_all(tcp::acceptor& acceptor) {
    for (;;) {
        tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
        socket.set_option(tcp::no_delay(true));
        asio::co_spawn(acceptor.get_executor(), serve(std::move(socket)), asio::detached);
    }
}

}  // namespace

int main(int argc, char** argv) {
    bench::Options options(argc, argv);
    auto port = static_cast<unsigned short>(options.integer("port", 8080));
    asio::io_context context(1);
    tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), port});
    acceptor.listen(4096);
    asio::co_spawn(context, accept_all(acceptor), asio::detached);
    context.run();
}
