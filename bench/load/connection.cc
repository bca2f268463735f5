// SPDX-License-Identifier: Apache-2.0
// A keep-alive connection to 127.0.0.1, and one request and answer on it.
#include "connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <system_error>

namespace bench {
namespace {

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

// The size of the answer that `head` begins, once its header section is complete; 0 until then.
std::size_t answer_size(std::string_view head) {
    auto end = head.find("\r\n\r\n");
    if (end == head.npos) return 0;
    std::string lower(head.substr(0, end));
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    auto length = lower.find("\r\ncontent-length:");
    if (length == lower.npos) throw std::runtime_error("answer without Content-Length");
    return end + 4 + std::strtoul(lower.c_str() + length + 17, nullptr, 10);
}

}  // namespace

Connection::Connection(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (fd_ < 0) fail("socket");
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int yes = 1;
    if (::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) != 0 ||
        ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        int error = errno;
        ::close(fd_);
        errno = error;
        fail("connect");
    }
}

Connection::~Connection() {
    if (fd_ >= 0) ::close(fd_);
}

std::size_t Connection::exchange(std::string_view request) {
    if (::send(fd_, request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size()))
        fail("send");
    std::string answer;
    char chunk[16384];
    for (std::size_t size = 0; size == 0 || answer.size() < size;) {
        auto got = ::recv(fd_, chunk, sizeof chunk, 0);
        if (got < 0) fail("receive");
        if (got == 0) throw std::runtime_error("the server closed the connection");
        answer.append(chunk, static_cast<std::size_t>(got));
        size = answer_size(answer);
        if (size != 0 && answer.size() > size) throw std::runtime_error("more than one answer");
    }
    if (!answer.starts_with("HTTP/1.1 200"))
        throw std::runtime_error("answer: " + answer.substr(0, answer.find("\r\n")));
    return answer.size();
}

void Connection::abort() noexcept { ::shutdown(fd_, SHUT_RDWR); }

}  // namespace bench
