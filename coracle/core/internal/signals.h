// SPDX-License-Identifier: Apache-2.0
// Signals of the process, handed to the loop that asked for them.
#pragma once

#include <coracle/base/move_function.h>

#include <signal.h>

#include <atomic>
#include <map>
#include <memory>

namespace coracle {

class EventLoop;
class IoBackend;
struct SignalTap;

namespace internal {

// The handlers of one loop. The C-level handler only sets flags and wakes the loop; the function
// runs as a callback.
class SignalHandlers {
  public:
    SignalHandlers(std::atomic<bool>& pending, IoBackend& backend) noexcept
        : pending_(pending), backend_(backend) {}
    SignalHandlers(const SignalHandlers&) = delete;
    SignalHandlers& operator=(const SignalHandlers&) = delete;
    ~SignalHandlers();

    void add(int signal, MoveFunction<void()> fn, SignalTap tap);
    bool remove(int signal);
    void dispatch(EventLoop& loop);

    // Async-signal-safe.
    void notify() noexcept;

  private:
    struct Handler {
        std::shared_ptr<MoveFunction<void()>> fn;
        struct sigaction previous;
    };

    std::atomic<bool>& pending_;
    IoBackend& backend_;
    std::map<int, Handler> handlers_;
};

}  // namespace internal
}  // namespace coracle
