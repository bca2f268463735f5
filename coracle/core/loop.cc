// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/loop.h>

#include <coracle/base/assert.h>
#include <coracle/base/error.h>
#include <coracle/base/log.h>
#include <coracle/core/internal/backend_counts.h>
#include <coracle/core/internal/fd_watchers.h>
#include <coracle/core/internal/loop_registry.h>
#include <coracle/core/internal/signals.h>
#include <coracle/core/task_tree.h>

#include <algorithm>
#include <string>
#include <thread>
#include <typeinfo>

namespace coracle {

namespace internal {
thread_local constinit EventLoop* running_loop = nullptr;
}

namespace {

using internal::coarse_now;
using internal::running_loop;

// Makes the loop current for this thread while it runs.
class CurrentLoop {
  public:
    explicit CurrentLoop(EventLoop& loop) {
        if (running_loop && running_loop != &loop) {
            internal::fatal("a loop was run inside another loop of the same thread: await instead");
        }
        previous_ = std::exchange(running_loop, &loop);
        loop.internal_set_thread(internal::this_thread_token());
    }
    ~CurrentLoop() {
        if (!previous_) running_loop->internal_set_thread(nullptr);
        running_loop = previous_;
    }
    CurrentLoop(const CurrentLoop&) = delete;
    CurrentLoop& operator=(const CurrentLoop&) = delete;

  private:
    EventLoop* previous_;
};

}  // namespace

// A function to call once, on the ready queue or posted from another thread.
struct EventLoop::Callback final : internal::Runnable {
    explicit Callback(EventLoop& l, MoveFunction<void()> f) : loop(l), fn(std::move(f)) {}

    void run() override {
        std::unique_ptr<Callback> self(this);
        try {
            fn();
        } catch (...) {
            loop.call_exception_handler({"a callback threw", std::current_exception()});
        }
        loop.internal_step_ended(nullptr);
    }

    EventLoop& loop;
    MoveFunction<void()> fn;
};

class TimerHandle::Call final : public Timer, public ListLink<> {
  public:
    Call(EventLoop& loop, MoveFunction<void()> fn) : loop_(loop), fn_(std::move(fn)) {}

    // Keeps itself alive while scheduled; the loop drops what is left when it ends.
    void schedule(std::shared_ptr<Call> self, TimePoint when) {
        self_ = std::move(self);
        loop_.timers().add(*this, when);
    }
    void drop() noexcept {
        Timer::cancel();
        unlink();
        auto last = std::move(self_);
    }

  private:
    void fire() noexcept override {
        unlink();
        auto last = std::move(self_);
        loop_.call_soon(std::move(fn_));
    }

