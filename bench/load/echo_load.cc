// SPDX-License-Identifier: Apache-2.0
// Closed-loop load on an echo: each connection sends a message, waits until all of it has come
// back, checks it byte by byte, sends the next.
//
//   echo_load --port N [--connections 64] [--bytes 64] [--seconds 2] [--warmup 0.2] [--pids 12,13]
//
// Prints one JSON object as `load` does, a message being a request: those that came back within the
// window, its seconds, latency percentiles, and the CPU nanoseconds that --pids spent in that same
// window. One thread. A byte that is not the one sent ends the run with code 1.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "connection.h"
#include "latencies.h"
#include "measure.h"
#include "options.h"

namespace bench {
namespace {

// Messages of one size, cut out of random bytes at another place for each connection and turn: an
// old one, or another connection's, is seen.
class Messages {
  public:
    explicit Messages(std::size_t size) : size_(size), bytes_(size + places, '\0') {
        std::mt19937 random(1);
        for (char& byte : bytes_) byte = static_cast<char>(random());
    }

    std::string_view of(std::size_t connection, std::size_t turn) const {
        return {bytes_.data() + (connection * 61 + turn) % places, size_};
    }

  private:
    static constexpr std::size_t places = 4093;

    std::size_t size_;
    std::string bytes_;
};

struct Peer {
    Connection connection;
    std::size_t turn = 0;
    std::string_view unread;  // what is still to come back of the message in flight
    Clock::time_point sent;
};

class EchoLoad {
  public:
    explicit EchoLoad(const Options& options)
        : messages_(static_cast<std::size_t>(options.integer("bytes", 64))),
          epoll_(::epoll_create1(0)) {
        auto port = static_cast<std::uint16_t>(options.integer("port", 8080));
        int connections = options.integer("connections", 64);
        peers_.reserve(static_cast<std::size_t>(connections));
        for (int index = 0; index < connections; ++index) {
            peers_.push_back({Connection(port), 0, {}, {}});
            epoll_event interest = {};
            interest.events = EPOLLIN;
            interest.data.ptr = &peers_.back();
            ::epoll_ctl(epoll_, EPOLL_CTL_ADD, peers_.back().connection.fd(), &interest);
        }
    }
    ~EchoLoad() { ::close(epoll_); }
    EchoLoad(const EchoLoad&) = delete;
    EchoLoad& operator=(const EchoLoad&) = delete;

    // Runs until `end`, counting from zero.
    void run_until(Clock::time_point end) {
        answered_ = 0;
        latencies_.clear();
        std::array<epoll_event, 512> events;
        if (!started_) {
            started_ = true;
            for (auto& peer : peers_) send_next(peer, Clock::now());
        }
        while (Clock::now() < end) {
            int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 100);
            for (int index = 0; index < ready; ++index)
                receive(*static_cast<Peer*>(events[static_cast<std::size_t>(index)].data.ptr));
        }
    }

    std::size_t answered() const { return answered_; }
    Latencies& latencies() { return latencies_; }

  private:
    void send_next(Peer& peer, Clock::time_point now) {
        auto place = static_cast<std::size_t>(&peer - peers_.data());
        auto message = messages_.of(place, peer.turn++);
        // Blocks at most until an echo that is in order has read it: the last one is back whole.
        if (::send(peer.connection.fd(), message.data(), message.size(), MSG_NOSIGNAL) !=
            static_cast<ssize_t>(message.size()))
            throw std::system_error(errno, std::generic_category(), "send");
        peer.sent = now;
        peer.unread = message;
    }

    void receive(Peer& peer) {
        auto got = ::recv(peer.connection.fd(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN) return;
        if (got < 0) throw std::system_error(errno, std::generic_category(), "receive");
        if (got == 0) throw std::runtime_error("the server closed a connection");
        auto size = static_cast<std::size_t>(got);
        if (size > peer.unread.size()) throw std::runtime_error("more bytes than were sent");
        if (std::memcmp(buffer_.data(), peer.unread.data(), size) != 0)
            throw std::runtime_error("other bytes than were sent");
        peer.unread.remove_prefix(size);
        if (!peer.unread.empty()) return;
        auto now = Clock::now();
        ++answered_;
        latencies_.add(now - peer.sent);
        send_next(peer, now);
    }

    Messages messages_;
    int epoll_;
    std::vector<Peer> peers_;
    bool started_ = false;
    std::size_t answered_ = 0;
    Latencies latencies_;
    std::array<char, 262144> buffer_;
};

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
    try {
        bench::Options options(argc, argv);
        bench::EchoLoad load(options);
        bench::measure(load, options);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "echo_load: %s\n", error.what());
        return 1;
    }
}
