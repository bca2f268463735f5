// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/barrier.h>

#include <coracle/base/assert.h>

namespace coracle {

Barrier::Barrier(std::size_t parties, std::source_location created)
    : parties_(parties), bound_(created) {
    if (parties == 0) throw Error("Barrier(0): a barrier has at least one party");
}

Barrier::~Barrier() { CORACLE_ASSERT(waiters_.empty()); }

void Barrier::release() noexcept {
    for (std::size_t index = 0; Wait* waiter = waiters_.pop_front(); ++index) {
        waiter->index_ = index;
        waiter->complete();
    }
}

void Barrier::break_waits() noexcept {
    bound_.check("a Barrier");
    while (Wait* waiter = waiters_.pop_front()) {
        waiter->broken_ = true;
        waiter->complete();
    }
}

void Barrier::reset() noexcept {
    break_waits();
    broken_ = false;
}

void Barrier::abort() noexcept {
    break_waits();
    broken_ = true;
}

bool Barrier::Wait::withdraw() noexcept {
    unlink();
    return true;
}

std::string Barrier::Wait::describe() const {
    return "barrier (" + std::to_string(barrier_.waiting()) + " of " +
           std::to_string(barrier_.parties_) + ")";
}

}  // namespace coracle
