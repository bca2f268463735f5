// SPDX-License-Identifier: Apache-2.0
// A loop with real sockets on virtual time: time jumps when loopback has nothing more to say.
#pragma once

#include <coracle/core/io_backend.h>
#include <coracle/core/loop.h>
#include <coracle/testing/virtual_loop.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace coracle::matrix {

// The loop's own backend, asked without waiting. After many answers without an event the clock
// jumps to the next timer: what happens on loopback has happened when the call that caused it
// returns.
class JumpingBackend final : public IoBackend {
  public:
    explicit JumpingBackend(testing::FakeClock& clock)
        : inner_(make_epoll_backend()), clock_(clock) {}

    std::string_view name() const noexcept override { return "sockets on virtual time"; }
    int fd() const noexcept override { return inner_->fd(); }
    void attach(Descriptor& descriptor) override { inner_->attach(descriptor); }
    void detach(Descriptor& descriptor) noexcept override { inner_->detach(descriptor); }
    void wake() noexcept override { inner_->wake(); }

    void wait(TimePoint deadline, TimePoint lately) override {
        inner_->wait(TimePoint::min(), lately);
        std::uint64_t steps = EventLoop::current().statistics().steps;
        if (deadline == TimePoint::min() || steps != steps_) {
            steps_ = steps;
            quiet_ = 0;
        } else if (++quiet_ > quiet_max && deadline != no_deadline) {
            clock_.advance_to(deadline);
        }
    }

  private:
    static constexpr int quiet_max = 50;

    std::unique_ptr<IoBackend> inner_;
    testing::FakeClock& clock_;
    std::uint64_t steps_ = 0;
    int quiet_ = 0;
};

class SocketLoop {
  public:
    SocketLoop() {
        loop_.emplace(std::make_unique<JumpingBackend>(clock_),
                      LoopOptions{.close_timeout = 2s, .clock = &clock_});
    }
    EventLoop& loop() { return *loop_; }
    testing::FakeClock& clock() { return clock_; }
    void run(Task<void> task) { loop_->run_until_complete(std::move(task)); }
    void close() { loop_.reset(); }

  private:
    testing::FakeClock clock_;
    std::optional<EventLoop> loop_;
};

}  // namespace coracle::matrix
