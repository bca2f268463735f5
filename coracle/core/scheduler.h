// SPDX-License-Identifier: Apache-2.0
// Scheduler: jobs that repeat, and jobs that run now, with a limit and an orderly end.
#pragma once

#include <coracle/base/clock.h>
#include <coracle/base/move_function.h>
#include <coracle/core/cron.h>
#include <coracle/core/event.h>
#include <coracle/core/semaphore.h>
#include <coracle/core/spawn.h>
#include <coracle/core/task.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace coracle {

class TaskGroup;

struct SchedulerOptions {
    // Jobs that run at the same time.
    std::size_t limit = 100;
    // Jobs that are due and wait for a place. A schedule that comes due beyond it is skipped.
    std::size_t pending_max = 10'000;
    // How long jobs that run at shutdown may go on before they are cancelled. Those that wait are
    // dropped.
    Duration grace = 60s;
    // What cron() reads; null is the system's. For tests.
    std::chrono::system_clock::time_point (*wall_clock)() = nullptr;
};
static_assert(std::is_trivially_copyable_v<SchedulerOptions>);

// When every() calls its function.
struct Period {
    Duration every;
    // The first time; negative stands for one period from the start.
    Duration first = Duration(-1);
};
static_assert(std::is_trivially_copyable_v<Period>);

struct SchedulerStatistics {
    std::size_t running = 0;
    std::size_t pending = 0;
    std::uint64_t completed = 0;  // however they ended
    std::uint64_t failed = 0;     // of those, with an exception
    std::uint64_t skipped = 0;    // came due while the job still ran, or found no room
};

// Runs functions that return Task<void>, by the clock or at once. An exception of a job goes to the
// loop's exception handler; the schedule goes on. Belongs to one loop.
//
//   Task<void> schedules(web::Application& app) {
//       Scheduler scheduler({.limit = 4, .grace = 10s});
//       scheduler.every(30s, refresh, std::ref(app));
//       scheduler.cron("0 3 * * *", back_up, std::string("/var/lib/shop"));
//       co_await scheduler.run();                       // until it is cancelled
//   }
//
// A schedule never overlaps itself: what comes due while its job still runs or waits is skipped and
// counted. Periods are kept to the start, they do not drift; moments missed while the loop was
// blocked are skipped. Functions and arguments as for create_task(), but the arguments stay with
// the schedule, and each call gets them as const references.
class Scheduler {
  public:
    explicit Scheduler(SchedulerOptions options = {});
    Scheduler(const Scheduler&) = delete;
    Scheduler& operator=(const Scheduler&) = delete;
    // Not while run() is in progress.
    ~Scheduler();

    using Id = std::uint64_t;

    // Adds a schedule, before or during run(). Error for a period that is not above zero.
    template <class Rep, class Span, class F, class... A>
    Id every(std::chrono::duration<Rep, Span> period, F&& fn, A&&... args) {
        return every(Period{to_duration(period)}, std::forward<F>(fn), std::forward<A>(args)...);
    }
    template <class F, class... A>
    Id every(Period period, F&& fn, A&&... args) {
        return add(period, repeated(std::forward<F>(fn), std::forward<A>(args)...));
    }
    // Error for a line that is no schedule, see Cron. In UTC.
    template <class F, class... A>
    Id cron(std::string_view line, F&& fn, A&&... args) {
        return add(Cron::parse(line), repeated(std::forward<F>(fn), std::forward<A>(args)...));
    }
    // No more calls; a job that runs goes on. False when there is no such schedule.
    bool cancel(Id id);

    // Runs fn(args...) once, as soon as there is a place; the arguments are moved into it. Waits
    // while limit + pending_max jobs are there. Throws Error once the scheduler is shutting down.
    template <class F, class... A>
    Task<void> spawn(F&& fn, A&&... args) {
        return do_spawn(once(std::forward<F>(fn), std::forward<A>(args)...));
    }
    // Without waiting: false when there is no room, or when it is shutting down.
    template <class F, class... A>
    bool spawn_nowait(F&& fn, A&&... args) {
        return submit_nowait(once(std::forward<F>(fn), std::forward<A>(args)...), nullptr);
    }

