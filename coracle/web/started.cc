// SPDX-License-Identifier: Apache-2.0
#include <coracle/web/started.h>

namespace coracle::web::internal {

StartedWait::~StartedWait() {
    if (state_.waiter == this) state_.waiter = nullptr;
}

bool StartedWait::begin() noexcept {
    if (!state_.reached) {
        state_.reached = true;
        if (state_.on_reached) state_.on_reached(state_.runner);
    }
    if (state_.stopping) return false;
    state_.waiter = this;
    return wait();
}

std::string StartedWait::describe() const { return "the application's shutdown"; }

void StartedState::stop() noexcept {
    stopping = true;
    if (waiter) std::exchange(waiter, nullptr)->complete();
}

}  // namespace coracle::web::internal
