// SPDX-License-Identifier: Apache-2.0
// The libuv backend: a uv_poll_t per descriptor, on a uv_loop_t of its own.
#include <coracle/base/error.h>
#include <coracle/core/io_backend.h>

#if CORACLE_HAS_LIBUV

#include <coracle/base/assert.h>

#include <uv.h>

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string>

namespace coracle {
namespace {

// libuv's codes are negated errno values on this platform.
void require(int result, const char* operation) {
    if (result < 0) throw SystemError(operation, -result);
}

// libuv makes a descriptor non-blocking to watch it. Watching does not need that, and it may be
// somebody's terminal.
class BlockingModeKept {
  public:
    explicit BlockingModeKept(int fd) noexcept : fd_(fd), flags_(fcntl(fd, F_GETFL)) {}
    ~BlockingModeKept() {
        if (flags_ >= 0 && !(flags_ & O_NONBLOCK)) fcntl(fd_, F_SETFL, flags_);
    }
    BlockingModeKept(const BlockingModeKept&) = delete;
    BlockingModeKept& operator=(const BlockingModeKept&) = delete;

  private:
    int fd_;
    int flags_;
};

// One descriptor. libuv reports states, again and again, so a direction is watched from the moment
// its latch is cleared until it is found ready while the latch is set: a connection that is read
// whenever it is readable never changes what it watches. Frees itself when libuv has let go.
class Watch final : public Readiness::Source {
  public:
    static Watch& open(uv_loop_t& loop, Descriptor& descriptor) {
        auto watch = std::unique_ptr<Watch>(new Watch(descriptor));
        BlockingModeKept mode(descriptor.fd());
        int result = uv_poll_init(&loop, &watch->poll_, descriptor.fd());
        if (result < 0) {
            throw SystemError("watch descriptor " + std::to_string(descriptor.fd()), -result);
        }
        watch->poll_.data = watch.get();
        if (!descriptor.is_readable()) watch->cleared(Readiness::Direction::readable);
        if (!descriptor.is_writable()) watch->cleared(Readiness::Direction::writable);
        return *watch.release();
    }

    void close() noexcept {
        descriptor_ = nullptr;
        uv_close(reinterpret_cast<uv_handle_t*>(&poll_),
                 [](uv_handle_t* handle) { delete static_cast<Watch*>(handle->data); });
    }

    void cleared(Readiness::Direction direction) noexcept override {
        bool reads = direction == Readiness::Direction::readable;
        watch(events_ | (reads ? UV_READABLE | UV_DISCONNECT : UV_WRITABLE));
    }

  private:
    explicit Watch(Descriptor& descriptor) noexcept : descriptor_(&descriptor) {}

    void watch(int events) noexcept {
        if (events == events_) return;
        events_ = events;
        if (events == 0) {
            uv_poll_stop(&poll_);
        } else {
            uv_poll_start(&poll_, events, on_event);  // fails only for a handle that is closing
        }
    }

    static void on_event(uv_poll_t* poll, int status, int events) {
        ++*static_cast<int*>(poll->loop->data);
        auto& self = *static_cast<Watch*>(poll->data);
        if (self.descriptor_) self.report(status, events);
    }

    void report(int status, int events) noexcept {
        if (status < 0) {
            // An error ends both directions: whoever waits finds it by trying. libuv has stopped.
            events_ = 0;
            descriptor_->set_ended();
            descriptor_->set_readable();
            descriptor_->set_writable();
            return;
        }
        int wanted = events_;
        if (events & UV_DISCONNECT) descriptor_->set_ended();
        if (events & (UV_READABLE | UV_DISCONNECT)) {
            if (descriptor_->is_readable()) wanted &= ~(UV_READABLE | UV_DISCONNECT);
            descriptor_->set_readable();
        }
        if (events & UV_WRITABLE) {
            if (descriptor_->is_writable()) wanted &= ~UV_WRITABLE;
            descriptor_->set_writable();
        }
        watch(wanted);
    }

