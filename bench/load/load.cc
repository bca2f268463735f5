// SPDX-License-Identifier: Apache-2.0
// Closed-loop load: each connection sends `depth` requests, waits for all answers, sends again.
//
//   load --port N [--path /plaintext] [--shape small|browser] [--connections 64] [--depth 1]
//        [--seconds 2] [--warmup 0.2] [--pids 12,13]
//
// Prints one JSON object: requests answered within the window, its seconds, latency percentiles (of
// a whole batch when depth > 1), and the CPU nanoseconds that --pids spent in that same window.
// One thread. Any answer that is not a 200 of the size of the first one ends the run with code 1.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include "connection.h"
#include "latencies.h"
#include "measure.h"
#include "options.h"
#include "request.h"

namespace bench {
namespace {

struct Peer {
    Connection connection;
    Requests requests;
    Clock::time_point sent;
    std::size_t unread = 0;  // bytes still to come of the batch in flight
};

class Load {
  public:
    explicit Load(const Options& options)
        : depth_(static_cast<std::size_t>(options.integer("depth", 1))),
          epoll_(::epoll_create1(0)) {
        auto port = static_cast<std::uint16_t>(options.integer("port", 8080));
        auto path = options.text("path", "/plaintext");
        auto browser = options.text("shape", "small") == "browser";
        // The first answer teaches the size of all.
        Requests probe(path, browser, 1, 0);
        answer_bytes_ = Connection(port).exchange(probe.bytes());

        int connections = options.integer("connections", 64);
        peers_.reserve(static_cast<std::size_t>(connections));
        for (int index = 0; index < connections; ++index) {
            auto first = static_cast<std::uint32_t>(index) << 20;
            peers_.push_back(
                {Connection(port), {path, browser, static_cast<int>(depth_), first}, {}});
            epoll_event interest = {};
            interest.events = EPOLLIN;
            interest.data.ptr = &peers_.back();
            ::epoll_ctl(epoll_, EPOLL_CTL_ADD, peers_.back().connection.fd(), &interest);
        }
    }
    ~Load() { ::close(epoll_); }
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;

    // Runs until `end`, counting from zero.
    void run_until(Clock::time_point end) {
        answered_ = 0;
        latencies_.clear();
        std::array<epoll_event, 512> events;
        if (!started_) {
            started_ = true;
            for (auto& peer : peers_) send_batch(peer, Clock::now());
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
    void send_batch(Peer& peer, Clock::time_point now) {
        peer.requests.stamp();
        auto bytes = peer.requests.bytes();
        // A batch is at most 10 KB and the last one is answered, so the socket buffer has room.
        if (::send(peer.connection.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL) !=
            static_cast<ssize_t>(bytes.size()))
            throw std::system_error(errno, std::generic_category(), "send");
        peer.sent = now;
        peer.unread = depth_ * answer_bytes_;
    }

    void receive(Peer& peer) {
        auto got = ::recv(peer.connection.fd(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN) return;
        if (got < 0) throw std::system_error(errno, std::generic_category(), "receive");
        if (got == 0) throw std::runtime_error("the server closed a connection");
        auto size = static_cast<std::size_t>(got);
        if (size > peer.unread) throw std::runtime_error("more bytes than answers asked for");
        check_beginnings(peer.unread, size);
        peer.unread -= size;
        if (peer.unread > 0) return;
        auto now = Clock::now();
        answered_ += depth_;
        latencies_.add(now - peer.sent);
        send_batch(peer, now);
    }

    // Wherever an answer begins among the bytes just read there must stand a success.
    void check_beginnings(std::size_t unread, std::size_t size) const {
        constexpr std::string_view success = "HTTP/1.1 200";
        for (auto at = unread % answer_bytes_; at + success.size() <= size; at += answer_bytes_)
            if (std::memcmp(buffer_.data() + at, success.data(), success.size()) != 0)
                throw std::runtime_error("an answer is no 200, or not of the size of the first");
    }

    std::size_t depth_;
    int epoll_;
    std::size_t answer_bytes_ = 0;
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
        bench::Load load(options);
        bench::measure(load, options);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "load: %s\n", error.what());
        return 1;
    }
}
