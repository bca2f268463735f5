// SPDX-License-Identifier: Apache-2.0
// The floor: what the system calls of an HTTP/1.1 server cost when the server does nothing else.
//
//   floor --port N [--spinners N] [--nice N]
//
// One thread, level-triggered epoll, one recv and one send for each readiness, no parsing beyond
// counting blank lines, one fixed answer; the answers to one read go out in one write. --spinners
// adds threads that burn CPU without end at that nice value: what a loop has to live with beside
// CPU-bound jobs, whoever wrote it.
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "../load/options.h"
#include "sockets.h"
#include "spin.h"

namespace bench {
namespace {

constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\n"
    "Server: floor\r\n"
    "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: 13\r\n"
    "\r\n"
    "Hello, World!";
constexpr std::string_view kBlankLine = "\r\n\r\n";
constexpr std::size_t kBatch = 256;  // answers in one write at most

class Floor {
  public:
    explicit Floor(int listener) : listener_(listener) {
        for (std::size_t copy = 0; copy < kBatch; ++copy) answers_ += kAnswer;
        watch(listener);
    }

    [[noreturn]] void serve() {
        std::array<epoll_event, 512> events;
        for (;;) {
            int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
            for (int index = 0; index < ready; ++index) {
                int fd = events[static_cast<std::size_t>(index)].data.fd;
                if (fd == listener_)
                    accept_all();
                else if (!answer(fd))
                    ::close(fd);
            }
        }
    }

  private:
    void watch(int fd) {
        epoll_event interest = {};
        interest.events = EPOLLIN;
        interest.data.fd = fd;
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &interest);
    }

    void accept_all() {
        for (int fd; (fd = accept_from(listener_)) >= 0;) {
            if (matched_.size() <= static_cast<std::size_t>(fd))
                matched_.resize(static_cast<std::size_t>(fd) + 1024);
            matched_[static_cast<std::size_t>(fd)] = 0;
            watch(fd);
        }
    }

    // False when the connection is to be closed.
    bool answer(int fd) {
        auto got = ::recv(fd, input_.data(), input_.size(), 0);
        if (got < 0) return errno == EAGAIN || errno == EINTR;
        if (got == 0) return false;
        auto requests = count_requests(fd, {input_.data(), static_cast<std::size_t>(got)});
        while (requests > 0) {
            auto batch = std::min(requests, kBatch);
            if (!send_all(fd, std::string_view(answers_).substr(0, batch * kAnswer.size())))
                return false;
            requests -= batch;
        }
        return true;
    }

    std::size_t count_requests(int fd, std::string_view bytes) {
        auto& matched = matched_[static_cast<std::size_t>(fd)];
        std::size_t requests = 0;
        if (matched == 0 && bytes.ends_with(kBlankLine)) {  // the usual case: whole requests
            auto* at = bytes.data();
            auto* end = at + bytes.size();
            while (at < end) {
                auto left = static_cast<std::size_t>(end - at);
                auto* found = static_cast<const char*>(::memmem(at, left, kBlankLine.data(), 4));
                if (found == nullptr) break;
                ++requests;
                at = found + 4;
            }
            return requests;
        }
        for (char c : bytes) {
            if (c == kBlankLine[matched])
                ++matched;
            else
                matched = c == '\r';
            if (matched == kBlankLine.size()) {
                ++requests;
                matched = 0;
            }
        }
        return requests;
    }

    int listener_;
    int epoll_ = ::epoll_create1(0);
    std::string answers_;
    std::vector<unsigned char> matched_;  // by descriptor: how many bytes of a blank line were seen
    std::array<char, 65536> input_;
};

[[noreturn]] void spin_at(int nice) {
    ::setpriority(PRIO_PROCESS, 0, nice);  // on Linux this is the calling thread's own
    for (;;) spin_for(std::chrono::milliseconds(50));
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
    bench::Options options(argc, argv);
    int listener = bench::listen_on(static_cast<std::uint16_t>(options.integer("port", 8080)));
    std::vector<std::jthread> spinners;
    for (int count = options.integer("spinners", 0); count > 0; --count)
        spinners.emplace_back([nice = options.integer("nice", 0)] { bench::spin_at(nice); });
    bench::Floor(listener).serve();
}