    EventLoop& loop_;
    MoveFunction<void()> fn_;
    std::shared_ptr<Call> self_;
};

TimerHandle::TimerHandle(std::shared_ptr<Call> call) noexcept : call_(std::move(call)) {}

void TimerHandle::cancel() noexcept {
    if (auto call = call_.lock()) call->drop();
}

struct EventLoop::Signals : internal::SignalHandlers {
    using SignalHandlers::SignalHandlers;
};

struct EventLoop::Watchers : internal::FdWatchers {
    using FdWatchers::FdWatchers;
};

EventLoop::EventLoop(LoopOptions options, std::source_location created)
    : EventLoop(make_io_backend(options.backend), options, created) {}

EventLoop::EventLoop(std::unique_ptr<IoBackend> backend, LoopOptions options,
                     std::source_location created)
    : options_(options),
      created_(created),
      backend_(std::move(backend)),
      root_scope_(*this, nullptr),
      turn_time_(time()),
      random_(options.seed) {
    options_.backend = {};
    internal::count_loop_on(backend_->name());
    internal::register_loop(*this);
}

EventLoop::~EventLoop() {
    close();
    while (posting_.load(std::memory_order_acquire) > 0) std::this_thread::yield();
    signals_.reset();
    watchers_.reset();
    internal::unregister_loop(*this);
    while (TimerHandle::Call* call = calls_.pop_front()) call->drop();
    while (internal::Runnable* item = ready_.pop()) item->run();
}

void EventLoop::close() {
    CurrentLoop current(*this);
    root_scope_.cancel("the loop is closing");
    Duration began = coarse_mark_ = coarse_now();
    while (!tasks_.empty()) {
        auto limit = call_later(100ms, [] {});  // a wait that looks at the clock again
        turn(true);
        limit.cancel();
        if (coarse_now() - began < options_.close_timeout) continue;
        log::write_block(log::Level::error, "loop", task_tree(*this));
        internal::fatal(
            "a loop was destroyed while the tasks above did not end after they were cancelled");
    }
    while (!ready_.empty() || take_posted()) turn(false);
}

EventLoop& EventLoop::current() {
    if (!running_loop) {
        internal::fatal(
            "no event loop runs on this thread: call this from a task, or from within run()");
    }
    return *running_loop;
}

TimePoint EventLoop::time() const {
    return options_.clock ? options_.clock->now() : TimePoint(std::chrono::steady_clock::now());
}

LoopStatistics EventLoop::statistics() const noexcept {
    LoopStatistics statistics = statistics_;
    statistics.timers = timers_.size();
    return statistics;
}

void EventLoop::run_until_done(const internal::TaskNode& task) {
    CurrentLoop current(*this);
    stopping_ = false;
    coarse_mark_ = coarse_now();
    while (!task.is_done() && !stopping_) turn(true);
    if (!task.is_done()) throw Error("the event loop was stopped before " + task.name() + " ended");
}

void EventLoop::run_forever() {
    CurrentLoop current(*this);
    stopping_ = false;
    coarse_mark_ = coarse_now();
    while (!stopping_) turn(true);
}

void EventLoop::stop_threadsafe() noexcept {
    try {
        call_soon_threadsafe([this] { stop(); });
    } catch (const std::bad_alloc&) {
        internal::fatal("out of memory while stopping a loop");
    }
}

bool EventLoop::poll() {
    CurrentLoop current(*this);
    coarse_mark_ = coarse_now();
    turn(false);
    if (!ready_.empty() || take_posted()) return true;
    // The host waits on fd() now, so a post must write to it.
    if (!prepare_to_sleep()) return true;
    backend_->flush();
    return !ready_.empty();
}

TimePoint EventLoop::next_deadline() const noexcept {
    return ready_.empty() ? timers_.next() : TimePoint::min();
}

// Looks outside first, so that whoever counts turns sees what the steps did before the next wait.
void EventLoop::turn(bool may_wait) {
    take_posted();
    // On a clock of the caller's the real time that steps take must not decide what runs when.
    bool time_has_passed = !options_.clock && coarse_mark_ > coarse_look_;
    if (ready_.empty() || steps_since_look_ >= IoBackend::steps_between_looks || time_has_passed) {
        look_outside(may_wait);
    }
    if (options_.seed != 0) {
        run_ready_shuffled();
    } else {
        run_ready();
    }
}

void EventLoop::run_ready() {
    for (int steps = 0; steps < IoBackend::steps_between_looks; ++steps) {
        internal::Runnable* item = ready_.pop();
        if (!item) break;
        ++steps_since_look_;
        item->run();
    }
}

void EventLoop::run_ready_shuffled() {
    while (internal::Runnable* item = ready_.pop()) batch_.push_back(item);
    std::shuffle(batch_.begin(), batch_.end(), random_);
    std::vector<internal::Runnable*> batch;
    batch.swap(batch_);
    for (internal::Runnable* item : batch) {
        ++steps_since_look_;
        item->run();
    }
}

void EventLoop::look_outside(bool may_wait) {
    statistics_.steps += static_cast<std::uint64_t>(steps_since_look_);
    ++statistics_.polls;
    steps_since_look_ = 0;
    TimePoint until = TimePoint::min();
    if (may_wait && ready_.empty() && !stopping_) {
        until = timers_.next();
        if (!prepare_to_sleep()) until = TimePoint::min();
    }
    backend_->wait(until, std::max(turn_time_, TimePoint(coarse_mark_)));
    asleep_.store(false, std::memory_order_relaxed);
    turn_time_ = time();
    timers_.fire_until(turn_time_);
    take_posted();
    if (signal_pending_.exchange(false, std::memory_order_acquire)) dispatch_signals();
    // The coarse clock is the precise one of its last tick.
    coarse_mark_ = coarse_look_ = options_.clock ? coarse_now() : turn_time_.time_since_epoch();
}

// Declares that posts must wake us. False when something was posted already.
bool EventLoop::prepare_to_sleep() noexcept {
    asleep_.store(true, std::memory_order_seq_cst);
    if (!posted_.load(std::memory_order_seq_cst)) return true;
    asleep_.store(false, std::memory_order_relaxed);
    take_posted();
    return false;
}

void EventLoop::note_step(const internal::TaskNode* task, Duration now) noexcept {
    Duration took = now - coarse_mark_;
    coarse_mark_ = now;
    statistics_.longest_step = std::max(statistics_.longest_step, took);
    if (took >= options_.slow_step && options_.slow_step > Duration::zero())
        note_slow_step(task, took);
}

void EventLoop::note_slow_step(const internal::TaskNode* task, Duration took) noexcept {
    ++statistics_.slow_steps;
    auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
    std::string text = "the loop was blocked for " + std::to_string(ms) + " ms by ";
    text += task ? describe_task(*task) : std::string("a callback");
    text += ": move such work to a pool with to_thread() or run_in_executor()";
    log::warning("loop", text);
}

void EventLoop::call_soon(MoveFunction<void()> fn) {
    internal_check_thread("an EventLoop (call_soon)");
    ready_.push(*new Callback(*this, std::move(fn)));
}

void EventLoop::call_soon_threadsafe(MoveFunction<void()> fn) {
    internal_post(*new Callback(*this, std::move(fn)));
}

TimerHandle EventLoop::call_later(Duration delay, MoveFunction<void()> fn) {
    return call_at(saturating_add(time(), delay), std::move(fn));
}

TimerHandle EventLoop::call_at(TimePoint when, MoveFunction<void()> fn) {
    internal_check_thread("an EventLoop (call_at)");
    auto call = std::make_shared<TimerHandle::Call>(*this, std::move(fn));
    if (when == no_deadline) return TimerHandle(call);
    calls_.push_back(*call);
    call->schedule(call, when);
    return TimerHandle(call);
}

void EventLoop::internal_post(internal::Runnable& item) noexcept {
    // Once the entry is on the stack the loop may run it, and that may be the last thing it does:
    // the count keeps the loop alive until we have looked whether it must be woken.
    posting_.fetch_add(1, std::memory_order_relaxed);
    internal::Runnable* top = posted_.load(std::memory_order_relaxed);
    do {
        item.next = top;
    } while (!posted_.compare_exchange_weak(top, &item, std::memory_order_seq_cst,
                                            std::memory_order_relaxed));
    if (asleep_.load(std::memory_order_seq_cst) &&
        asleep_.exchange(false, std::memory_order_seq_cst)) {
        backend_->wake();
    }
    posting_.fetch_sub(1, std::memory_order_release);
}

// Moves what other threads posted to the ready queue, oldest first. True if there was anything.
bool EventLoop::take_posted() noexcept {
    if (!posted_.load(std::memory_order_relaxed)) return false;
    internal::Runnable* stack = posted_.exchange(nullptr, std::memory_order_acquire);
    internal::Runnable* oldest = nullptr;
    while (stack) {
        internal::Runnable* next = stack->next;
        stack->next = oldest;
        oldest = stack;
        stack = next;
    }
    while (oldest) {
        internal::Runnable* next = oldest->next;
        ready_.push(*oldest);
        oldest = next;
    }
    return true;
}

void EventLoop::task_ended(internal::TaskNode& task, const std::exception_ptr& error) noexcept {
    if (!error || task.has_handles()) return;
    call_exception_handler({task.name() + " ended with an exception that nobody awaits", error});
}

void EventLoop::set_exception_handler(MoveFunction<void(const ExceptionContext&)> fn) {
    exception_handler_ = std::move(fn);
}

void EventLoop::call_exception_handler(const ExceptionContext& context) noexcept {
    if (exception_handler_) {
        std::exception_ptr error;
        try {
            exception_handler_(context);
        } catch (...) {
            error = std::current_exception();
        }
        if (!error) return;
        log::error("loop", "the exception handler threw " + describe_exception(error));
    }
    log::error("loop", context.message + ": " + describe_exception(context.exception));
}

EventLoop::Watchers& EventLoop::watchers() {
    if (!watchers_) watchers_ = std::make_unique<Watchers>(*this);
    return *watchers_;
}

void EventLoop::add_reader(int fd, MoveFunction<void()> fn) {
    watchers().add(fd, Readiness::Direction::readable, std::move(fn));
}
void EventLoop::add_writer(int fd, MoveFunction<void()> fn) {
    watchers().add(fd, Readiness::Direction::writable, std::move(fn));
}
bool EventLoop::remove_reader(int fd) {
    return watchers_ && watchers_->remove(fd, Readiness::Direction::readable);
}
bool EventLoop::remove_writer(int fd) {
    return watchers_ && watchers_->remove(fd, Readiness::Direction::writable);
}

void EventLoop::add_signal_handler(int signal, MoveFunction<void()> fn, SignalTap tap) {
    if (!signals_) signals_ = std::make_unique<Signals>(signal_pending_, *backend_);
    signals_->add(signal, std::move(fn), tap);
}

bool EventLoop::remove_signal_handler(int signal) { return signals_ && signals_->remove(signal); }

void EventLoop::dispatch_signals() {
    if (signals_) signals_->dispatch(*this);
}

}  // namespace coracle