    uv_poll_t poll_;
    Descriptor* descriptor_;  // null once detached
    int events_ = 0;          // what libuv watches
};

class LibuvBackend final : public IoBackend {
  public:
    LibuvBackend() {
        require(uv_loop_init(&loop_), "uv_loop_init");
        loop_.data = &reports_;
        int result = uv_async_init(&loop_, &wake_, nullptr);
        if (result < 0) {
            uv_loop_close(&loop_);
            throw SystemError("uv_async_init", -result);
        }
        uv_timer_init(&loop_, &timer_);
    }

    ~LibuvBackend() override {
        uv_close(reinterpret_cast<uv_handle_t*>(&wake_), nullptr);
        uv_close(reinterpret_cast<uv_handle_t*>(&timer_), nullptr);
        uv_run(&loop_, UV_RUN_NOWAIT);  // ends what is closing
        if (uv_loop_close(&loop_) == UV_EBUSY) {
            internal::fatal("a loop was destroyed before a descriptor that it watches");
        }
    }

    std::string_view name() const noexcept override { return "libuv"; }
    int fd() const noexcept override { return uv_backend_fd(&loop_); }

    void attach(Descriptor& descriptor) override {
        Watch& watch = Watch::open(loop_, descriptor);
        descriptor.internal_set_registration(&watch);
        descriptor.set_source(&watch);
    }

    void detach(Descriptor& descriptor) noexcept override {
        descriptor.set_source(nullptr);
        static_cast<Watch*>(descriptor.internal_registration())->close();
    }

    // A look between the steps of a busy loop would hear again of every descriptor whose task has
    // not had its step yet, take it for one that nobody wants, and stop and start watching it. So
    // as many of them are left out as there are steps to come from the last report.
    void wait(TimePoint deadline, TimePoint /*lately*/) override {
        if (deadline == TimePoint::min() && looks_to_skip_ > 0) {
            --looks_to_skip_;
            return;
        }
        reports_ = 0;
        look(deadline);
        looks_to_skip_ = reports_ / steps_between_looks;
    }

    void wake() noexcept override { uv_async_send(&wake_); }

    // libuv tells the kernel when it looks.
    void flush() override { uv_run(&loop_, UV_RUN_NOWAIT); }

  private:
    void look(TimePoint deadline) {
        if (deadline == TimePoint::min()) {
            uv_run(&loop_, UV_RUN_NOWAIT);
        } else if (deadline == no_deadline) {
            uv_run(&loop_, UV_RUN_ONCE);
        } else {
            uv_update_time(&loop_);
            // A timer that is due runs before libuv looks, which then must not wait for the next.
            auto stop = [](uv_timer_t* timer) { uv_stop(timer->loop); };
            uv_timer_start(&timer_, stop, milliseconds_until(deadline), 0);
            uv_run(&loop_, UV_RUN_ONCE);
            uv_timer_stop(&timer_);
        }
    }

    static std::uint64_t milliseconds_until(TimePoint deadline) noexcept {
        // The deadline is on the system clock: virtual clocks come with a backend of their own.
        Duration left = deadline - std::chrono::steady_clock::now();
        auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
        constexpr std::int64_t ms_max = 60'000;  // the loop looks again
        return static_cast<std::uint64_t>(std::clamp<std::int64_t>(ms, 0, ms_max));
    }

    uv_loop_t loop_;  // its data is &reports_
    uv_async_t wake_;
    uv_timer_t timer_;
    int reports_ = 0;  // in the latest look
    int looks_to_skip_ = 0;
};

}  // namespace

std::unique_ptr<IoBackend> make_libuv_backend() { return std::make_unique<LibuvBackend>(); }

}  // namespace coracle

#else

namespace coracle {

std::unique_ptr<IoBackend> make_libuv_backend() {
    throw Error("this build has no libuv backend: libuv was not there when it was configured");
}

}  // namespace coracle

#endif
