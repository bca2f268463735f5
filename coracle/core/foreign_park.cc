// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/foreign_park.h>

#include <coracle/core/loop.h>

namespace coracle {

bool ForeignPark::begun() noexcept {
    Phase expected = Phase::beginning;
    // What is posted from here on runs after this step, so parking below is early enough.
    if (!phase_.compare_exchange_strong(expected, Phase::waiting, std::memory_order_acq_rel)) {
        return ready();
    }
    return wait();
}

void ForeignPark::deliver() noexcept {
    // Read before: the task may run, and end, as soon as the phase has changed.
    EventLoop& loop = task()->loop;
    if (phase_.exchange(Phase::delivered, std::memory_order_acq_rel) == Phase::waiting) {
        loop.internal_post(*this);
    }
}

void ForeignPark::run() { complete(); }

}  // namespace coracle
