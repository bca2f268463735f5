// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/internal/signals.h>

#include <coracle/base/error.h>
#include <coracle/core/io_backend.h>
#include <coracle/core/loop.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <thread>
#include <utility>

namespace coracle::internal {
namespace {

constexpr int signals_max = 65;
// A signal that arrived more often since the loop last looked is seen this often: "once" and
// "again" differ, more do not.
constexpr int calls_max = 2;

struct Slot {
    std::atomic<SignalHandlers*> handlers{nullptr};
    std::atomic<int> arrived{0};  // not yet dispatched
    std::atomic<void (*)(void*) noexcept> tap{nullptr};
    std::atomic<void*> tap_argument{nullptr};
    std::atomic<int> running{0};  // C-level handlers that may be using the above, on any thread

    void set_tap(SignalTap wanted) noexcept {
        tap.store(nullptr);
        wait_until_unused();
        tap_argument.store(wanted.argument);
        tap.store(wanted.function);
    }
    // A signal may have been caught on another thread just before; it does not take long.
    void wait_until_unused() const noexcept {
        while (running.load() > 0) std::this_thread::yield();
    }
};

std::array<Slot, signals_max> slots;

void on_signal(int signal) {
    Slot& slot = slots[static_cast<std::size_t>(signal)];
    slot.running.fetch_add(1);
    slot.arrived.fetch_add(1);
    if (auto* tap = slot.tap.load()) tap(slot.tap_argument.load());
    if (SignalHandlers* handlers = slot.handlers.load()) handlers->notify();
    slot.running.fetch_sub(1);
}

}  // namespace

SignalHandlers::~SignalHandlers() {
    while (!handlers_.empty()) remove(handlers_.begin()->first);
}

void SignalHandlers::notify() noexcept {
    pending_.store(true, std::memory_order_release);
    backend_.wake();
}

void SignalHandlers::add(int signal, MoveFunction<void()> fn, SignalTap tap) {
    auto shared = std::make_shared<MoveFunction<void()>>(std::move(fn));
    if (auto found = handlers_.find(signal); found != handlers_.end()) {
        found->second.fn = std::move(shared);
        slots[static_cast<std::size_t>(signal)].set_tap(tap);
        return;
    }
    std::string what = "handle signal " + std::to_string(signal);
    if (signal <= 0 || signal >= signals_max) throw SystemError(what, EINVAL);
    Slot& slot = slots[static_cast<std::size_t>(signal)];
    SignalHandlers* nobody = nullptr;
    if (!slot.handlers.compare_exchange_strong(nobody, this)) {
        throw Error(what + ": another loop of this process handles it already");
    }
    slot.arrived.store(0);
    slot.set_tap(tap);
    struct sigaction action{};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    Handler handler{std::move(shared), {}};
    if (sigaction(signal, &action, &handler.previous) < 0) {
        int code = errno;
        slot.set_tap({});
        slot.handlers.store(nullptr);
        throw SystemError(what, code);
    }
    handlers_.emplace(signal, std::move(handler));
}

bool SignalHandlers::remove(int signal) {
    auto found = handlers_.find(signal);
    if (found == handlers_.end()) return false;
    sigaction(signal, &found->second.previous, nullptr);
    Slot& slot = slots[static_cast<std::size_t>(signal)];
    slot.set_tap({});
    slot.handlers.store(nullptr);
    slot.wait_until_unused();
    handlers_.erase(found);
    return true;
}

void SignalHandlers::dispatch(EventLoop& loop) {
    for (auto& [signal, handler] : handlers_) {
        int arrived = slots[static_cast<std::size_t>(signal)].arrived.exchange(0);
        for (int i = 0; i < std::min(arrived, calls_max); ++i) {
            // The function may remove itself while it runs, so the call keeps it alive.
            loop.call_soon([fn = handler.fn] { (*fn)(); });
        }
    }
}

}  // namespace coracle::internal
