// SPDX-License-Identifier: Apache-2.0
// Started: where a cleanup context stops setting up and waits for the application's end.
#pragma once

#include <coracle/core/park.h>

#include <coroutine>
#include <string>
#include <utility>

namespace coracle::web {

namespace internal {

// Shared by a context and the runner that started it; lives as long as the context's task.
struct StartedState {
    bool reached = false;   // the context has called started()
    bool stopping = false;  // the application ends
    class StartedWait* waiter = nullptr;
    void (*on_reached)(void* runner) = nullptr;
    void* runner = nullptr;

    // Lets started() return.
    void stop() noexcept;
};

class StartedWait final : public Park {
  public:
    explicit StartedWait(StartedState& state) noexcept : state_(state) {}
    ~StartedWait();

    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> frame) noexcept {
        enter_shielded(frame.promise(), frame);
        return begin();
    }
    void await_resume() const noexcept {}

    bool withdraw() noexcept override { return false; }
    std::string describe() const override;

  private:
    friend struct StartedState;
    bool begin() noexcept;
    StartedState& state_;
};

}  // namespace internal

// What a cleanup context is given. Copies refer to the same context.
class Started {
  public:
    // Says that the resource is up, and returns when the application shuts down. Never throws
    // Cancelled: what follows it is the cleanup, shielded from cancellation until the shutdown
    // deadline has passed. Called again, it returns at once if the shutdown has begun.
    [[nodiscard]] internal::StartedWait operator()() const noexcept {
        return internal::StartedWait(*state_);
    }

    explicit Started(internal::StartedState& state) noexcept : state_(&state) {}

  private:
    internal::StartedState* state_;
};

}  // namespace coracle::web
