// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/scheduler.h>

#include <coracle/base/assert.h>
#include <coracle/base/error.h>
#include <coracle/core/cancel.h>
#include <coracle/core/loop.h>
#include <coracle/core/scope.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>

#include <algorithm>
#include <exception>
#include <optional>

namespace coracle {

struct Scheduler::Schedule {
    Id id = 0;
    std::optional<Cron> cron;
    Period period{};
    Start start;
    bool is_active = false;  // its job runs or waits
    std::optional<TaskHandle<void>> driver;
};

struct Scheduler::Job {
    Start start;
    Semaphore::Permit permit;
    std::shared_ptr<Schedule> schedule;  // null for spawn()

    Job(Start s, Semaphore::Permit p, std::shared_ptr<Schedule> of)
        : start(std::move(s)), permit(std::move(p)), schedule(std::move(of)) {
        if (schedule) schedule->is_active = true;
    }
    Job(Job&&) noexcept = default;
    Job& operator=(Job&&) = delete;
    ~Job() {
        if (schedule) schedule->is_active = false;
    }

    // The schedule keeps its function, for the next time.
    Task<void> begin() { return schedule ? schedule->start() : start(); }
};

Scheduler::Scheduler(SchedulerOptions options)
    : options_(options), room_(options.limit + options.pending_max) {
    if (options.limit == 0) throw Error("Scheduler: the limit is at least one job");
}

Scheduler::~Scheduler() { CORACLE_ASSERT(!jobs_ && !drivers_); }

Scheduler::Id Scheduler::add(Period period, Start start) {
    if (period.every <= Duration::zero()) throw Error("Scheduler: a period is above zero");
    auto schedule = std::make_shared<Schedule>();
    schedule->period = period;
    schedule->start = std::move(start);
    return add(std::move(schedule));
}

Scheduler::Id Scheduler::add(const Cron& cron, Start start) {
    auto schedule = std::make_shared<Schedule>();
    schedule->cron = cron;
    schedule->start = std::move(start);
    return add(std::move(schedule));
}

Scheduler::Id Scheduler::add(std::shared_ptr<Schedule> schedule) {
    schedule->id = ++last_id_;
    if (drivers_) drive(schedule);
    schedules_.emplace(last_id_, std::move(schedule));
    return last_id_;
}

bool Scheduler::cancel(Id id) {
    auto found = schedules_.find(id);
    if (found == schedules_.end()) return false;
    if (found->second->driver) found->second->driver->cancel("the schedule was cancelled");
    schedules_.erase(found);
    return true;
}

void Scheduler::drive(const std::shared_ptr<Schedule>& schedule) {
    schedule->driver.emplace(drivers_->create_task(drive_schedule, std::ref(*this), schedule));
    schedule->driver->set_name("schedule " + std::to_string(schedule->id));
}

Task<void> Scheduler::drive_schedule(Scheduler& self, std::shared_ptr<Schedule> schedule) {
    if (schedule->cron) {
        co_await self.keep_cron(schedule);
    } else {
        co_await self.keep_period(schedule);
    }
}

Task<void> Scheduler::keep_period(std::shared_ptr<Schedule> schedule) {
    EventLoop& loop = EventLoop::current();
    const Period& period = schedule->period;
    Duration first = period.first < Duration::zero() ? period.every : period.first;
    TimePoint due = saturating_add(loop.time(), first);
    for (;;) {
        co_await sleep(due - loop.time());
        come_due(schedule);
        due = saturating_add(due, period.every);
        if (TimePoint now = loop.time(); due <= now) {
            auto missed = (now - due) / period.every + 1;
            counts_.skipped += static_cast<std::uint64_t>(missed);
            due += missed * period.every;
        }
    }
}

Task<void> Scheduler::keep_cron(std::shared_ptr<Schedule> schedule) {
    auto now = options_.wall_clock ? options_.wall_clock : &std::chrono::system_clock::now;
    // The wall clock may be set while we wait, so look at it once a minute.
    constexpr Duration look = 60s;
    for (auto after = now();;) {
        auto due = schedule->cron->next(after);
        if (!due) co_return;
        while (now() < *due) {
            auto left = std::chrono::duration_cast<Duration>(*due - now());
            co_await sleep(std::min(left, look));
        }
        come_due(schedule);
        after = std::max<std::chrono::system_clock::time_point>(now(), *due);
    }
}

void Scheduler::come_due(const std::shared_ptr<Schedule>& schedule) {
    if (schedule->is_active || !submit_nowait(nullptr, schedule)) ++counts_.skipped;
}

bool Scheduler::submit_nowait(Start start, std::shared_ptr<Schedule> schedule) {
    if (closed_) return false;
    auto permit = room_.acquire_nowait();
    if (!permit) return false;
    submit(Job(std::move(start), std::move(*permit), std::move(schedule)));
    return true;
}

Task<void> Scheduler::do_spawn(Start start) {
    auto permit = co_await room_.acquire();
    if (closed_) throw Error("spawn on a scheduler that is shutting down");
    submit(Job(std::move(start), std::move(permit), nullptr));
}

void Scheduler::submit(Job job) {
    auto owned = std::make_unique<Job>(std::move(job));
    if (jobs_ && running_ < options_.limit) {
        ++running_;
        jobs_->create_task(run_job, std::ref(*this), std::move(owned));
    } else {
        pending_.push_back(std::move(owned));
    }
}

Task<void> Scheduler::run_job(Scheduler& self, std::unique_ptr<Job> job) {
    std::exception_ptr error;
    bool cancelled = false;
    try {
        co_await job->begin();
    } catch (const Cancelled&) {
        cancelled = true;  // only the end of the grace does this, which nobody needs to hear of
    } catch (...) {
        error = std::current_exception();
    }
    ++self.counts_.completed;
    if (error) {
        ++self.counts_.failed;
        EventLoop::current().call_exception_handler({"a scheduled job failed", error});
    }
    job.reset();
    if (!self.pending_.empty() && !self.closed_ && !cancelled) {
        auto next = std::move(self.pending_.front());
        self.pending_.pop_front();
        self.jobs_->create_task(run_job, std::ref(self), std::move(next));
    } else if (--self.running_ == 0) {
        self.idle_.set();
    }
}

Task<void> Scheduler::run() { return do_run(); }

Task<void> Scheduler::do_run() {
    co_await task_group([&](TaskGroup& group) -> Task<void> {
        drivers_ = &group;
        group.create_task(&Scheduler::host_jobs, this);
        for (auto& [id, schedule] : schedules_) drive(schedule);
        std::exception_ptr cancelled;
        try {
            co_await stop_.wait();
        } catch (const Cancelled&) {
            cancelled = std::current_exception();
        }
        drivers_ = nullptr;
        for (auto& [id, schedule] : schedules_) {
            if (schedule->driver) schedule->driver->cancel("the scheduler is shutting down");
        }
        closed_ = true;
        closing_.set();
        if (cancelled) std::rethrow_exception(cancelled);
    });
}

// Shielded: jobs have their grace, whatever ends the scheduler.
Task<void> Scheduler::host_jobs() {
    auto host = [&]() -> Task<void> {
        co_await task_group([&](TaskGroup& jobs) -> Task<void> {
            jobs_ = &jobs;
            while (!pending_.empty() && running_ < options_.limit) {
                auto next = std::move(pending_.front());
                pending_.pop_front();
                ++running_;
                jobs.create_task(run_job, std::ref(*this), std::move(next));
            }
            co_await closing_.wait();
            jobs_ = nullptr;
            pending_.clear();
            if (running_ == 0) co_return;
            idle_.clear();
            co_await move_on_after(options_.grace, [&]() -> Task<void> { co_await idle_.wait(); });
            jobs.cancel("the scheduler's grace is over");
        });
    };
    co_await shield(host());
}

SchedulerStatistics Scheduler::statistics() const noexcept {
    SchedulerStatistics statistics = counts_;
    statistics.running = running_;
    statistics.pending = pending_.size();
    return statistics;
}

}  // namespace coracle
