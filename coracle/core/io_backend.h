// SPDX-License-Identifier: Apache-2.0
// IoBackend: how a loop waits for descriptors. One interface, several kernels' ways behind it.
#pragma once

#include <coracle/base/clock.h>
#include <coracle/core/readiness.h>

#include <memory>
#include <string_view>

namespace coracle {

// A file descriptor that a loop watches. Registered once, for both directions; the backend sets the
// latches on every change (edge-triggered), and whoever reads or writes clears them when the call
// would block. Does not own the fd.
class Descriptor : public Readiness {
  public:
    explicit Descriptor(int fd) noexcept : fd_(fd) {}
    ~Descriptor();

    int fd() const noexcept { return fd_; }
    bool is_attached() const noexcept { return backend_ != nullptr; }

    // Registers with the running loop. Throws SystemError when the kernel refuses. Both ways
    // idempotent.
    void attach();
    void detach() noexcept;

  private:
    class IoBackend* backend_ = nullptr;
    int fd_;
};

// Waits for the descriptors of one loop and for wake-ups from other threads. wake() may be called
// from any thread, all else only from the loop's.
class IoBackend {
  public:
    virtual ~IoBackend() = default;

    // "epoll", "io_uring", "libuv", "virtual".
    virtual std::string_view name() const noexcept = 0;

    // Watches the descriptor for both directions until detach(). Throws SystemError.
    virtual void attach(Descriptor& descriptor) = 0;
    virtual void detach(Descriptor& descriptor) noexcept = 0;

    // Collects changes: sets latches of descriptors that changed, then returns; never resumes a
    // task. Waits for the first change until `deadline`: not at all when it is TimePoint::min(),
    // for ever when it is no_deadline.
    virtual void wait(TimePoint deadline) = 0;

    // Makes the wait in progress, or the next one, return at once. Async-signal-safe and
    // thread-safe.
    virtual void wake() noexcept = 0;

    // A descriptor that becomes readable when wait() would have something to report; for a host
    // loop that drives ours. -1 when there is none.
    virtual int fd() const noexcept = 0;
};

// The backend over epoll, the default. Throws SystemError.
std::unique_ptr<IoBackend> make_epoll_backend();

}  // namespace coracle
