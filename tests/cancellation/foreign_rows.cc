// SPDX-License-Identifier: Apache-2.0
// Rows of what other libraries complete: C callbacks, Boost.Asio's operations.
#include "matrix.h"

#include <coracle/adapt/asio.h>
#include <coracle/base/move_function.h>
#include <coracle/core/await_callback.h>
#include <coracle/core/checkpoint.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cstddef>
#include <thread>
#include <utility>

namespace coracle::matrix {
namespace {

namespace asio = boost::asio;

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

// ---- Asio: every byte is read once, or still in the socket

// The io_context runs on the loop's thread, a step at a time.
class AsioRead final : public Subject {
  public:
    enum class Form { plain, as_tuple, not_begun };

    explicit AsioRead(Form form) : form_(form) { asio::local::connect_pair(near_, far_); }

    Task<void> set_up(TaskGroup& helpers) override {
        helpers.create_task(&AsioRead::run_context, this);
        co_return;
    }
    Task<void> await() override {
        std::array<char, 8> buffer;
        if (form_ == Form::as_tuple) {
            auto [error, count] =
                co_await near_.async_read_some(asio::buffer(buffer), asio::as_tuple(use_task));
            received_ += count;
            if (error == asio::error::operation_aborted) co_await checkpoint();
        } else {
            std::size_t count = co_await near_.async_read_some(asio::buffer(buffer), use_task);
            received_ += count;
        }
    }
    void wait_until_in_flight() override {
        if (form_ != Form::not_begun) context_.poll();
    }
    void complete() override {
        context_.poll();  // what was begun or cancelled before comes first
        sent_ += asio::write(far_, asio::buffer("x", 1));
        context_.poll();
    }
    void release() override { context_.poll(); }
    void check(int) override { require(received_ + near_.available() == sent_, "bytes were lost"); }

  private:
    Task<void> run_context() {
        while (true) {
            context_.poll();
            co_await sleep(1ms);
        }
    }

    Form form_;
    asio::io_context context_;
    asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
    asio::local::stream_protocol::socket near_{context_}, far_{context_};
    std::size_t sent_ = 0;
    std::size_t received_ = 0;
};

// An operation without an executor, and without support for cancellation.
class AsioDeaf final : public Subject {
  public:
    Task<void> await() override {
        int item = co_await asio::async_initiate<const UseTask, void(int)>(
            [this](auto handler) { receive(std::move(handler)); }, use_task);
        received_ += item;
    }
    void complete() override {
        ++posted_;
        if (handler_) {
            std::exchange(handler_, nullptr)(1);
        } else {
            ++items_;
        }
    }
    void release() override {
        if (handler_) complete();
    }
    void check(int) override { require(received_ + items_ == posted_, "an item was lost"); }

  private:
    template <class Handler>
    void receive(Handler handler) {
        if (items_ == 0) {
            handler_ = std::move(handler);
        } else {
            --items_;
            std::move(handler)(1);
        }
    }

    MoveFunction<void(int)> handler_;
    int items_ = 0;
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
    matrix.add<AsioRead>("use_task", {}, {}, "a socket", AsioRead::Form::plain);
    matrix.add<AsioRead>("use_task", {}, {}, "a socket, as_tuple", AsioRead::Form::as_tuple);
    matrix.add<AsioRead>("use_task", {}, {}, "a socket, not begun yet", AsioRead::Form::not_begun);
    matrix.add<AsioDeaf>("use_task", goes_on, {}, "cannot be cancelled");
}

}  // namespace coracle::matrix
