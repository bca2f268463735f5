// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/internal/task_node.h>

#include <coracle/base/assert.h>
#include <coracle/core/cancel.h>
#include <coracle/core/internal/context_values.h>
#include <coracle/core/loop.h>
#include <coracle/core/park.h>
#include <coracle/core/task_handle.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace coracle::internal {

TaskNode::TaskNode(const TaskOrigin& origin)
    : loop(origin.loop),
      scope(&origin.scope),
      created(origin.created),
      owner_(origin.owner),
      id_(origin.loop.internal_next_id()) {
    loop.internal_check_thread("an EventLoop (create_task)");
    if (ContextValues** creators = ContextValues::here()) context = ContextValues::share(*creators);
    origin.scope.internal_members().push_back(*this);
    loop.internal_register(*this);
}

TaskNode::~TaskNode() { ContextValues::release(context); }

void TaskNode::start(PromiseBase& root_promise, std::coroutine_handle<> frame) noexcept {
    CORACLE_ASSERT(!root_promise.started);
    root = &root_promise;
    root_promise.task = this;
    root_promise.started = true;
    resume_point = frame;
    owner_.task_began();
    loop.internal_schedule(*this);
}

void TaskNode::run() {
    parked = nullptr;
    budget = step_budget;
    loop.internal_set_running(this);
    std::coroutine_handle<> frame = std::exchange(resume_point, {});
    do {
        continuation = {};
        frame.resume();
        frame = continuation;
    } while (frame);
    loop.internal_set_running(nullptr);
    loop.internal_step_ended(this);
    if (root->finished) end();
}

void TaskNode::end() noexcept {
    if (root->error) [[unlikely]] {
        error_ = std::move(root->error);
        try {
            std::rethrow_exception(error_);
        } catch (const Cancelled&) {
            was_cancelled_ = true;
        } catch (...) {
            // Kept in error_ for whoever asks: std::current_exception() is the same object.
            error_ = std::current_exception();
        }
    }
    root = nullptr;
    leaf = nullptr;
    release_frame();
    done_ = true;
    loop.internal_unregister(*this);
    static_cast<ListLink<MemberTag>&>(*this).unlink();
    own_scope_.reset();
    ContextValues::release(std::exchange(context, nullptr));
    while (TaskWatcher* watcher = watchers.pop_front()) watcher->task_ended();
    if (was_cancelled_) [[unlikely]] {
        owner_.task_ended(*this, nullptr);
    } else {
        owner_.task_ended(*this, error_);
    }
    drop_reference();
}

void TaskNode::cancel(std::string_view reason) {
    if (is_debug() && loop.internal_runs_on_another_thread()) wrong_thread("a task", created);
    if (done_) return;
    own_scope().cancel(reason);
}

CancelScope& TaskNode::own_scope() {
    if (own_scope_) return *own_scope_;
    // Nobody paid for this scope before it was needed: put it around the outermost scope the task
    // has entered, or around the task itself.
    CancelScope* outermost = nullptr;
    CancelScope* base = scope;
    while (base && base->internal_owner() == this) {
        outermost = base;
        base = base->internal_parent();
    }
    own_scope_ = std::make_unique<CancelScope>(loop, base);
    if (outermost) {
        own_scope_->internal_wrap(*outermost);
    } else {
        scope = own_scope_.get();
    }
    own_scope_->internal_own(*this);
    return *own_scope_;
}

void TaskNode::throw_error() const {
    CORACLE_ASSERT(error_ != nullptr);
    if (!was_cancelled_) std::rethrow_exception(error_);
    std::string text = name() + " was cancelled";
    try {
        std::rethrow_exception(error_);
    } catch (const Cancelled& cancelled) {
        if (!cancelled.reason().empty()) text += ": " + cancelled.reason();
        throw TaskCancelledError(text);
    }
}

namespace {

// Lives until the task ends, which it always does.
class DoneCallback final : public TaskWatcher {
  public:
    DoneCallback(EventLoop& loop, MoveFunction<void()> fn) : loop_(loop), fn_(std::move(fn)) {}
    void task_ended() noexcept override {
        std::unique_ptr<DoneCallback> self(this);
        loop_.call_soon(std::move(fn_));
    }

  private:
    EventLoop& loop_;
    MoveFunction<void()> fn_;
};

}  // namespace

void TaskNode::add_done_callback(MoveFunction<void()> fn) {
    if (done_) {
        loop.call_soon(std::move(fn));
    } else {
        watchers.push_back(*new DoneCallback(loop, std::move(fn)));
    }
}

std::string TaskNode::name() const { return name_ ? *name_ : "Task-" + std::to_string(id_); }

void TaskNode::set_name(std::string name) {
    name_ = std::make_unique<std::string>(std::move(name));
}

void PromiseBase::unhandled_exception() noexcept {
    error = std::current_exception();
    constexpr std::size_t places_max = 64;
    if (!task->trace) task->trace = std::make_unique<UnwindTrace>();
    UnwindTrace& trace = *task->trace;
    const void* identity = nullptr;
    static_assert(sizeof identity == sizeof error);
    std::memcpy(&identity, &error, sizeof identity);
    if (trace.error != identity) {
        trace.error = identity;
        trace.places.clear();
    }
    if (trace.places.size() < places_max) trace.places.push_back(where);
}

TaskNode* current_node() noexcept {
    EventLoop* loop = EventLoop::current_or_null();
    return loop ? loop->internal_running() : nullptr;
}

void task_misused(const PromiseBase& promise, const char* sentence) {
    std::fprintf(stderr, "coracle: a Task was %s: %s (%s:%u)\n", sentence,
                 promise.where.function_name(), promise.where.file_name(),
                 static_cast<unsigned>(promise.where.line()));
    std::abort();
}

}  // namespace coracle::internal
