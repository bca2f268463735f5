// SPDX-License-Identifier: Apache-2.0
// A fixed number of requests on one connection, one batch at a time, to count instructions over.
//
//   ask --port N --requests 2000 [--path /plaintext] [--shape small|browser] [--depth 1]
//
// Prints nothing. Ends with code 1 unless every answer is a 200 of the size of the first.
#include <sys/socket.h>

#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>

#include "connection.h"
#include "options.h"
#include "request.h"

namespace bench {
namespace {

void receive_exactly(int fd, std::string& answers) {
    for (std::size_t at = 0; at < answers.size();) {
        auto got = ::recv(fd, answers.data() + at, answers.size() - at, 0);
        if (got <= 0) throw std::runtime_error("the server closed the connection");
        at += static_cast<std::size_t>(got);
    }
}

void ask(const Options& options) {
    Connection connection(static_cast<std::uint16_t>(options.integer("port", 8080)));
    auto path = options.text("path", "/plaintext");
    bool browser = options.text("shape", "small") == "browser";
    int depth = options.integer("depth", 1);

    auto size = connection.exchange(Requests(path, browser, 1, 0).bytes());
    Requests batch(path, browser, depth, 1);
    std::string answers(size * static_cast<std::size_t>(depth), '\0');
    for (int done = 0; done < options.integer("requests", 2000); done += depth) {
        batch.stamp();
        auto bytes = batch.bytes();
        if (::send(connection.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0)
            throw std::runtime_error("the server closed the connection");
        receive_exactly(connection.fd(), answers);
        for (std::size_t at = 0; at < answers.size(); at += size)
            if (answers.compare(at, 12, "HTTP/1.1 200") != 0)
                throw std::runtime_error("an answer is no 200, or not of the size of the first");
    }
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
    try {
        bench::ask(bench::Options(argc, argv));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "ask: %s\n", error.what());
        return 1;
    }
}
