// SPDX-License-Identifier: Apache-2.0
// Runs the cells: starts a subject, cancels it, and looks whether anything was lost or left.
#include "matrix.h"

#include "socket_loop.h"

#include <coracle/core/registry.h>

#include <exception>
#include <optional>

namespace coracle::matrix {
namespace {

// What the running cell has found, and what it runs on.
struct Running {
    std::vector<std::string> complaints;
    testing::FakeClock* clock = nullptr;
    bool has_sockets = false;
};
Running* running = nullptr;

// One await() and what came of it.
struct Flight {
    int returned = 0;
    int cancelled = 0;
    std::string reason;
    std::string error;  // any other exception
    CancelScope* scope = nullptr;
    bool absorbed = false;   // its scope ended because it was cancelled
    bool ended = false;      // past its scope, without an exception
    bool timed_out = false;  // by_deadline only
    Event done;              // however it ended
};

class SetOnExit {
  public:
    explicit SetOnExit(Event& event) noexcept : event_(event) {}
    ~SetOnExit() { event_.set(); }
    SetOnExit(const SetOnExit&) = delete;
    SetOnExit& operator=(const SetOnExit&) = delete;

  private:
    Event& event_;
};

Task<void> attempt(Subject& subject, Flight& flight) {
    try {
        co_await subject.await();
        ++flight.returned;
    } catch (const Cancelled& cancelled) {
        ++flight.cancelled;
        flight.reason = cancelled.reason();
        throw;
    } catch (const std::exception& error) {
        flight.error = error.what();
    }
    // Cancellation is level-triggered: a result that won is followed by Cancelled here.
    co_await checkpoint();
}

enum class Manner { plain, cancelled_before, shielded };

// An attempt in a scope of its own.
Task<void> fly(Subject& subject, Flight& flight, Manner manner) {
    SetOnExit exit(flight.done);
    bool by_itself = co_await cancel_scope([&](CancelScope& scope) -> Task<void> {
        flight.scope = &scope;
        if (manner == Manner::cancelled_before) scope.cancel("before start");
        if (manner == Manner::shielded) {
            co_await shield(attempt(subject, flight));
        } else {
            co_await attempt(subject, flight);
        }
        co_await checkpoint();
    });
    flight.scope = nullptr;
    flight.absorbed = !by_itself;
    flight.ended = true;
}

Task<void> fly_with_deadline(Subject& subject, Flight& flight, Duration span) {
    SetOnExit exit(flight.done);
    try {
        co_await timeout(span, [&]() -> Task<void> { co_await attempt(subject, flight); });
    } catch (const TimeoutError&) {
        flight.timed_out = true;
    }
    flight.ended = true;
}

// In a group whose other child fails when told to.
Task<void> fly_in_group(Subject& subject, Flight& flight, Event& fail, std::string& thrown) {
    SetOnExit exit(flight.done);
    try {
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(attempt, std::ref(subject), std::ref(flight));
            co_await fail.wait();
            throw Error("a sibling failed");
        });
    } catch (const std::exception& error) {
        thrown = error.what();
    }
    flight.ended = true;
}

// Until nobody gets any further without time, or without a completion.
Task<void> settle() {
    constexpr int turns = 3;
    constexpr int socket_turns = 40;  // loopback is done within the call; its events take a turn
    if (running->has_sockets) {
        for (int i = 0; i < socket_turns; ++i) co_await sleep(0s);
    } else {
        for (int i = 0; i < turns; ++i) co_await testing::wait_all_tasks_blocked();
    }
}

Task<void> in_flight(Subject& subject) {
    co_await settle();
    subject.wait_until_in_flight();
}

Task<void> ended(Flight& flight) {
    constexpr Duration patience = 10min;
    bool in_time =
        co_await move_on_after(patience, [&]() -> Task<void> { co_await flight.done.wait(); });
    require(in_time, "the attempt has not ended");
}

// Cancelled, by this very scope, and nobody outside of it noticed.
void require_cancelled(const Flight& flight, std::string_view reason) {
    require(flight.error.empty(), "it threw " + flight.error);
    require(flight.returned == 0, "it returned although it was cancelled");
    require(flight.cancelled == 1,
            "Cancelled was thrown " + std::to_string(flight.cancelled) + " times, not once");
    require(flight.reason == reason,
            "the reason is \"" + flight.reason + "\", not \"" + std::string(reason) + "\"");
}

