// SPDX-License-Identifier: Apache-2.0
// Shows: one program on each loop backend that this build has. An echo server and its clients, all
// in one process and on one loop, which is chosen where run() is called.
//
//   build/release/examples/loop_choice      what came back, and how fast on each
//
// A program that does not choose leaves it to the environment: CORACLE_LOOP=io_uring. Beside it:
// loop_choice.py, on asyncio's own loop and on uvloop.
#include <coracle/coracle.h>
#include <coracle/net/tcp.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

using namespace coracle;

constexpr int connections = 16;
constexpr int round_trips = 500;
constexpr std::size_t message_bytes = 64;

Task<void> echo(std::unique_ptr<net::Stream> stream) {
    for (;;) {
        Bytes bytes = co_await stream->read();
        if (bytes.empty()) break;
        co_await stream->write_all(std::move(bytes));
    }
}

Task<void> serve(net::TcpListener& listener) {
    co_await task_group([&](TaskGroup& group) -> Task<void> {
        while (auto stream = co_await listener.accept()) group.create_task(echo, std::move(stream));
    });
}

// How many bytes came back as they were sent.
Task<std::size_t> talk(std::uint16_t port) {
    auto stream = co_await net::open_connection("127.0.0.1", port);
    std::size_t same = 0;
    for (int turn = 0; turn < round_trips; ++turn) {
        Bytes message(message_bytes, static_cast<char>('a' + turn % 26));
        co_await stream->write_all(message);
        Bytes answer = co_await stream->read_exactly(message.size());
        if (answer == message) same += answer.size();
    }
    co_return same;
}

Task<std::size_t> talk_on_this_loop() {
    net::TcpListener listener("127.0.0.1", 0);
    std::size_t same = 0;
    auto began = std::chrono::steady_clock::now();
    co_await task_group([&](TaskGroup& group) -> Task<void> {
        group.create_task(serve, std::ref(listener));
        std::vector<Task<std::size_t>> talks;
        for (int i = 0; i < connections; ++i) talks.push_back(talk(listener.port()));
        auto counts = co_await gather(std::move(talks));
        for (std::size_t count : counts) same += count;
        listener.close();
    });
    std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    std::fprintf(stderr, "%-9s %7.0f round trips per second\n",
                 std::string(get_running_loop().backend_name()).c_str(),
                 connections * round_trips / took.count());
    co_return same;
}

int main() {
    std::printf("%d connections, %d messages on each, of %zu bytes\n", connections, round_trips,
                message_bytes);
    bool all_came_back = true;
    for (std::string_view name : io_backend_names()) {
        std::size_t same = run(talk_on_this_loop(), {.backend = name});
        all_came_back &= same == connections * round_trips * message_bytes;
    }
    std::printf("every byte came back on each loop: %s\n", all_came_back ? "yes" : "no");
}
