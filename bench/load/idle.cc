// SPDX-License-Identifier: Apache-2.0
// Idle connections: opens N, has one answer on each, holds them until standard input ends.
//
//   idle --port N [--connections 10000] [--path /plaintext]
//
// Prints "ready N" once all are open and answered; ends with code 1 when one of them fails.
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <vector>

#include "connection.h"
#include "options.h"
#include "request.h"

namespace bench {
namespace {

void hold(const Options& options) {
    auto port = static_cast<std::uint16_t>(options.integer("port", 8080));
    Requests requests(options.text("path", "/plaintext"), false, 1, 0);
    std::vector<Connection> connections;
    for (int index = 0; index < options.integer("connections", 10000); ++index) {
        connections.emplace_back(port);
        requests.stamp();
        connections.back().exchange(requests.bytes());
    }
    std::printf("ready %zu\n", connections.size());
    std::fflush(stdout);
    for (char ignored[64]; ::read(STDIN_FILENO, ignored, sizeof ignored) > 0;) {
    }
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
    try {
        bench::hold(bench::Options(argc, argv));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "idle: %s\n", error.what());
        return 1;
    }
}
