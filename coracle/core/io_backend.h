// SPDX-License-Identifier: Apache-2.0
// IoBackend: how a loop waits for descriptors. One interface, several kernels' ways behind it.
#pragma once

#include <coracle/base/clock.h>
#include <coracle/core/readiness.h>

#include <memory>
#include <span>
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

    // For the backend it is attached to: what that keeps for it.
    void* internal_registration() const noexcept { return registration_; }
    void internal_set_registration(void* registration) noexcept { registration_ = registration; }

  private:
    class IoBackend* backend_ = nullptr;
    void* registration_ = nullptr;
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
    // The descriptor is touched no more, and nothing of the backend's keeps its file open. Before
    // the fd is closed.
    virtual void detach(Descriptor& descriptor) noexcept = 0;

    // Collects changes: sets latches of descriptors that changed, then returns; never resumes a
    // task. Waits for the first change until `deadline`: not at all when it is TimePoint::min(),
    // for ever when it is no_deadline. May return early. `lately` is the time of some moment within
    // the last lately_max_age: enough to see that a deadline is far without asking the clock.
    virtual void wait(TimePoint deadline, TimePoint lately) = 0;
    static constexpr Duration lately_max_age = 20ms;
    // A loop that has ready tasks does not wait, but looks once in so many steps.
    static constexpr int steps_between_looks = 128;

    // Makes the wait in progress, or the next one, return at once. Async-signal-safe and
    // thread-safe.
    virtual void wake() noexcept = 0;

    // A descriptor that becomes readable when wait() would have something to report; for a host
    // loop that drives ours. -1 when there is none.
    virtual int fd() const noexcept = 0;

    // Tells the kernel what it has not been told yet, so that fd() speaks for every descriptor: the
    // last thing before a host waits on it. wait() does so itself. May set latches.
    virtual void flush() {}
};

// The backend over epoll, the default. Throws SystemError.
std::unique_ptr<IoBackend> make_epoll_backend();

// The backend over io_uring: one multishot poll per descriptor, so that a turn of a busy loop costs
// one system call at most. Needs Linux 5.13 and is at its best from 6.1 on. Throws SystemError when
// the kernel refuses it, as it does in most containers, and Error when this build has none.
std::unique_ptr<IoBackend> make_io_uring_backend();

// The backend over libuv, with a uv_loop_t of its own. Timers are exact to a millisecond. Throws
// SystemError, and Error when this build has none.
std::unique_ptr<IoBackend> make_libuv_backend();

// The backend of that name: "epoll", "io_uring" or "libuv". An empty name is what the environment
// variable CORACLE_LOOP says, or else epoll. Where the kernel refuses io_uring it is epoll, which
// is said once in the log. Throws Error for another name and for a backend that this build does not
// have, SystemError when the kernel refuses.
std::unique_ptr<IoBackend> make_io_backend(std::string_view name = {});

// The names that this build has. The kernel may refuse io_uring nevertheless.
std::span<const std::string_view> io_backend_names() noexcept;

}  // namespace coracle