void require_returned(const Flight& flight) {
    require(flight.error.empty(), "it threw " + flight.error);
    require(flight.cancelled == 0, "Cancelled was thrown although the result had won");
    require(flight.returned == 1, "it did not return");
}

void require_absorbed(const Flight& flight) {
    require(flight.ended && flight.absorbed, "its scope did not absorb the cancellation");
}

// Runs the cells of one row, one after the other, on the loop.
class Cell {
  public:
    Cell(const Row& row, Subject& subject, TaskGroup& group) noexcept
        : traits_(row.traits), subject_(subject), group_(group) {}

    int returned() const noexcept { return returned_; }

    Task<void> before_start() {
        Flight flight;
        start(flight, Manner::cancelled_before);
        if (traits_.is_checkpoint) {
            co_await ended(flight);
            require_cancelled(flight, "before start");
        } else {
            co_await finish(flight);
            require_returned(flight);
        }
        require_absorbed(flight);
        co_await again(flight);
    }

    // A checkpoint is one on every call, also where there is nothing to wait for.
    Task<void> before_start_with_all_there() {
        if (!traits_.keeps_completion || !traits_.repeats) co_return;
        co_await subject_.completing();
        co_await settle();
        Flight flight;
        start(flight, Manner::cancelled_before);
        co_await ended(flight);
        if (traits_.is_checkpoint) {
            require_cancelled(flight, "before start");
        } else {
            require_returned(flight);
        }
        require_absorbed(flight);
        co_await again(flight, flight.returned == 0);
    }

    Task<void> while_waiting() {
        Flight flight;
        start(flight, Manner::plain);
        co_await in_flight(subject_);
        if (!still_waits(flight)) co_return;
        flight.scope->cancel("while waiting");
        co_await expect_cancelled(flight, "while waiting");
        require_absorbed(flight);
        co_await again(flight);
    }

    // Completed, then cancelled, before it could run.
    Task<void> completed_then_cancelled() {
        Flight flight;
        start(flight, Manner::plain);
        co_await in_flight(subject_);
        if (!still_waits(flight)) co_return;
        co_await subject_.completing();
        if (flight.scope) flight.scope->cancel("too late");
        co_await ended(flight);
        if (traits_.result_wins || flight.returned > 0) {
            require_returned(flight);
        } else {
            require_cancelled(flight, "too late");
        }
        require_absorbed(flight);
        co_await again(flight, flight.returned == 0);
    }

    // The other way round.
    Task<void> cancelled_then_completed() {
        Flight flight;
        start(flight, Manner::plain);
        co_await in_flight(subject_);
        if (!still_waits(flight)) co_return;
        flight.scope->cancel("just in time");
        co_await subject_.completing();
        co_await ended(flight);
        if (traits_.withdraws) {
            require_cancelled(flight, "just in time");
        } else {
            require_returned(flight);
        }
        require_absorbed(flight);
        co_await again(flight, traits_.withdraws);
    }

    Task<void> twice() {
        Flight flight;
        start(flight, Manner::plain);
        co_await in_flight(subject_);
        if (!still_waits(flight)) co_return;
        flight.scope->cancel("first");
        flight.scope->cancel("second");
        co_await expect_cancelled(flight, "first");
        require_absorbed(flight);
        co_await again(flight);
    }

