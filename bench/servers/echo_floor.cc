// SPDX-License-Identifier: Apache-2.0
// The floor of the echo: what its system calls cost when the server does nothing else.
//
//   echo_floor --port N
//
// One thread, edge-triggered epoll, one recv into one buffer for all and one send for each
// readiness. A read that does not fill the buffer has emptied the socket, so nobody asks a second
// time; only an end of the stream is read up to.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "../load/options.h"
#include "sockets.h"

namespace bench {
namespace {

class EchoFloor {
  public:
    explicit EchoFloor(int listener) : listener_(listener) { watch(listener); }

    [[noreturn]] void serve() {
        std::array<epoll_event, 512> events;
        for (;;) {
            int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
            for (int index = 0; index < ready; ++index) {
                const auto& event = events[static_cast<std::size_t>(index)];
                if (event.data.fd == listener_)
                    accept_all();
                else if (!echo(event.data.fd, event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)))
                    ::close(event.data.fd);
            }
        }
    }

  private:
    void watch(int fd) {
        epoll_event interest = {};
        interest.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
        interest.data.fd = fd;
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &interest);
    }

    void accept_all() {
        for (int fd; (fd = accept_from(listener_)) >= 0;) watch(fd);
    }

    // False when the connection is to be closed.
    bool echo(int fd, bool has_ended) {
        for (;;) {
            auto got = ::recv(fd, buffer_.data(), buffer_.size(), 0);
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return errno == EAGAIN;
            if (got == 0) return false;
            auto size = static_cast<std::size_t>(got);
            if (!send_all(fd, {buffer_.data(), size})) return false;
            if (size < buffer_.size() && !has_ended) return true;
        }
    }

    int listener_;
    int epoll_ = ::epoll_create1(0);
    std::array<char, 65536> buffer_;
};

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
    bench::Options options(argc, argv);
    int listener = bench::listen_on(static_cast<std::uint16_t>(options.integer("port", 8080)));
    bench::EchoFloor(listener).serve();
}
