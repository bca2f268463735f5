// SPDX-License-Identifier: Apache-2.0
// Coracle's echo, as the guide would have it written: a task for each connection.
//
//   CORACLE_LOOP=epoll|io_uring|libuv echo --port N
//
// Ends with code 1 when its loop is not on the backend that was asked for.
#include <coracle/coracle.h>
#include <coracle/net/tcp.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>

#include "../load/options.h"

using namespace coracle;

namespace {

Task<void> echo(std::unique_ptr<net::Stream> stream) {
    try {
        for (;;) {
            Bytes bytes = co_await stream->read();
            if (bytes.empty()) co_return;
            co_await stream->write_all(std::move(bytes));
        }
    } catch (const net::Error&) {
        // A peer that breaks its connection ends nobody else's.
    }
}

Task<void> serve(std::uint16_t port) {
    net::TcpListener listener("127.0.0.1", port, {.backlog = 4096});
    co_await task_group([&](TaskGroup& peers) -> Task<void> {
        while (auto stream = co_await listener.accept()) peers.create_task(echo, std::move(stream));
    });
}

Task<void> serve_on_the_backend_asked_for(std::uint16_t port) {
    const char* asked = std::getenv("CORACLE_LOOP");
    std::string_view got = get_running_loop().backend_name();
    if (asked != nullptr && asked != got)
        throw std::runtime_error("asked for " + std::string(asked) + ", got " + std::string(got));
    co_await serve(port);
}

}  // namespace

int main(int argc, char** argv) {
    bench::Options options(argc, argv);
    try {
        run(serve_on_the_backend_asked_for(
            static_cast<std::uint16_t>(options.integer("port", 8080))));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "echo: %s\n", error.what());
        return 1;
    }
}
