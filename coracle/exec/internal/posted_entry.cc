// SPDX-License-Identifier: Apache-2.0
#include <coracle/exec/internal/posted_entry.h>

#include <coracle/core/loop.h>

#include <thread>

namespace coracle::internal {

void PostedEntry::post_to(EventLoop& loop) noexcept {
    loop.internal_post(*this);
    let_go_.store(true, std::memory_order_release);
}

void PostedEntry::wait_until_posted() const noexcept {
    // On one processor the poster may have been preempted by us: yield, do not spin.
    while (!let_go_.load(std::memory_order_acquire)) std::this_thread::yield();
}

}  // namespace coracle::internal