    // By its own scope and, in the same step, by the one around it, to which it then belongs.
    Task<void> twice_nested() {
        Flight flight;
        CancelScope* outer = nullptr;
        bool went_on = false;
        Event left;
        auto nest = [&]() -> Task<void> {
            SetOnExit exit(left);
            bool by_itself = co_await cancel_scope([&](CancelScope& scope) -> Task<void> {
                outer = &scope;
                co_await fly(subject_, flight, Manner::plain);
                went_on = true;
            });
            require(!by_itself, "the outer scope did not absorb its cancellation");
        };
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task([](decltype(nest)& body) { return body(); }, std::ref(nest));
            co_await in_flight(subject_);
            if (!still_waits(flight)) co_return;
            flight.scope->cancel("inner");
            outer->cancel("outer");
            co_await expect_cancelled(flight, "inner");
            co_await left.wait();
        });
        require(!went_on, "the inner scope absorbed what the outer one had caused too");
        co_await again(flight);
    }

    Task<void> by_deadline() {
        constexpr Duration span = 5s;
        Flight flight;
        group_.create_task(fly_with_deadline, std::ref(subject_), std::ref(flight), span);
        co_await in_flight(subject_);
        if (!still_waits(flight)) co_return;
        advance(span);
        co_await expect_cancelled(flight, "timeout");
        require(flight.timed_out, "the deadline passed without a TimeoutError");
        co_await again(flight);
    }

    Task<void> group_failure() {
        Flight flight;
        Event fail;
        std::string thrown;
        group_.create_task(fly_in_group, std::ref(subject_), std::ref(flight), std::ref(fail),
                           std::ref(thrown));
        co_await in_flight(subject_);
        if (!still_waits(flight)) co_return;
        fail.set();
        co_await expect_cancelled(flight, "another task of the group failed");
        require(thrown == "a sibling failed", "the group threw \"" + thrown + "\"");
        co_await again(flight);
    }

    Task<void> under_shield() {
        Flight flight;
        start(flight, Manner::shielded);
        co_await in_flight(subject_);
        if (!still_waits(flight)) co_return;
        flight.scope->cancel("not in here");
        co_await settle();
        if (!still_waits(flight)) co_return;
        co_await finish(flight);
        require_returned(flight);
        require_absorbed(flight);
        co_await again(flight);
    }

    // Until the loop closes.
    Task<void> at_shutdown(Flight& flight, Event& waits) {
        group_.create_task(attempt, std::ref(subject_), std::ref(flight));
        co_await in_flight(subject_);
        waits.set();
        co_await Event().wait();
    }

  private:
    void start(Flight& flight, Manner manner) {
        group_.create_task(fly, std::ref(subject_), std::ref(flight), manner);
    }

    bool still_waits(const Flight& flight) {
        if (!flight.done.is_set()) return true;
        require(false, "it does not wait" + (flight.error.empty() ? "" : ": " + flight.error));
        return false;
    }

    Task<void> finish(Flight& flight) {
        co_await settle();
        if (!flight.done.is_set()) co_await subject_.completing();
        co_await ended(flight);
    }

    Task<void> expect_cancelled(Flight& flight, std::string_view reason) {
        if (traits_.withdraws) {
            co_await ended(flight);
            require_cancelled(flight, reason);
            co_return;
        }
        co_await settle();
        require(!flight.done.is_set(), "it ended, though it cannot be withdrawn");
        co_await finish(flight);
        require_returned(flight);
    }

    // Nothing is lost: what was cancelled works as before. `kept` says that a completion is there
    // that the first attempt did not take.
    Task<void> again(const Flight& first, bool kept = false) {
        returned_ += first.returned;
        if (!traits_.repeats) co_return;
        Flight flight;
        start(flight, Manner::plain);
        if (kept && traits_.keeps_completion) {
            co_await ended(flight);
            require(flight.returned == 1, "what completed it was lost with the cancelled attempt");
        } else {
            co_await finish(flight);
        }
        require_returned(flight);
        require(!flight.absorbed, "a later attempt was cancelled as well");
        returned_ += flight.returned;
    }

    const Traits& traits_;
    Subject& subject_;
    TaskGroup& group_;
    int returned_ = 0;
};

// Which half of a column that has two.
enum class Half { first, second };

Task<void> drive(Cell& cell, Column column, Half half) {
    switch (column) {
    case Column::before_start:
        return half == Half::first ? cell.before_start() : cell.before_start_with_all_there();
    case Column::while_waiting:
        return cell.while_waiting();
    case Column::same_instant:
        return half == Half::first ? cell.completed_then_cancelled()
                                   : cell.cancelled_then_completed();
    case Column::twice:
        return half == Half::first ? cell.twice() : cell.twice_nested();
    case Column::by_deadline:
        return cell.by_deadline();
    case Column::group_failure:
        return cell.group_failure();
    case Column::under_shield:
        return cell.under_shield();
    case Column::at_shutdown:
        break;
    }
    std::terminate();
}

// Calls release() when the cell is over or its loop closes.
Task<void> release_at_end(Subject& subject) {
    try {
        co_await Event().wait();
    } catch (const Cancelled&) {
        subject.release();
        throw;
    }
}

// What happens between the subject's birth and its end. `over` is set when main may go.
Task<void> host(const Row& row, Column column, Half half, Flight& last, Event& over) {
    SetOnExit exit(over);
    try {
        auto subject = row.make();
        int returned = 0;
        co_await task_group([&](TaskGroup& helpers) -> Task<void> {
            helpers.create_task(release_at_end, std::ref(*subject));
            co_await subject->set_up(helpers);
            co_await task_group([&](TaskGroup& group) -> Task<void> {
                Cell cell(row, *subject, group);
                if (column == Column::at_shutdown) {
                    co_await cell.at_shutdown(last, over);
                } else {
                    co_await drive(cell, column, half);
                }
                returned = cell.returned();
            });
            subject->release();
            co_await settle();
            subject->check(returned);
            helpers.cancel("the cell is over");
        });
    } catch (const std::exception& error) {
        require(false, std::string("the cell threw ") + error.what());
    }
}

