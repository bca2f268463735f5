// SPDX-License-Identifier: Apache-2.0
// An eventfd that wakes a backend: set from any thread or signal handler, cleared by the loop.
#pragma once

#include <coracle/base/error.h>

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace coracle::internal {

class WakeEvent {
  public:
    WakeEvent() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
        if (fd_ < 0) throw SystemError("eventfd", errno);
    }
    WakeEvent(const WakeEvent&) = delete;
    WakeEvent& operator=(const WakeEvent&) = delete;
    ~WakeEvent() { close(fd_); }

    int fd() const noexcept { return fd_; }

    // Async-signal-safe. Keeps errno.
    void set() noexcept {
        const std::uint64_t one = 1;
        int saved = errno;
        // Fails only when the counter is full, and then the wake is already there.
        [[maybe_unused]] ssize_t written = write(fd_, &one, sizeof one);
        errno = saved;
    }
    void clear() noexcept {
        std::uint64_t count;
        [[maybe_unused]] ssize_t got = read(fd_, &count, sizeof count);
    }

  private:
    int fd_;
};

}  // namespace coracle::internal
