// SPDX-License-Identifier: Apache-2.0
// Debug mode: checks that cost a little on every call.
#pragma once

#include <atomic>

namespace coracle {

namespace internal {
extern std::atomic<bool> debug_flag;
}

// Whether objects check that they are used from their loop's thread (asyncio's debug mode). Always
// in code built without NDEBUG; else when set_debug(true) was called or the environment has
// CORACLE_DEBUG=1. Slow steps are reported without it, see LoopOptions::slow_step.
inline bool is_debug() noexcept {
#ifdef NDEBUG
    return internal::debug_flag.load(std::memory_order_relaxed);
#else
    return true;
#endif
}

// For the whole process, from any thread.
inline void set_debug(bool on) noexcept {
    internal::debug_flag.store(on, std::memory_order_relaxed);
}

}  // namespace coracle
