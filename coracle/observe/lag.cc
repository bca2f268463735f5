// SPDX-License-Identifier: Apache-2.0
#include <coracle/observe/lag.h>

#include <coracle/base/error.h>
#include <coracle/core/loop.h>
#include <coracle/core/sleep.h>

#include <algorithm>

namespace coracle {

// Marks the monitor as running for as long as measure() is.
class LoopLagMonitor::Running {
  public:
    Running(LoopLagMonitor& monitor, TimePoint now) : monitor_(monitor) { monitor_.begin(now); }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running() {
        std::lock_guard lock(monitor_.mutex_);
        monitor_.running_ = false;
    }

  private:
    LoopLagMonitor& monitor_;
};

LoopLagMonitor::LoopLagMonitor(LoopLagOptions options) : options_(options) {
    if (options.period <= Duration::zero() || options.sample <= Duration::zero() ||
        options.samples_max == 0) {
        throw Error("LoopLagMonitor: period, sample and samples_max must be more than zero");
    }
    registration_ = register_source("loop lag", [this] {
        auto seconds = [](Duration span) { return std::chrono::duration<double>(span).count(); };
        return std::vector<Statistic>{{"current_seconds", seconds(current())},
                                      {"max_seconds", seconds(max())}};
    });
}

Task<void> LoopLagMonitor::run() { return measure(); }

Task<void> LoopLagMonitor::measure() {
    EventLoop& loop = EventLoop::current();
    Running running(*this, loop.time());
    for (;;) {
        TimePoint due = saturating_add(loop.time(), options_.period);
        co_await sleep(options_.period);
        TimePoint now = loop.time();
        note(now, std::max(now - due, Duration::zero()));
    }
}

void LoopLagMonitor::begin(TimePoint now) {
    std::lock_guard lock(mutex_);
    if (running_) throw Error("LoopLagMonitor::run() was called while it runs already");
    running_ = true;
    current_ = Duration::zero();
    samples_.assign(1, Duration::zero());
    sample_end_ = saturating_add(now, options_.sample);
}

void LoopLagMonitor::note(TimePoint now, Duration lag) {
    std::lock_guard lock(mutex_);
    current_ = lag;
    samples_.back() = std::max(samples_.back(), lag);
    if (now < sample_end_) return;
    // A block covers every sample that should have ended during it, so the time axis stays true.
    auto ended = (now - sample_end_) / options_.sample + 1;
    sample_end_ += ended * options_.sample;
    for (auto left =
             std::min<Duration::rep>(ended, static_cast<Duration::rep>(options_.samples_max));
         left > 1; --left) {
        samples_.push_back(lag);
    }
    samples_.push_back(Duration::zero());
    while (samples_.size() > options_.samples_max) samples_.pop_front();
}

Duration LoopLagMonitor::current() const {
    std::lock_guard lock(mutex_);
    return current_;
}

Duration LoopLagMonitor::max() const {
    std::lock_guard lock(mutex_);
    auto largest = std::max_element(samples_.begin(), samples_.end());
    return largest == samples_.end() ? Duration::zero() : *largest;
}

std::vector<Duration> LoopLagMonitor::samples() const {
    std::lock_guard lock(mutex_);
    return {samples_.begin(), samples_.end()};
}

}  // namespace coracle
