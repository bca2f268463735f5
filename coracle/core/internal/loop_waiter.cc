// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/internal/loop_waiter.h>

#include <coracle/core/loop.h>

namespace coracle::internal {

void LoopWaiter::post() noexcept { task()->loop.internal_post(*this); }

void LoopWaiter::run() {
    {
        std::lock_guard guard(mutex_);
    }
    complete();
}

}  // namespace coracle::internal
