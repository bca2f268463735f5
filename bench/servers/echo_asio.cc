// SPDX-License-Identifier: Apache-2.0
// The echo in Boost.Asio, as its own example echo_server has it: one coroutine per connection, one
// thread.
//
//   echo_asio --port N
#include <boost/asio.hpp>

#include <array>

#include "../load/options.h"

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

asio::awaitable<void> echo(tcp::socket socket) {
    constexpr auto outcome = asio::as_tuple(asio::use_awaitable);
    std::array<char, 65536> buffer;
    for (;;) {
        auto [read_error, size] = co_await socket.async_read_some(asio::buffer(buffer), outcome);
        if (read_error) co_return;
        auto [write_error, sent] =
            co_await asio::async_write(socket, asio::buffer(buffer, size), outcome);
        if (write_error) co_return;
    }
}

asio::awaitable<void> accept_all(tcp::acceptor& acceptor) {
    for (;;) {
        tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
        socket.set_option(tcp::no_delay(true));
        asio::co_spawn(acceptor.get_executor(), echo(std::move(socket)), asio::detached);
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
