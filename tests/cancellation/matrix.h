// SPDX-License-Identifier: Apache-2.0
// The cancellation matrix: every awaiting function under every way in which it can be cancelled.
#pragma once

#include <coracle/coracle.h>
#include <coracle/testing.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace coracle::matrix {

enum class Column {
    before_start,
    while_waiting,
    same_instant,
    twice,
    by_deadline,
    group_failure,
    under_shield,
    at_shutdown,
};
inline constexpr Column columns[] = {
    Column::before_start, Column::while_waiting, Column::same_instant, Column::twice,
    Column::by_deadline,  Column::group_failure, Column::under_shield, Column::at_shutdown,
};
const char* name_of(Column column) noexcept;

// One function to be cancelled, and what tells whether anything was lost. Made anew for each cell,
// on the cell's loop, and destroyed there; everything is called on that loop.
class Subject {
  public:
    Subject() = default;
    Subject(const Subject&) = delete;
    Subject& operator=(const Subject&) = delete;
    virtual ~Subject() = default;

    // Before anything else. Tasks created in `helpers` are cancelled when the cell is over.
    virtual Task<void> set_up(TaskGroup& helpers);

    // Awaits the function once, and takes note of what it gave.
    virtual Task<void> await() = 0;

    // Returns when the function waits, where that takes more than every task being blocked: a
    // thread that has to get hold of a job.
    virtual void wait_until_in_flight() {}

    // Makes one await() complete, from outside of it. Where that can be done in one step,
    // complete() does it; completing() is for what takes an await itself.
    virtual void complete() {}
    virtual Task<void> completing();

    // The cell is over, or its loop is closing: lets go what would keep its tasks from ending.
    virtual void release() {}

    // After the last attempt: complains with require() about whatever was lost or left over.
    // `returned` of the attempts ended by themselves.
    virtual void check([[maybe_unused]] int returned) {}
};

// How a function answers to cancellation. The defaults are those of a plain leaf operation.
struct Traits {
    // Ends with Cancelled when it is cancelled while it waits. False: it goes on until it is
    // complete, its result is delivered, and the next checkpoint throws.
    bool withdraws = true;
    // Throws Cancelled when its scope was cancelled before it began. False: it begins nevertheless.
    bool is_checkpoint = true;
    // Completed and then cancelled in one step it gives its result. False: either may win.
    bool result_wins = true;
    // What completed it and was not taken is there for the next call.
    bool keeps_completion = true;
    // Can be awaited again after it was cancelled.
    bool repeats = true;
    // Uses sockets: runs on a loop that has them, still on virtual time.
    bool needs_sockets = false;
};

// Cells that make no sense, each with the reason.
using Without = std::map<Column, std::string>;
// All but "cancelled before start", for a function that never waits.
Without never_waits(const std::string& reason);

struct Row {
    std::string function;  // as awaiting_functions.py prints it
    std::string variant;   // empty, or which of several rows of the function this is
    std::function<std::unique_ptr<Subject>()> make;
    Traits traits;
    Without without;
};

// The rows of one function that has none of its own, because another's are its rows too.
struct Elsewhere {
    std::string function;
    std::string reason;  // names the rows
};

struct Matrix {
    std::vector<Row> rows;
    std::vector<Elsewhere> elsewhere;

    // add<Get>("Queue::get()"); further arguments go to the constructor of the subject.
    template <class S, class... A>
    void add(std::string function, Traits traits = {}, Without without = {},
             std::string variant = {}, A... arguments) {
        rows.push_back({std::move(function), std::move(variant),
                        [arguments...] { return std::make_unique<S>(arguments...); }, traits,
                        std::move(without)});
    }
};

// One per file.
void add_core_rows(Matrix& matrix);
void add_combinator_rows(Matrix& matrix);
void add_exec_rows(Matrix& matrix);
void add_net_rows(Matrix& matrix);
void add_wire_rows(Matrix& matrix);
void add_web_rows(Matrix& matrix);
void add_foreign_rows(Matrix& matrix);
// Subjects that are wrong on purpose, each in another way.
void add_broken_rows(Matrix& matrix);

// Complains about the running cell when `holds` is false.
void require(bool holds, const std::string& sentence);
// Lets the time of the running cell pass.
void advance(Duration span);

// Runs one cell; the sentences that it complained with.
std::vector<std::string> run_cell(const Row& row, Column column);

// A subject that waits for `event` somewhere inside of it, and counts who does.
class WaitsInside : public Subject {
  public:
    void complete() override { event.set(); }
    void check(int) override;

    // What the function is given to run.
    Task<void> inner();
    Task<int> inner_value();

    Event event;
    int alive = 0;
};

// The same with the call as a function, for functions that take a body or other awaitables.
class Call final : public WaitsInside {
  public:
    using Function = Task<void> (*)(WaitsInside&);
    explicit Call(Function function) noexcept : function_(function) {}
    Task<void> await() override { return function_(*this); }

  private:
    Function function_;
};

}  // namespace coracle::matrix
