// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/sleep.h>

#include <coracle/core/loop.h>

namespace coracle {

bool Sleep::Awaiter::begin() {
    EventLoop& loop = task()->loop;
    TimePoint until = saturating_add(loop.time(), span_);
    if (until != no_deadline) loop.timers().add(*this, until);
    return wait();
}

bool Sleep::Awaiter::withdraw() noexcept {
    Timer::cancel();
    return true;
}

std::string Sleep::Awaiter::describe() const { return "sleep"; }

}  // namespace coracle
