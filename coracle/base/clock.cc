// SPDX-License-Identifier: Apache-2.0
#include <coracle/base/clock.h>

namespace coracle {
namespace {

class SystemClock final : public ClockSource {
  public:
    TimePoint now() override { return std::chrono::steady_clock::now(); }
};

}  // namespace

ClockSource& system_clock_source() {
    static SystemClock clock;
    return clock;
}

}  // namespace coracle
