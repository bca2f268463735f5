// SPDX-License-Identifier: Apache-2.0
// Rows of what runs a body or other tasks: groups, gather, timeouts, shields, schedulers.
#include "matrix.h"

#include <coracle/core/as_completed.h>
#include <coracle/core/gather.h>
#include <coracle/core/scheduler.h>
#include <coracle/core/try_finally.h>

#include <optional>

namespace coracle::matrix {
namespace {

// It runs tasks of its own: a completion reaches those first.
constexpr Traits through_tasks = {.result_wins = false};

std::vector<Task<int>> two(WaitsInside& subject) {
    std::vector<Task<int>> tasks;
    tasks.push_back(subject.inner_value());
    tasks.push_back(subject.inner_value());
    return tasks;
}

Task<void> call_as_task(WaitsInside& s) {
    Task<void> task = as_task(s.event.wait());
    co_await std::move(task);
}
Task<void> call_cancel_scope(WaitsInside& s) {
    bool by_itself = co_await cancel_scope([&](CancelScope&) { return s.inner(); });
    require(by_itself, "a scope that nobody cancelled absorbed something");
}
Task<void> call_timeout(WaitsInside& s) {
    co_await timeout(1h, [&] { return s.inner(); });
}
Task<void> call_timeout_at(WaitsInside& s) {
    co_await timeout_at(get_running_loop().time() + 1h, [&] { return s.inner(); });
}
Task<void> call_fail_after(WaitsInside& s) {
    co_await fail_after(1h, [&] { return s.inner(); });
}
Task<void> call_move_on_after(WaitsInside& s) {
    bool by_itself = co_await move_on_after(1h, [&] { return s.inner(); });
    require(by_itself, "it moved on before its time");
}
Task<void> call_wait_for(WaitsInside& s) { co_await wait_for(s.event.wait(), 1h); }
Task<void> call_shield(WaitsInside& s) { co_await shield(s.inner()); }
Task<void> call_gather_tasks(WaitsInside& s) {
    auto results = co_await gather(two(s));
    require(results.size() == 2, "a result was lost");
}
Task<void> call_gather_limited(WaitsInside& s) {
    auto results = co_await gather(two(s), {.limit = 1});
    require(results.size() == 2, "a result was lost");
}
Task<void> call_gather_awaitables(WaitsInside& s) { co_await gather(s.inner(), s.event.wait()); }
Task<void> call_gather_settled_tasks(WaitsInside& s) {
    auto results = co_await gather_settled(two(s));
    for (auto& result : results) require(static_cast<bool>(result), "a result became an error");
}
Task<void> call_gather_settled_awaitables(WaitsInside& s) {
    co_await gather_settled(s.inner(), s.event.wait());
}
Task<void> call_as_completed(WaitsInside& s) {
    int given = 0;
    co_await as_completed(two(s), [&](int) -> Task<void> {
        ++given;
        co_return;
    });
    require(given == 2, "a result was lost");
}
Task<void> call_task_group(WaitsInside& s) {
    co_await task_group([&](TaskGroup& group) -> Task<void> {
        group.create_task(&WaitsInside::inner, &s);
        co_await s.inner();
    });
}
Task<void> call_task_group_child(WaitsInside& s) {
    co_await task_group([&](TaskGroup& group) -> Task<void> {
        group.create_task(&WaitsInside::inner, &s);
        co_return;
    });
}

Task<void> child_that_starts(WaitsInside& s, TaskStarted<int> started) {
    co_await s.inner();
    started(5);
    co_await s.inner();
}

class GroupStart final : public WaitsInside {
  public:
    Task<void> set_up(TaskGroup& helpers) override {
        helpers_ = &helpers;
        before_ = helpers.size();
        co_return;
    }
    Task<void> await() override {
        int told = co_await helpers_->start<int>(child_that_starts,
                                                 std::ref(static_cast<WaitsInside&>(*this)));
        require(told == 5, "start() gave another value");
    }
    void check(int returned) override {
        WaitsInside::check(returned);
        require(helpers_->size() == before_, "a child whose start was cancelled lives on");
    }

  private:
    TaskGroup* helpers_ = nullptr;
    std::size_t before_ = 0;
};

class TryFinally final : public WaitsInside {
  public:
    Task<void> await() override {
        ++begun_;
        co_await try_finally([&]() -> Task<void> { co_await inner(); },
                             [&]() -> Task<void> {
                                 co_await sleep(0s);
                                 ++cleaned_;
                             });
    }
    void check(int returned) override {
        WaitsInside::check(returned);
        require(begun_ == cleaned_, "a clean-up was lost");
    }

  private:
    int begun_ = 0;
    int cleaned_ = 0;
};

// ---- Scheduler

Task<void> nothing() { co_return; }

class SchedulerRun final : public Subject {
  public:
    Task<void> await() override {
        Scheduler scheduler;
        scheduler_ = &scheduler;
        scheduler.every(1h, nothing);
        co_await scheduler.run();
    }
    void complete() override { scheduler_->stop(); }

  private:
    Scheduler* scheduler_ = nullptr;
};

class SchedulerSpawn final : public Subject {
  public:
    Task<void> set_up(TaskGroup& helpers) override {
        helpers.create_task(&Scheduler::run, &scheduler_);
        co_await testing::wait_all_tasks_blocked();
        // One that runs, and one that waits: the next finds no room.
        scheduler_.spawn_nowait(&SchedulerSpawn::hold, this);
        scheduler_.spawn_nowait(nothing);
    }
    Task<void> await() override { co_await scheduler_.spawn(&SchedulerSpawn::count, this); }
    void complete() override { release_.set(); }
    void release() override { complete(); }
    void check(int returned) override {
        require(jobs_ == returned, std::to_string(returned) + " jobs were accepted, " +
                                       std::to_string(jobs_) + " were run");
        require(scheduler_.statistics().running == 0, "a job is still there");
    }

