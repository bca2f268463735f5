// SPDX-License-Identifier: Apache-2.0
// The least it can cost to wake another thread: two of them, a blocking eventfd each.
//
//   micro_eventfd [--work wake] [--share 0.01]
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "repetition.h"

namespace {

class Doorbell {
  public:
    Doorbell() : fd_(eventfd(0, EFD_CLOEXEC)) { require(fd_ >= 0, "eventfd"); }
    Doorbell(const Doorbell&) = delete;
    Doorbell& operator=(const Doorbell&) = delete;
    ~Doorbell() { close(fd_); }

    void ring() {
        const std::uint64_t one = 1;
        require(write(fd_, &one, sizeof one) == sizeof one, "write to an eventfd");
    }
    // Returns how often it rang.
    long wait() {
        std::uint64_t rung = 0;
        require(read(fd_, &rung, sizeof rung) == sizeof rung, "read from an eventfd");
        return static_cast<long>(rung);
    }

  private:
    static void require(bool holds, const char* call) {
        if (holds) return;
        std::perror(call);
        std::exit(1);
    }

    int fd_;
};

double wake(long count) {
    bench::Cores cores;
    Doorbell there, back;
    std::thread thread([&] {
        cores.take_last();
        for (long i = 0; i < count; ++i) {
            there.wait();
            back.ring();
        }
    });
    cores.take_first();
    long rung = 0;
    bench::Stopwatch watch(count);
    for (long i = 0; i < count; ++i) {
        there.ring();
        rung += back.wait();
    }
    double each = watch.ns_each();
    thread.join();
    bench::require("wake", rung, count);
    return each;
}

}  // namespace

int main(int argc, char** argv) { return bench::repeat(argc, argv, {{"wake", 5'000, wake}}); }
