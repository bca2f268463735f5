// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/wait.h>

#include <coracle/core/loop.h>
#include <coracle/core/park.h>
#include <coracle/core/timer.h>

#include <cstddef>
#include <memory>
#include <string>

namespace coracle::internal {
namespace {

// Parks until enough tasks have ended or the time is up.
class TasksWait final : public Park, private Timer {
  public:
    TasksWait(const std::vector<TaskRef>& tasks, WaitOptions options)
        : watches_(std::make_unique<Watch[]>(tasks.size())), options_(options) {
        for (std::size_t i = 0; i < tasks.size(); ++i) {
            TaskNode& task = tasks[i].internal_node();
            if (task.is_done()) {
                note_end(task);
                continue;
            }
            watches_[i].watch(*this, task);
            ++running_;
        }
        if (running_ == 0) is_over_ = true;
    }

    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> frame) {
        if (!checkpoint(frame)) return false;
        if (is_over_ || options_.timeout <= Duration::zero()) return ready();
        wait();
        EventLoop& loop = task()->loop;
        loop.timers().add(*this, saturating_add(loop.time(), options_.timeout));
        return true;
    }
    void await_resume() const { finish(); }

    bool withdraw() noexcept override {
        Timer::cancel();
        return true;
    }
    std::string describe() const override {
        return "wait (" + std::to_string(running_) + " running)";
    }

  private:
    class Watch final : public TaskWatcher {
      public:
        void watch(TasksWait& owner, TaskNode& task) {
            owner_ = &owner;
            task_ = &task;
            task.watchers.push_back(*this);
        }
        void task_ended() noexcept override {
            --owner_->running_;
            owner_->note_end(*task_);
            owner_->wake_if_over();
        }

      private:
        TasksWait* owner_ = nullptr;
        TaskNode* task_ = nullptr;
    };

    void note_end(const TaskNode& task) noexcept {
        if (options_.return_when == ReturnWhen::first_completed) is_over_ = true;
        if (options_.return_when == ReturnWhen::first_exception && task.error() &&
            !task.was_cancelled()) {
            is_over_ = true;
        }
    }
    void wake_if_over() noexcept {
        is_over_ = is_over_ || running_ == 0;
        if (!is_over_ || !is_waiting()) return;
        Timer::cancel();
        complete();
    }
    void fire() noexcept override { complete(); }

    std::unique_ptr<Watch[]> watches_;
    WaitOptions options_;
    std::size_t running_ = 0;
    bool is_over_ = false;
};

}  // namespace

Task<void> wait_for_tasks(std::vector<TaskRef> tasks, WaitOptions options) {
    TasksWait waiting(tasks, options);
    co_await waiting;
}

}  // namespace coracle::internal
