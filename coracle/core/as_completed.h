// SPDX-License-Identifier: Apache-2.0
// as_completed(): tasks in the order in which they end.
#pragma once

#include <coracle/base/intrusive_list.h>
#include <coracle/core/current_task.h>
#include <coracle/core/gather.h>
#include <coracle/core/park.h>
#include <coracle/core/queue.h>
#include <coracle/core/task_group.h>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace coracle {

namespace internal {

// Indices of tasks, queued as they end.
class Completions {
  public:
    explicit Completions(const std::vector<TaskRef>& tasks);
    Completions(const Completions&) = delete;
    Completions& operator=(const Completions&) = delete;
    ~Completions();

    class Next;

  private:
    class Watch;
    void ended(std::size_t index) noexcept;

    std::unique_ptr<Watch[]> watches_;
    std::deque<std::size_t> ended_;
    IntrusiveList<Next> waiters_;
    std::size_t left_;  // not handed out yet
};

class Completions::Next : public Park, public ListLink<> {
  public:
    explicit Next(Completions& completions) noexcept : completions_(completions) {}

    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> frame) {
        if (!checkpoint(frame)) return false;
        if (take()) return ready();
        completions_.waiters_.push_back(*this);
        return wait();
    }

    bool withdraw() noexcept override;
    std::string describe() const override;

  protected:
    std::optional<std::size_t> resume() const {
        finish();
        return index_;
    }

  private:
    friend class Completions;
    bool take();

    Completions& completions_;
    std::optional<std::size_t> index_;
};

}  // namespace internal

// What as_completed() returns. Not movable: keep it in a local variable.
template <class Handle>
class AsCompleted {
  public:
    explicit AsCompleted(std::vector<Handle> handles)
        : handles_(std::move(handles)),
          completions_(std::vector<TaskRef>(handles_.begin(), handles_.end())) {}

    // The next task that has ended, waiting for one; empty when all were given.
    class Next;
    Operation<Next, AsCompleted> next() noexcept { return Operation<Next, AsCompleted>(*this); }

  private:
    std::vector<Handle> handles_;
    internal::Completions completions_;
};

template <class Handle>
class AsCompleted<Handle>::Next final : public internal::Completions::Next {
  public:
    explicit Next(AsCompleted& owner) noexcept
        : internal::Completions::Next(owner.completions_), owner_(owner) {}
    std::optional<Handle> await_resume() const {
        auto index = resume();
        if (!index) return std::nullopt;
        return owner_.handles_[*index];
    }

  private:
    AsCompleted& owner_;
};

// Gives the handles of running tasks, TaskHandle<T> or TaskRef, as they end: those that have
// already first, in the order of the vector. The tasks stay with their owner; cancelling next()
// touches none and loses none.
//
//   auto fetched = as_completed(std::move(handles));
//   while (auto task = co_await fetched.next()) use(task->result());
template <class Handle>
    requires std::is_constructible_v<TaskRef, const Handle&>
AsCompleted<Handle> as_completed(std::vector<Handle> handles) {
    return AsCompleted<Handle>(std::move(handles));
}

namespace internal {

template <class T>
Task<void> complete_each(std::vector<Task<T>>& tasks, std::size_t& next, Queue<T>& results) {
    while (next < tasks.size()) {
        std::size_t index = next++;
        auto value = co_await std::move(tasks[index]);
        co_await results.put(std::move(value));
    }
}

template <class T, class Body>
Task<void> run_as_completed(std::vector<Task<T>> tasks, Body body, GatherOptions options) {
    if (tasks.empty()) co_return;
    std::size_t count = tasks.size();
    std::size_t workers = options.limit ? std::min(options.limit, count) : count;
    std::size_t next = 0;
    Queue<T> results(workers);
    co_await task_group([&](TaskGroup& group) -> Task<void> {
        for (std::size_t i = 0; i < workers; ++i) {
            group.create_task(complete_each<T>, std::ref(tasks), std::ref(next), std::ref(results));
        }
        for (std::size_t i = 0; i < count; ++i) {
            auto value = co_await results.get();
            co_await body(std::move(*value));
        }
    });
}

}  // namespace internal

// Runs all tasks, at most options.limit at once, and calls body(result) for one after the other as
// they complete. The first exception, of a task or of the body, cancels the rest and is thrown once
// all have ended.
//
//   co_await as_completed(std::move(fetches), [&](Page page) -> Task<void> {
//       co_await store(std::move(page));
//   }, {.limit = 8});
template <class T, class Body>
    requires std::is_invocable_v<std::decay_t<Body>&, T&&>
Task<void> as_completed(std::vector<Task<T>> tasks, Body&& body, GatherOptions options = {}) {
    internal::check_body<Body>();
    return internal::run_as_completed<T, std::decay_t<Body>>(std::move(tasks),
                                                             std::forward<Body>(body), options);
}

}  // namespace coracle
