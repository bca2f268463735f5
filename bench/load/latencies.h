// SPDX-License-Identifier: Apache-2.0
// Every latency of a run, kept until its percentiles are asked for.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bench {

using Clock = std::chrono::steady_clock;

class Latencies {
  public:
    // Held as 32-bit nanoseconds: longer than four seconds counts as four.
    void add(Clock::duration latency) {
        auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(latency).count();
        all_.push_back(static_cast<std::uint32_t>(std::clamp<std::int64_t>(ns, 0, UINT32_MAX)));
    }
    void clear() { all_.clear(); }
    std::size_t count() const { return all_.size(); }

    // Microseconds below which `share` (0 to 1) of the latencies lie; 0 when there are none.
    double percentile_us(double share) {
        if (all_.empty()) return 0;
        auto rank = static_cast<std::size_t>(share * static_cast<double>(all_.size()));
        auto at = all_.begin() + static_cast<std::ptrdiff_t>(std::min(rank, all_.size() - 1));
        std::nth_element(all_.begin(), at, all_.end());
        return *at / 1000.0;
    }

  private:
    std::vector<std::uint32_t> all_;
};

}  // namespace bench
