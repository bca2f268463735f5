// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/await_callback.h>

#include <coracle/base/assert.h>
#include <coracle/core/debug.h>

#include <array>
#include <atomic>
#include <mutex>
#include <thread>

namespace coracle {

CallbackRefused::CallbackRefused(int code)
    : Error("await_callback: the library refused to begin: " + std::to_string(code)), code_(code) {}

namespace internal {

struct CallbackTicket {
    enum class Stage : std::uint8_t { pending, called, forgotten, retired };

    explicit CallbackTicket(CallbackWait& its_wait) noexcept : wait(its_wait) {}

    bool leave_pending(Stage to) noexcept {
        Stage expected = Stage::pending;
        return stage.compare_exchange_strong(expected, to, std::memory_order_acq_rel);
    }

    CallbackWait& wait;  // not to be touched when retired
    std::atomic<Stage> stage{Stage::pending};
};

namespace {

using Stage = CallbackTicket::Stage;

// In debug mode, the latest tickets whose waits have ended, so that a library that calls back
// once more is found out.
class RetiredTickets {
  public:
    void add(std::unique_ptr<CallbackTicket> ticket) noexcept {
        std::lock_guard guard(mutex_);
        tickets_[next_].swap(ticket);
        next_ = (next_ + 1) % tickets_.size();
    }

  private:
    std::mutex mutex_;
    std::array<std::unique_ptr<CallbackTicket>, 1024> tickets_;
    std::size_t next_ = 0;
};

RetiredTickets& retired_tickets() {
    // Never destroyed: libraries have threads that outlive main().
    static auto* tickets = new RetiredTickets;
    return *tickets;
}

}  // namespace

CallbackWait::CallbackWait() : ticket_(new CallbackTicket(*this)) {}

CallbackWait::~CallbackWait() {
    if (is_waiting() && ticket_->stage.load() == Stage::pending) {
        fatal("a task that waits for a C callback is destroyed: the callback would find nothing");
    }
}

void CallbackWait::Retire::operator()(CallbackTicket* ticket) const noexcept {
    std::unique_ptr<CallbackTicket> owned(ticket);
    if (!is_debug()) return;
    owned->stage.store(Stage::retired, std::memory_order_release);
    retired_tickets().add(std::move(owned));
}

CallbackWait& CallbackWait::called(void* user) noexcept {
    auto& ticket = *static_cast<CallbackTicket*>(user);
    if (ticket.leave_pending(Stage::called)) return ticket.wait;
    if (ticket.stage.load(std::memory_order_acquire) == Stage::forgotten) {
        fatal("await_callback: the callback came after all, though cancel or start had said never");
    }
    fatal(
        "await_callback: the library called the callback a second time, or after it was given up");
}

void CallbackWait::start_threw(std::exception_ptr error) noexcept {
    if (ticket_->leave_pending(Stage::forgotten)) {
        error_ = std::move(error);
        deliver();
        return;
    }
    // The callback has come nevertheless, perhaps on a thread that is still in it.
    while (!is_delivered()) std::this_thread::yield();
    error_ = std::move(error);
}

bool CallbackWait::withdraw() noexcept {
    if (asked_ || ticket_->stage.load(std::memory_order_acquire) != Stage::pending) return false;
    asked_ = true;
    if (call_cancel() == AfterCancel::callback_comes) return false;
    return ticket_->leave_pending(Stage::forgotten);
}

}  // namespace internal
}  // namespace coracle
