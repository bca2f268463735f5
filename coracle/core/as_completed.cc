// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/as_completed.h>

#include <coracle/base/assert.h>

namespace coracle::internal {

class Completions::Watch final : public TaskWatcher {
  public:
    void watch(Completions& owner, std::size_t index, TaskNode& task) {
        owner_ = &owner;
        index_ = index;
        task.watchers.push_back(*this);
    }
    void task_ended() noexcept override { owner_->ended(index_); }

  private:
    Completions* owner_ = nullptr;
    std::size_t index_ = 0;
};

Completions::Completions(const std::vector<TaskRef>& tasks)
    : watches_(std::make_unique<Watch[]>(tasks.size())), left_(tasks.size()) {
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        TaskNode& task = tasks[i].internal_node();
        if (task.is_done()) {
            ended_.push_back(i);
        } else {
            watches_[i].watch(*this, i, task);
        }
    }
}

Completions::~Completions() { CORACLE_ASSERT(waiters_.empty()); }

void Completions::ended(std::size_t index) noexcept {
    ended_.push_back(index);
    Next* waiter = waiters_.pop_front();
    if (!waiter) return;
    waiter->take();
    waiter->complete();
    // Whoever still waits when the last is gone gets nothing.
    while (left_ == 0) {
        Next* idle = waiters_.pop_front();
        if (!idle) break;
        idle->complete();
    }
}

bool Completions::Next::take() {
    if (completions_.ended_.empty()) return completions_.left_ == 0;
    index_ = completions_.ended_.front();
    completions_.ended_.pop_front();
    --completions_.left_;
    return true;
}

bool Completions::Next::withdraw() noexcept {
    unlink();
    return true;
}

std::string Completions::Next::describe() const {
    return "next of " + std::to_string(completions_.left_) + " tasks";
}

}  // namespace coracle::internal
