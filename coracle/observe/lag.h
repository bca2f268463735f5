// SPDX-License-Identifier: Apache-2.0
// LoopLagMonitor: how late a loop is, now and over the last while.
#pragma once

#include <coracle/base/clock.h>
#include <coracle/core/registry.h>
#include <coracle/core/task.h>

#include <cstddef>
#include <deque>
#include <mutex>
#include <type_traits>
#include <vector>

namespace coracle {

struct LoopLagOptions {
    // How often it measures. 10 ms sees any block worth naming and costs about 0.1 % of a core: one
    // timer and one task step each time.
    Duration period = 10ms;
    // The time that one sample covers, and how many are kept: a minute by default.
    Duration sample = 250ms;
    std::size_t samples_max = 240;
};
static_assert(std::is_trivially_copyable_v<LoopLagOptions>);

// Measures how late a timer of `period` reaches its task. That is the time for which any other
// task, timer or connection of the loop would have waited too: tens of microseconds on a loop that
// is never blocked, and the length of the block on one that was.
//
//   LoopLagMonitor lag;
//   group.create_task(&LoopLagMonitor::run, &lag);
//   ...
//   auto worst = lag.max();
//
// A blocked loop cannot measure: the block appears when it ends, in every sample that it covered.
// run() belongs to one loop; the readings may be taken on any thread. Published as the source "loop
// lag".
class LoopLagMonitor {
  public:
    explicit LoopLagMonitor(LoopLagOptions options = {});
    LoopLagMonitor(const LoopLagMonitor&) = delete;
    LoopLagMonitor& operator=(const LoopLagMonitor&) = delete;

    // Measures the running loop until cancelled; never returns otherwise. The monitor must outlive
    // it. Throws Error when it runs already.
    Task<void> run();

    // The latest measurement; zero before the first.
    Duration current() const;
    // The largest measurement that samples() covers.
    Duration max() const;
    // The largest measurement in each `sample` of time, oldest first, the one being taken last.
    std::vector<Duration> samples() const;

    const LoopLagOptions& options() const noexcept { return options_; }

  private:
    class Running;
    Task<void> measure();
    void begin(TimePoint now);
    void note(TimePoint now, Duration lag);

    const LoopLagOptions options_;
    mutable std::mutex mutex_;
    bool running_ = false;
    Duration current_{};
    TimePoint sample_end_{};
    std::deque<Duration> samples_;
    SourceRegistration registration_;
};

}  // namespace coracle
