// SPDX-License-Identifier: Apache-2.0
// sleep(): the task rests, the loop goes on.
#pragma once

#include <coracle/base/clock.h>
#include <coracle/core/park.h>
#include <coracle/core/timer.h>

#include <chrono>
#include <concepts>
#include <coroutine>
#include <string>

namespace coracle {

// What sleep() returns: awaited as an rvalue, or given to gather() and the like.
class [[nodiscard]] Sleep {
  public:
    explicit Sleep(Duration span) noexcept : span_(span) {}

    class Awaiter;
    Awaiter operator co_await() && noexcept;

  private:
    Duration span_;
};

class Sleep::Awaiter final : public Park, private Timer {
  public:
    explicit Awaiter(Duration span) noexcept : span_(span) {}

    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> frame) {
        if (!checkpoint(frame)) return false;
        return span_ > Duration::zero() ? begin() : yield();
    }
    void await_resume() const { finish(); }

    bool withdraw() noexcept override;
    std::string describe() const override;

  private:
    bool begin();
    void fire() noexcept override { complete(); }

    Duration span_;
};

inline Sleep::Awaiter Sleep::operator co_await() && noexcept { return Awaiter(span_); }

// Resumes after `span`, on the loop's clock. Zero or less lets every other ready task run once
// first. A span too long for the clock sleeps until cancelled.
//
//   co_await sleep(250ms);
template <class Rep, class Period>
Sleep sleep(std::chrono::duration<Rep, Period> span) noexcept {
    return Sleep(to_duration(span));
}

// A number is not a time: sleep(5s), not sleep(5). Deleted so that it never means the C library's
// blocking sleep.
template <std::integral N>
void sleep(N seconds) = delete;
// As good a match as the C library's, so that beside <unistd.h> sleep(5u) is ambiguous.
void sleep(unsigned seconds) = delete;

}  // namespace coracle
