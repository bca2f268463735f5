// SPDX-License-Identifier: Apache-2.0
// Rows of what other libraries complete: C callbacks.
#include "matrix.h"

#include <coracle/core/await_callback.h>
#include <coracle/core/checkpoint.h>

#include <thread>
#include <utility>

namespace coracle::matrix {
namespace {

// ---- C callbacks: every item is received once, or still there

enum class OnCancel { forgets, aborts_at_once, aborts_later, goes_on };
enum class Thread { of_the_loop, another };

// A library in the manner of C. One call waits at most.
class Mailbox {
  public:
    using Done = void (*)(void* user, int status);
    static constexpr int aborted = -1;

    explicit Mailbox(Thread thread) noexcept : thread_(thread) {}

    void receive(Done done, void* user) {
        done_ = done;
        user_ = user;
        deliver();
    }
    AfterCancel cancel(OnCancel manner) {
        switch (manner) {
        case OnCancel::forgets:
            done_ = nullptr;
            return AfterCancel::callback_never_comes;
        case OnCancel::aborts_at_once:
            call(aborted);
            break;
        case OnCancel::aborts_later:
            aborting_ = true;
            EventLoop::current().call_soon([this] {
                aborting_ = false;
                call(aborted);
            });
            break;
        case OnCancel::goes_on:
            break;
        }
        return AfterCancel::callback_comes;
    }
    void post() {
        ++items_;
        deliver();
    }

    bool is_waiting() const noexcept { return done_ != nullptr; }
    int items() const noexcept { return items_; }

  private:
    void deliver() {
        if (!done_ || aborting_ || items_ == 0) return;
        --items_;
        call(0);
    }
    void call(int status) {
        Done done = std::exchange(done_, nullptr);
        if (thread_ == Thread::of_the_loop) return done(user_, status);
        std::thread([&] { done(user_, status); }).join();
    }

    Thread thread_;
    Done done_ = nullptr;
    void* user_ = nullptr;
    bool aborting_ = false;
    int items_ = 0;
};

class Receive final : public Subject {
  public:
    Receive(OnCancel on_cancel, Thread thread) noexcept : on_cancel_(on_cancel), mailbox_(thread) {}

    Task<void> await() override {
        auto start = [&](auto done, void* user) { mailbox_.receive(done, user); };
        int status = 0;
        if (on_cancel_ == OnCancel::goes_on) {
            status = co_await await_callback<int>(start);
        } else {
            auto cancel = [&] { return mailbox_.cancel(on_cancel_); };
            status = co_await await_callback<int>(start, cancel);
        }
        if (status == Mailbox::aborted) {
            co_await checkpoint();
        } else {
            ++received_;
        }
    }
    void complete() override {
        mailbox_.post();
        ++posted_;
    }
    void release() override {
        if (on_cancel_ == OnCancel::goes_on && mailbox_.is_waiting()) complete();
    }
    void check(int returned) override {
        require(received_ == returned, "a call that was aborted returned");
        require(received_ + mailbox_.items() == posted_, "an item was lost");
        require(!mailbox_.is_waiting(), "the library still has a call");
    }

  private:
    OnCancel on_cancel_;
    Mailbox mailbox_;
    int posted_ = 0;
    int received_ = 0;
};

}  // namespace

void add_foreign_rows(Matrix& matrix) {
    const Traits goes_on = {.withdraws = false};
    const char* const callback = "await_callback(start, cancel)";
    matrix.add<Receive>(callback, {}, {}, "never comes", OnCancel::forgets, Thread::of_the_loop);
    matrix.add<Receive>(callback, {}, {}, "never comes, on a thread", OnCancel::forgets,
                        Thread::another);
    matrix.add<Receive>(callback, {}, {}, "aborted at once", OnCancel::aborts_at_once,
                        Thread::of_the_loop);
    matrix.add<Receive>(callback, {}, {}, "aborted at once, on a thread", OnCancel::aborts_at_once,
                        Thread::another);
    matrix.add<Receive>(callback, {}, {}, "aborted later, on a thread", OnCancel::aborts_later,
                        Thread::another);
    matrix.add<Receive>(callback, goes_on, {}, "cannot be cancelled", OnCancel::goes_on,
                        Thread::of_the_loop);
}

}  // namespace coracle::matrix
