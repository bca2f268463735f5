// SPDX-License-Identifier: Apache-2.0
// The bare socket calls that the floors share.
#include "sockets.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace bench {

int listen_on(std::uint16_t port) {
    int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), yes = 1;
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener, 4096) != 0) {
        std::perror("listen");
        std::exit(1);
    }
    return listener;
}

int accept_from(int listener) {
    int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK), yes = 1;
    if (fd >= 0) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return fd;
}

bool send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        } else if (errno == EAGAIN) {
            pollfd writable = {fd, POLLOUT, 0};
            ::poll(&writable, 1, 1000);
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

}  // namespace bench
