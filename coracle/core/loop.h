// SPDX-License-Identifier: Apache-2.0
// EventLoop: runs ready tasks, fires timers, waits for I/O. One loop, one thread.
#pragma once

#include <coracle/base/clock.h>
#include <coracle/base/move_function.h>
#include <coracle/core/cancel.h>
#include <coracle/core/current_task.h>
#include <coracle/core/internal/coarse_clock.h>
#include <coracle/core/internal/loop_bound.h>
#include <coracle/core/internal/task_node.h>
#include <coracle/core/io_backend.h>
#include <coracle/core/spawn.h>
#include <coracle/core/task.h>
#include <coracle/core/timer.h>

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <random>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace coracle {

namespace internal {
extern thread_local constinit EventLoop* running_loop;  // null on a thread where none runs
}

struct LoopOptions {
    // A step (the run of one task between two suspensions) that takes longer is logged with the
    // task's name and where it was when it ended. Measured with a coarse clock of a few
    // milliseconds. Zero turns it off.
    Duration slow_step = 50ms;
    // Non-zero: ready tasks run in an order drawn from this seed instead of first-in first-out. For
    // tests.
    std::uint64_t seed = 0;
    // How long the destructor lets cancelled tasks take to end before it names them and aborts.
    Duration close_timeout = 10s;
    // Where time comes from; null is the system's monotonic clock. Must outlive the loop.
    ClockSource* clock = nullptr;
    // How it waits for descriptors: "epoll", "io_uring" or "libuv"; empty is what the environment
    // variable CORACLE_LOOP says, or else epoll. See make_io_backend(). Needs to live for the
    // constructor of the loop only.
    std::string_view backend = {};
};
static_assert(std::is_trivially_copyable_v<LoopOptions>);

// What went wrong where nobody could catch it: in a callback, in a task or future that nobody
// awaits.
struct ExceptionContext {
    std::string message;           // "a callback threw"
    std::exception_ptr exception;  // not null
};

struct LoopStatistics {
    std::uint64_t steps = 0;       // task steps and callbacks run
    std::uint64_t polls = 0;       // times the backend was asked
    std::uint64_t slow_steps = 0;  // steps over LoopOptions::slow_step
    std::size_t tasks = 0;         // live tasks
    std::size_t timers = 0;        // scheduled timers
    Duration longest_step{};       // since the loop began, to the resolution of the coarse clock
};

// A function that runs inside a signal handler, and its argument.
struct SignalTap {
    void (*function)(void* argument) noexcept = nullptr;
    void* argument = nullptr;
};

// Cancels what call_later() scheduled. Copies refer to the same call; dropping the handle does not
// cancel.
class TimerHandle {
  public:
    TimerHandle() noexcept = default;
    // The call will not happen. Does nothing when it has, or was cancelled. On the loop's thread.
    void cancel() noexcept;

  private:
    friend class EventLoop;
    class Call;
    explicit TimerHandle(std::shared_ptr<Call> call) noexcept;
    std::weak_ptr<Call> call_;
};

// The loop. Most programs never name it: run() and web::run_app() make one. Not copyable, not
// movable; used from one thread, except call_soon_threadsafe(), stop_threadsafe() and wake().
//
// One turn: run every ready task once, take in calls from other threads, fire due timers, and look
// for I/O, waiting only when nothing is ready.
class EventLoop final : private internal::TaskOwner, public internal::Spawner<EventLoop> {
  public:
    // Throws Error for a backend that is not there, SystemError when the kernel refuses.
    explicit EventLoop(LoopOptions options = {},
                       std::source_location created = std::source_location::current());
    EventLoop(std::unique_ptr<IoBackend> backend, LoopOptions options,
              std::source_location created = std::source_location::current());
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;
    // Tasks still alive are cancelled and run to their end first; one that does not end is named
    // and aborts.
    ~EventLoop();

    // The loop that runs on this thread. Aborts with a sentence when there is none.
    static EventLoop& current();
    static EventLoop* current_or_null() noexcept { return internal::running_loop; }

    // Runs the task to its end and returns its result or throws its exception (asyncio's
    // run_until_complete). Other tasks of the loop run meanwhile and are left suspended when it
    // ends.
    template <class T>
    T run_until_complete(Task<T> task);

    // Runs until stop().
    void run_forever();
    // Makes run_forever() or run_until_complete() return after this turn.
    void stop() noexcept { stopping_ = true; }
    void stop_threadsafe() noexcept;

    // create_task(fn, args...) starts a task owned by the loop itself, its arguments (at most
    // eight) decayed into the task. An exception is logged when no handle is left to read it.
    // Prefer a TaskGroup, whose end waits for its children.
    using Spawner::create_task;

    // Calls fn on this loop's thread, after what is ready now. An exception is logged.
    void call_soon(MoveFunction<void()> fn);
    // The same from any thread; wakes the loop. Safe until the loop is destroyed.
    void call_soon_threadsafe(MoveFunction<void()> fn);
    // Calls fn after `delay`, or at `when` on this loop's clock.
    TimerHandle call_later(Duration delay, MoveFunction<void()> fn);
    TimerHandle call_at(TimePoint when, MoveFunction<void()> fn);

    // Calls fn on the loop's thread when the process gets the signal; replaces the previous handler
    // of this loop for it. At most one loop handles a signal. Throws SystemError for a signal that
    // cannot be caught.
    //   loop.add_signal_handler(SIGHUP, [&] { reload.set(); });
    // `tap` is called in addition, where and when the signal arrives: also while a step blocks this
    // loop, on any thread, and only with what signal-safety(7) allows.
    void add_signal_handler(int signal, MoveFunction<void()> fn, SignalTap tap = {});
    // Restores the signal's disposition from before. False if there was no handler.
    bool remove_signal_handler(int signal);

    // Calls fn on the loop's thread while the descriptor is readable (writable), once per turn;
    // replaces the previous one for it. Not for a descriptor that a stream of this loop has. Remove
    // it before the descriptor is closed. Throws SystemError for what cannot be watched, such as a
    // file; called before the loop runs, that goes to the exception handler.
    void add_reader(int fd, MoveFunction<void()> fn);
    void add_writer(int fd, MoveFunction<void()> fn);
    // fn is not called any more. False if there was none.
    bool remove_reader(int fd);
    bool remove_writer(int fd);

    // Gets what is thrown where nobody can catch it, instead of the log; empty restores that. What
    // fn itself throws is logged.
    void set_exception_handler(MoveFunction<void(const ExceptionContext&)> fn);
    // Hands something to that handler, or to the log.
    void call_exception_handler(const ExceptionContext& context) noexcept;

    // The time now, precisely.
    TimePoint time() const;
    // The time when this turn began: free to read, up to a turn old. For deadlines of seconds.
    TimePoint turn_time() const noexcept { return turn_time_; }

    TimerQueue& timers() noexcept { return timers_; }
    IoBackend& backend() noexcept { return *backend_; }
    // What it waits with: "epoll", "io_uring", "libuv", "virtual".
    std::string_view backend_name() const noexcept { return backend_->name(); }
    CancelScope& root_scope() noexcept { return root_scope_; }
    LoopStatistics statistics() const noexcept;

    // To be a guest in another loop, on one thread with it: wait until fd() is readable or
    // next_deadline() has come, call poll() until it returns false, and again. Every wake-up shows
    // in fd(): descriptors, other threads, signals. poll() may be called at any other time too, but
    // not from inside a task or callback of the loop. See docs/guide/loop.md.
    //
    // Where it is readable when there is something to do; for reading readiness only: never read,
    // written or closed. The same for the loop's life.
    int fd() const noexcept { return backend_->fd(); }
    // Runs what is ready, at most a few hundred steps, without waiting. True if there is more to
    // run at once.
    bool poll();
    // When poll() is due even if fd() stays quiet, on the clock of time(): TimePoint::min() for at
    // once, no_deadline for never. Ask after poll() has returned false.
    TimePoint next_deadline() const noexcept;

    // Something outside will wake this loop (a worker thread has a job of ours): while the count is
    // above zero, a virtual clock waits for it instead of jumping, and a wait without timers is no
    // deadlock.
    void external_begin() noexcept { ++external_; }
    void external_end() noexcept { --external_; }
    std::size_t external_pending() const noexcept { return external_; }

    // Calls fn(const TaskRef&) for each live task, oldest first. fn starts and ends none. On the
    // loop's thread.
    template <class F>
    void for_each_task(F&& fn) {
        for (internal::TaskNode& task : tasks_) fn(TaskRef(task));
    }

    // For the library.
    auto& internal_tasks() noexcept { return tasks_; }
    void internal_schedule(internal::Runnable& item) noexcept { ready_.push(item); }
    void internal_register(internal::TaskNode& task) noexcept {
        tasks_.push_back(task);
        ++statistics_.tasks;
    }
    void internal_unregister(internal::TaskNode& task) noexcept {
        static_cast<ListLink<internal::RegistryTag>&>(task).unlink();
        --statistics_.tasks;
    }
    internal::TaskNode* internal_running() const noexcept { return running_; }
    void internal_set_running(internal::TaskNode* task) noexcept { running_ = task; }
    // The running step is about to end: `task` is what ran, null for a callback.
    void internal_step_ended(internal::TaskNode* task) noexcept {
        Duration now = internal::coarse_now();
        if (now > coarse_mark_) [[unlikely]]
            note_step(task, now);
    }
    // An entry that other threads push and the loop runs; the pusher owns it until it runs. Wakes
    // the loop if asleep.
    void internal_post(internal::Runnable& item) noexcept;
    std::uint64_t internal_next_id() noexcept { return ++last_id_; }
    // Whether it is inside run_forever() or the like on a thread that is not the caller's.
    bool internal_runs_on_another_thread() const noexcept {
        const void* thread = thread_.load(std::memory_order_relaxed);
        return thread && thread != internal::this_thread_token();
    }
    void internal_set_thread(const void* token) noexcept {
        thread_.store(token, std::memory_order_relaxed);
    }
    // In debug mode, aborts when the loop runs on another thread. `what` names the call.
    void internal_check_thread(const char* what) const noexcept {
        if (is_debug() && internal_runs_on_another_thread()) internal::wrong_thread(what, created_);
    }

  private:
    friend internal::Spawner<EventLoop>;
    struct Callback;
    struct Signals;
    struct Watchers;

    Watchers& watchers();

    EventLoop& spawn_loop() noexcept { return *this; }
    CancelScope& spawn_scope() noexcept { return root_scope_; }
    internal::TaskOwner& spawn_owner() noexcept { return *this; }

    void task_ended(internal::TaskNode& task, const std::exception_ptr& error) noexcept override;
    void run_until_done(const internal::TaskNode& task);
    void turn(bool may_wait);
    void run_ready();
    void run_ready_shuffled();
    void look_outside(bool may_wait);
    bool take_posted() noexcept;
    bool prepare_to_sleep() noexcept;
    void note_step(const internal::TaskNode* task, Duration now) noexcept;
    void note_slow_step(const internal::TaskNode* task, Duration took) noexcept;
    void dispatch_signals();
    void close();

    LoopOptions options_;
    std::source_location created_;
    std::unique_ptr<IoBackend> backend_;
    TimerQueue timers_;
    IntrusiveList<TimerHandle::Call> calls_;  // scheduled by call_later() and call_at()
    internal::RunQueue ready_;
    IntrusiveList<internal::TaskNode, internal::RegistryTag> tasks_;
    CancelScope root_scope_;
    internal::TaskNode* running_ = nullptr;
    TimePoint turn_time_;
    std::uint64_t last_id_ = 0;
    std::size_t external_ = 0;
    bool stopping_ = false;
    int steps_since_look_ = 0;
    Duration coarse_mark_{};  // coarse time when the running step began
    Duration coarse_look_{};  // coarse time of the latest look outside
    LoopStatistics statistics_;
    std::mt19937_64 random_;
    std::unique_ptr<Signals> signals_;
    std::unique_ptr<Watchers> watchers_;
    MoveFunction<void(const ExceptionContext&)> exception_handler_;
    std::vector<internal::Runnable*> batch_;

    std::atomic<bool> signal_pending_{false};
    // From other threads: a stack of posted entries, and whether a wake-up is needed to have them
    // seen.
    std::atomic<internal::Runnable*> posted_{nullptr};
    std::atomic<bool> asleep_{false};
    std::atomic<int> posting_{0};               // threads inside internal_post()
    std::atomic<const void*> thread_{nullptr};  // whose thread it runs on; null while it does not
};

// The running loop, as asyncio calls it. Aborts outside of one.
inline EventLoop& get_running_loop() { return EventLoop::current(); }

// Implementation

template <class T>
T EventLoop::run_until_complete(Task<T> task) {
    auto handle = internal::adopt({*this, root_scope_, *this, std::source_location::current()},
                                  std::move(task));
    run_until_done(handle.internal_node());
    return handle.result();
}

}  // namespace coracle