  private:
    Task<void> hold() { co_await release_.wait(); }
    Task<void> count() {
        ++jobs_;
        co_return;
    }

    Scheduler scheduler_{{.limit = 1, .pending_max = 1}};
    Event release_;
    int jobs_ = 0;
};

}  // namespace

void add_combinator_rows(Matrix& matrix) {
    matrix.add<Call>("as_task(awaitable)", {}, {}, {}, call_as_task);
    matrix.add<Call>("cancel_scope(body)", {}, {}, {}, call_cancel_scope);
    matrix.add<Call>("timeout(span, body)", {}, {}, {}, call_timeout);
    matrix.add<Call>("timeout_at(when, body)", {}, {}, {}, call_timeout_at);
    matrix.add<Call>("fail_after(span, body)", {}, {}, {}, call_fail_after);
    matrix.add<Call>("move_on_after(span, body)", {}, {}, {}, call_move_on_after);
    matrix.add<Call>("wait_for(awaitable, span)", {}, {}, {}, call_wait_for);
    matrix.add<Call>("shield(awaitable)", {.withdraws = false, .is_checkpoint = false},
                     {{Column::at_shutdown, "nothing may reach it, so a loop does not close"}}, {},
                     call_shield);
    matrix.add<Call>("gather(tasks, options)", through_tasks, {}, {}, call_gather_tasks);
    matrix.add<Call>("gather(tasks, options)", through_tasks, {}, "limited", call_gather_limited);
    matrix.add<Call>("gather(awaitables...)", through_tasks, {}, {}, call_gather_awaitables);
    matrix.add<Call>("gather_settled(tasks, options)", through_tasks, {}, {},
                     call_gather_settled_tasks);
    matrix.add<Call>("gather_settled(awaitables...)", through_tasks, {}, {},
                     call_gather_settled_awaitables);
    matrix.add<Call>("as_completed(tasks, body, options)", through_tasks, {}, {},
                     call_as_completed);
    matrix.add<Call>("task_group(body, created)", through_tasks, {}, "in the body",
                     call_task_group);
    matrix.add<Call>("task_group(body, created)", through_tasks, {}, "in its end",
                     call_task_group_child);
    matrix.add<GroupStart>("TaskGroup::start(fn, args...)", through_tasks);
    matrix.add<TryFinally>("try_finally(body, cleanup, options)");
    matrix.add<SchedulerRun>("Scheduler::run()", {.result_wins = false, .keeps_completion = false});
    matrix.add<SchedulerSpawn>("Scheduler::spawn(fn, args...)", through_tasks);
}

// ---- subjects that are wrong, each found out by what its variant says

namespace {

// Drops an item that comes in the step in which it is cancelled.
class LosesItem final : public Subject {
  public:
    Task<void> await() override {
        co_await event_.wait();
        if (!items_) co_return;
        --items_;
        co_await checkpoint();
        ++received_;
    }
    void complete() override {
        ++items_;
        ++put_;
        event_.set();
    }
    void check(int) override { require(put_ == items_ + received_, "an item was lost for good"); }

  private:
    Event event_;
    int items_ = 0;
    int put_ = 0;
    int received_ = 0;
};

class SwallowsCancellation final : public WaitsInside {
  public:
    Task<void> await() override {
        try {
            co_await inner();
        } catch (...) {  // tidy: what nobody should do, to be found out
        }
    }
};

// The frames go when the next subject comes, after the matrix has counted.
class LeaksFrame final : public WaitsInside {
  public:
    LeaksFrame() { leaked.clear(); }
    Task<void> await() override {
        leaked.push_back(nothing());
        co_await inner();
    }

  private:
    static inline std::vector<Task<void>> leaked;
};

class NeverNoticesCancellation final : public WaitsInside {
  public:
    Task<void> await() override { co_await shield(inner()); }
    void release() override { event.set(); }
};

class ForgetsATimer final : public WaitsInside {
  public:
    Task<void> await() override {
        get_running_loop().call_later(1000h, [] {});
        co_await inner();
    }
};

class IsNoCheckpoint final : public WaitsInside {
  public:
    Task<void> await() override {
        if (current_scope().is_cancelled()) co_return;
        co_await inner();
    }
};

}  // namespace

void add_broken_rows(Matrix& matrix) {
    matrix.add<LosesItem>("loses an item", {}, {}, "an item was lost for good");
    matrix.add<SwallowsCancellation>("swallows its cancellation", {}, {},
                                     "it returned although it was cancelled");
    matrix.add<LeaksFrame>("leaks a frame", {}, {}, "frames were leaked");
    matrix.add<NeverNoticesCancellation>("is never cancelled", {}, {}, "the attempt has not ended");
    matrix.add<ForgetsATimer>("forgets a timer", {}, {}, "timers are left");
    matrix.add<IsNoCheckpoint>("begins in a cancelled scope", {}, {},
                               "Cancelled was thrown 0 times");
    // Wrong in what it says about itself: it cannot be withdrawn.
    matrix.add<Call>("claims to finish", {.withdraws = false}, {},
                     "it ended, though it cannot be withdrawn", call_timeout);
}

}  // namespace coracle::matrix
