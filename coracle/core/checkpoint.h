// SPDX-License-Identifier: Apache-2.0
// checkpoint(): a place to be cancelled, and now and then to let others run.
#pragma once

#include <coracle/core/park.h>

#include <coroutine>
#include <string>

namespace coracle {

// What checkpoint() returns.
class [[nodiscard]] Checkpoint {
  public:
    class Awaiter;
    Awaiter operator co_await() && noexcept;
};

class Checkpoint::Awaiter final : public Park {
  public:
    Awaiter() noexcept = default;
    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> frame) noexcept {
        return Park::checkpoint(frame) && ready();
    }
    void await_resume() const { finish(); }
    bool withdraw() noexcept override { return true; }
    std::string describe() const override { return "checkpoint"; }
};

inline Checkpoint::Awaiter Checkpoint::operator co_await() && noexcept { return Awaiter(); }

// Throws Cancelled if the scope is cancelled; otherwise costs nanoseconds, and lets the other tasks
// run each time this one has made 128 steps without a wait. For loops that compute:
//
//   for (auto& row : rows) {
//       co_await checkpoint();
//       total += score(row);
//   }
//
// A step of milliseconds wants a pool (to_thread), and sleep(0s) always lets the others run.
inline Checkpoint checkpoint() noexcept { return Checkpoint(); }

}  // namespace coracle
