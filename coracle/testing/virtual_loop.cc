// SPDX-License-Identifier: Apache-2.0
#include <coracle/testing/virtual_loop.h>

#include <coracle/base/assert.h>
#include <coracle/base/log.h>
#include <coracle/core/task_tree.h>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

namespace coracle::testing {

Deadlock::Deadlock(const std::string& tree)
    : Error("deadlock: every task waits, no timer is set and nothing outside is pending\n" + tree) {
}

// Waits for nothing but wake-ups. The order below is what makes a test deterministic: a wake-up
// from a thread, then whoever asked to know that all is quiet, then time.
class VirtualLoop::Backend final : public IoBackend {
  public:
    Backend(FakeClock& clock, Duration external_limit)
        : clock_(clock),
          external_limit_(external_limit),
          event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
        if (event_ < 0) throw SystemError("eventfd", errno);
    }
    ~Backend() override { ::close(event_); }

    std::string_view name() const noexcept override { return "virtual"; }
    int fd() const noexcept override { return event_; }

    void attach(Descriptor&) override {
        throw Error(
            "a virtual loop has no descriptors: use memory_stream_pair() and MemoryListener, or "
            "run sockets with coracle::run()");
    }
    void detach(Descriptor&) noexcept override {}

    void wait(TimePoint deadline, TimePoint /*lately*/) override {
        if (take_wake(Duration::zero()) || deadline == TimePoint::min()) return;
        if (deadline <= clock_.now()) return;  // the clock was moved by hand: a timer is due
        if (!blocked_waiters.empty()) {
            while (AllTasksBlocked* waiter = blocked_waiters.pop_front()) waiter->complete();
            return;
        }
        if (EventLoop::current().external_pending() > 0) {
            if (!take_wake(external_limit_)) give_up();
        } else if (deadline != no_deadline) {
            clock_.advance_to(deadline);
        } else {
            give_up();
        }
    }

    void wake() noexcept override {
        const std::uint64_t one = 1;
        int saved = errno;
        [[maybe_unused]] ssize_t written = ::write(event_, &one, sizeof one);
        errno = saved;
    }

    IntrusiveList<AllTasksBlocked> blocked_waiters;
    std::string deadlock;  // the task tree at the time; empty if there was none

  private:
    // Whether there was a wake-up, waiting for it at most so long in real time.
    bool take_wake(Duration span) noexcept {
        if (span > Duration::zero()) {
            pollfd entry{event_, POLLIN, 0};
            auto ms = std::chrono::ceil<std::chrono::milliseconds>(span).count();
            constexpr std::int64_t ms_max = 3'600'000;
            ::poll(&entry, 1, static_cast<int>(std::min<std::int64_t>(ms, ms_max)));
        }
        std::uint64_t count;
        return ::read(event_, &count, sizeof count) > 0;
    }

    void give_up() {
        EventLoop& loop = EventLoop::current();
        std::string tree = task_tree(loop);
        if (!deadlock.empty()) {
            log::write_block(log::Level::error, "testing", tree);
            internal::fatal("the tasks above did not end after a deadlock had cancelled them");
        }
        deadlock = tree.empty() ? "no task is left\n" : std::move(tree);
        loop.root_scope().cancel("deadlock");
    }

    FakeClock& clock_;
    Duration external_limit_;
    int event_;
};

VirtualLoop::VirtualLoop(TestOptions options) {
    auto backend = std::make_unique<Backend>(clock_, options.external_limit);
    backend_ = backend.get();
    loop_ = std::make_unique<EventLoop>(
        std::move(backend),
        LoopOptions{.seed = options.seed, .close_timeout = 2s, .clock = &clock_});
}

VirtualLoop::~VirtualLoop() = default;

VirtualLoop::Backend& VirtualLoop::current_backend() {
    auto* backend = dynamic_cast<Backend*>(&EventLoop::current().backend());
    if (!backend) throw Error("this needs a virtual loop: run the test with testing::run()");
    return *backend;
}

void VirtualLoop::throw_if_deadlocked() {
    if (!backend_->deadlock.empty()) throw Deadlock(backend_->deadlock);
}

void AllTasksBlocked::enqueue() { VirtualLoop::current_backend().blocked_waiters.push_back(*this); }

bool AllTasksBlocked::withdraw() noexcept {
    unlink();
    return true;
}

std::string AllTasksBlocked::describe() const { return "all other tasks to wait"; }

Duration elapsed() {
    VirtualLoop::current_backend();
    return EventLoop::current().time() - FakeClock::start;
}

}  // namespace coracle::testing