    // Runs the jobs until stop(), or until it is cancelled, then lets those that run end within
    // options.grace and cancels the rest. Once.
    Task<void> run();
    // Makes run() shut down. Harmless when it has.
    void stop() noexcept { stop_.set(); }

    SchedulerStatistics statistics() const noexcept;

  private:
    using Start = MoveFunction<Task<void>()>;
    struct Schedule;
    struct Job;

    template <class F, class... A>
    static Start repeated(F&& fn, A&&... args);
    template <class F, class... A>
    static Start once(F&& fn, A&&... args);

    Id add(Period period, Start start);
    Id add(const Cron& cron, Start start);
    Id add(std::shared_ptr<Schedule> schedule);
    void drive(const std::shared_ptr<Schedule>& schedule);
    bool submit_nowait(Start start, std::shared_ptr<Schedule> schedule);
    void submit(Job job);
    void come_due(const std::shared_ptr<Schedule>& schedule);

    Task<void> do_spawn(Start start);
    Task<void> do_run();
    Task<void> host_jobs();
    Task<void> keep_period(std::shared_ptr<Schedule> schedule);
    Task<void> keep_cron(std::shared_ptr<Schedule> schedule);
    static Task<void> drive_schedule(Scheduler& self, std::shared_ptr<Schedule> schedule);
    static Task<void> run_job(Scheduler& self, std::unique_ptr<Job> job);

    SchedulerOptions options_;
    Semaphore room_;  // one permit per job that runs or waits
    std::map<Id, std::shared_ptr<Schedule>> schedules_;
    std::deque<std::unique_ptr<Job>> pending_;
    Event stop_;
    Event closing_;
    Event idle_;
    TaskGroup* drivers_ = nullptr;  // while run() takes schedules
    TaskGroup* jobs_ = nullptr;     // while jobs can be started
    Id last_id_ = 0;
    std::size_t running_ = 0;
    bool closed_ = false;
    SchedulerStatistics counts_;
};

// Implementation

template <class F, class... A>
Scheduler::Start Scheduler::repeated(F&& fn, A&&... args) {
    using Callable = std::decay_t<F>;
    static_assert(internal::is_stateless_callable<Callable>,
                  "the schedule would outlive the lambda's captures: pass them as arguments after "
                  "the function");
    static_assert((!internal::is_view<std::decay_t<A>> && ...),
                  "the schedule would outlive the view: pass a std::string or std::vector");
    static_assert(
        std::is_invocable_r_v<Task<void>, Callable&, const std::decay_t<A>&...>,
        "the function returns a Task<void> and takes its arguments by value, by const reference, "
        "or by reference from std::ref");
    static_assert(!internal::dangles<F, A...>,
                  "the function takes a reference to another type than the argument's, and what "
                  "would be made for it is gone before the job runs: pass an object of that type, "
                  "such as std::string(\"literal\")");
    return [function = Callable(std::forward<F>(fn)),
            arguments = std::tuple<std::decay_t<A>...>(std::forward<A>(args)...)]() mutable {
        return std::apply([&](const auto&... stored) { return std::invoke(function, stored...); },
                          arguments);
    };
}

template <class F, class... A>
Scheduler::Start Scheduler::once(F&& fn, A&&... args) {
    internal::check_spawn<F, A...>();
    return [function = std::decay_t<F>(std::forward<F>(fn)),
            arguments = std::tuple<std::decay_t<A>...>(std::forward<A>(args)...)]() mutable {
        return std::apply(
            [&](auto&... stored) { return std::invoke(function, internal::deliver(stored)...); },
            arguments);
    };
}

}  // namespace coracle
