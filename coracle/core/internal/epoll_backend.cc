// SPDX-License-Identifier: Apache-2.0
// The epoll backend: every descriptor registered once, edge-triggered, for both directions.
#include <coracle/base/assert.h>
#include <coracle/base/error.h>
#include <coracle/base/system_call.h>
#include <coracle/core/internal/wake_event.h>
#include <coracle/core/io_backend.h>

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <string>

namespace coracle {
namespace {

class EpollBackend final : public IoBackend {
  public:
    EpollBackend() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
        if (epoll_ < 0) throw SystemError("epoll_create1", errno);
        epoll_event interest{};
        interest.events = EPOLLIN | EPOLLET;
        interest.data.ptr = nullptr;
        epoll_ctl(epoll_, EPOLL_CTL_ADD, event_.fd(), &interest);
    }

    ~EpollBackend() override { close(epoll_); }

    std::string_view name() const noexcept override { return "epoll"; }
    int fd() const noexcept override { return epoll_; }

    void attach(Descriptor& descriptor) override {
        epoll_event interest{};
        interest.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
        interest.data.ptr = &descriptor;
        if (epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor.fd(), &interest) < 0) {
            throw SystemError("watch descriptor " + std::to_string(descriptor.fd()), errno);
        }
    }

    void detach(Descriptor& descriptor) noexcept override {
        epoll_event ignored{};
        epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor.fd(), &ignored);
    }

    void wait(TimePoint deadline, TimePoint lately) override {
        std::array<epoll_event, 256> events;
        int count = wait_for_events(events, deadline, lately);
        for (int i = 0; i < count; ++i) {
            const epoll_event& event = events[static_cast<std::size_t>(i)];
            auto* descriptor = static_cast<Descriptor*>(event.data.ptr);
            // A wake. Each is an edge of its own, whatever the counter says, so nobody reads it: it
            // would take longer than the machine lasts to fill.
            if (!descriptor) continue;
            // An error or a hang-up ends both directions: whoever waits finds it by trying.
            constexpr std::uint32_t broken = EPOLLERR | EPOLLHUP;
            if (event.events & (EPOLLRDHUP | broken)) descriptor->set_ended();
            if (event.events & (EPOLLIN | EPOLLRDHUP | broken)) descriptor->set_readable();
            if (event.events & (EPOLLOUT | broken)) descriptor->set_writable();
        }
    }

    void wake() noexcept override { event_.set(); }

  private:
    static constexpr Duration far_min = 2 * lately_max_age;

    template <std::size_t N>
    int wait_for_events(std::array<epoll_event, N>& events, TimePoint deadline, TimePoint lately) {
        int count;
        if (deadline == TimePoint::min()) {
            count = internal::epoll_wait(epoll_, events.data(), N, 0);
        } else if (deadline == no_deadline) {
            count = internal::epoll_wait(epoll_, events.data(), N, -1);
        } else if (Duration far = deadline - lately; far > far_min) {
            // A little too short, so that the last stretch is timed well.
            constexpr Duration ms_max = 60s;
            auto ms = (std::min(far, ms_max) - lately_max_age) / 1ms;
            count = internal::epoll_wait(epoll_, events.data(), N, static_cast<int>(ms));
        } else {
            count = wait_precisely(events, deadline);
        }
        if (count < 0) {
            CORACLE_ASSERT(errno ==
                           EINTR);  // anything else means the descriptor table was corrupted
            count = 0;
        }
        return count;
    }

    // The deadline is on the system clock: virtual clocks come with a backend of their own.
    template <std::size_t N>
    int wait_precisely(std::array<epoll_event, N>& events, TimePoint deadline) {
        Duration left = std::max(deadline - std::chrono::steady_clock::now(), Duration::zero());
        if (!lacks_pwait2_) {
            timespec span{};
            span.tv_sec = static_cast<time_t>(left / 1s);
            span.tv_nsec = static_cast<long>((left % 1s).count());
            int count = epoll_pwait2(epoll_, events.data(), N, &span, nullptr);
            if (count >= 0 || errno != ENOSYS) return count;
            lacks_pwait2_ = true;  // Linux before 5.11
        }
        auto ms = std::chrono::ceil<std::chrono::milliseconds>(std::min<Duration>(left, 60s));
        return internal::epoll_wait(epoll_, events.data(), N, static_cast<int>(ms.count()));
    }

    internal::WakeEvent event_;
    int epoll_;
    bool lacks_pwait2_ = false;
};

}  // namespace

std::unique_ptr<IoBackend> make_epoll_backend() { return std::make_unique<EpollBackend>(); }

}  // namespace coracle
