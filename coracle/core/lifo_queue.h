// SPDX-License-Identifier: Apache-2.0
// Bounded last-in first-out queue between tasks of one loop.
#pragma once

#include <coracle/core/internal/basic_queue.h>

#include <cstddef>
#include <source_location>
#include <utility>
#include <vector>

namespace coracle {

namespace internal {

template <class T>
class LifoItems {
  public:
    bool empty() const noexcept { return items_.empty(); }
    std::size_t size() const noexcept { return items_.size(); }
    void push(T item) { items_.push_back(std::move(item)); }
    T pop() {
        T item = std::move(items_.back());
        items_.pop_back();
        return item;
    }
    void clear() noexcept { items_.clear(); }

  private:
    std::vector<T> items_;
};

}  // namespace internal

// A Queue that gives the newest item first: for work that loses its worth by waiting. Everything
// else is as in Queue, also that tasks are served in the order in which they came.
template <class T>
class LifoQueue : public internal::BasicQueue<T, internal::LifoItems<T>> {
  public:
    // Holds at most `maxsize` items, at least one; Error for zero.
    explicit LifoQueue(std::size_t maxsize,
                       std::source_location created = std::source_location::current())
        : internal::BasicQueue<T, internal::LifoItems<T>>(maxsize, created) {}
};

}  // namespace coracle