Task<void> wait_until(Event& over) { co_await over.wait(); }

template <class Loop>
void run_on(Loop& loop, const Row& row, Column column, Half half) {
    Flight last;
    Event over;
    running->clock = &loop.clock();
    loop.loop().create_task(host, std::ref(row), column, half, std::ref(last), std::ref(over));
    try {
        loop.run(wait_until(over));
        std::size_t timers = loop.loop().statistics().timers;
        if (column != Column::at_shutdown) {
            require(timers == 0, std::to_string(timers) + " timers are left");
        }
    } catch (const testing::Deadlock& deadlock) {
        require(false, deadlock.what());
    }
    loop.close();
    if (column != Column::at_shutdown || !running->complaints.empty()) return;
    if (row.traits.withdraws) {
        require_cancelled(last, "the loop is closing");
    } else {
        require_returned(last);
    }
}

// A virtual loop that can be ended before its handle.
class PlainLoop {
  public:
    PlainLoop() { loop_.emplace(); }
    EventLoop& loop() { return loop_->loop(); }
    testing::FakeClock& clock() { return loop_->clock(); }
    void run(Task<void> task) { loop_->run(std::move(task)); }
    void close() { loop_.reset(); }

  private:
    std::optional<testing::VirtualLoop> loop_;
};

std::size_t live_loops() {
    std::size_t count = 0;
    for_each_loop([&](EventLoop&) { ++count; });
    return count;
}

void run_half(const Row& row, Column column, Half half) {
    long frames = live_frames();
    std::size_t loops = live_loops();
    std::size_t sources = read_sources().size();
    running->has_sockets = row.traits.needs_sockets;
    if (row.traits.needs_sockets) {
        SocketLoop loop;
        run_on(loop, row, column, half);
    } else {
        PlainLoop loop;
        run_on(loop, row, column, half);
    }
    running->clock = nullptr;
    require(live_frames() == frames,
            std::to_string(live_frames() - frames) + " frames were leaked");
    require(live_loops() == loops, "a loop was left in the registry");
    require(read_sources().size() == sources, "a source of statistics was left in the registry");
}

}  // namespace

const char* name_of(Column column) noexcept {
    switch (column) {
    case Column::before_start:
        return "cancelled before start";
    case Column::while_waiting:
        return "while waiting";
    case Column::same_instant:
        return "at the same instant as completion";
    case Column::twice:
        return "twice";
    case Column::by_deadline:
        return "by deadline";
    case Column::group_failure:
        return "by group failure";
    case Column::under_shield:
        return "under shield";
    case Column::at_shutdown:
        return "at shutdown";
    }
    return "?";
}

Without never_waits(const std::string& reason) {
    Without without;
    for (Column column : columns) {
        if (column != Column::before_start) without[column] = reason;
    }
    return without;
}

Task<void> Subject::set_up(TaskGroup&) { co_return; }

Task<void> Subject::completing() {
    complete();
    co_return;
}

void require(bool holds, const std::string& sentence) {
    if (!holds) running->complaints.push_back(sentence);
}

void advance(Duration span) { running->clock->advance(span); }

std::vector<std::string> run_cell(const Row& row, Column column) {
    Running cell;
    running = &cell;
    run_half(row, column, Half::first);
    if (column == Column::before_start || column == Column::same_instant ||
        column == Column::twice) {
        run_half(row, column, Half::second);
    }
    running = nullptr;
    return std::move(cell.complaints);
}

namespace {

class Counted {
  public:
    explicit Counted(int& count) noexcept : count_(count) { ++count_; }
    ~Counted() { --count_; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;

  private:
    int& count_;
};

}  // namespace

Task<void> WaitsInside::inner() {
    Counted counted(alive);
    co_await event.wait();
}

Task<int> WaitsInside::inner_value() {
    co_await inner();
    co_return 1;
}

void WaitsInside::check(int) {
    require(alive == 0, std::to_string(alive) + " of what it ran are still alive");
    require(event.waiting() == 0, "a waiter was left behind");
}

}  // namespace coracle::matrix
