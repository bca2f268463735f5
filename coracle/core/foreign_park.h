// SPDX-License-Identifier: Apache-2.0
// ForeignPark: a leaf operation that code which knows no loop completes, on any thread.
#pragma once

#include <coracle/core/internal/runnable.h>
#include <coracle/core/park.h>

#include <atomic>
#include <cstdint>

namespace coracle {

// Base of an awaiter for what another library does (see Park for the rest of the shape):
//
//   template <class P> bool await_suspend(std::coroutine_handle<P> frame) {
//       if (!checkpoint(frame)) return false;
//       hand `this` to the library;                       // may be delivered in here already
//       return begun();
//   }
//   void completed_by_the_library(Result result) {        // on any thread, once
//       result_ = std::move(result);
//       deliver();                                        // the last touch
//   }
//
// withdraw() may answer true only when deliver() was not and will not be called. A virtual clock
// does not wait for what other threads deliver.
class ForeignPark : public Park, private internal::Runnable {
  protected:
    ForeignPark() noexcept = default;
    ~ForeignPark() = default;

    // Last in await_suspend. Returns whether to suspend.
    bool begun() noexcept;

    // The operation is over and its result stored. The awaiter may be gone when this returns.
    void deliver() noexcept;

    // Whether deliver() was called: the result may be read.
    bool is_delivered() const noexcept {
        return phase_.load(std::memory_order_acquire) == Phase::delivered;
    }

  private:
    enum class Phase : std::uint8_t { beginning, waiting, delivered };

    void run() final;

    std::atomic<Phase> phase_{Phase::beginning};
};

}  // namespace coracle
