// SPDX-License-Identifier: Apache-2.0
// Bounded queue between tasks of one loop that gives the least item first.
#pragma once

#include <coracle/core/internal/basic_queue.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <source_location>
#include <utility>
#include <vector>

namespace coracle {

namespace internal {

// A binary heap; among equals the one that came first leaves first.
template <class T, class Less>
class PriorityItems {
  public:
    bool empty() const noexcept { return heap_.empty(); }
    std::size_t size() const noexcept { return heap_.size(); }
    void push(T item) {
        heap_.push_back(Entry{std::move(item), pushed_++});
        std::push_heap(heap_.begin(), heap_.end(), After());
    }
    T pop() {
        std::pop_heap(heap_.begin(), heap_.end(), After());
        T item = std::move(heap_.back().item);
        heap_.pop_back();
        return item;
    }
    void clear() noexcept { heap_.clear(); }

  private:
    struct Entry {
        T item;
        std::uint64_t order;
    };
    struct After {
        bool operator()(const Entry& a, const Entry& b) const {
            if (Less()(b.item, a.item)) return true;
            if (Less()(a.item, b.item)) return false;
            return a.order > b.order;
        }
    };

    std::vector<Entry> heap_;
    std::uint64_t pushed_ = 0;
};

}  // namespace internal

// A Queue that gives the least item by Less first (asyncio's "lowest first"), equals in the order
// in which they came. Everything else is as in Queue, also that tasks are served in the order in
// which they came: an item whose put() waits is not compared yet.
//
//   PriorityQueue<std::pair<int, Job>> jobs(100);      // needs operator< of Job only among equals
template <class T, class Less = std::less<T>>
class PriorityQueue : public internal::BasicQueue<T, internal::PriorityItems<T, Less>> {
  public:
    // Holds at most `maxsize` items, at least one; Error for zero.
    explicit PriorityQueue(std::size_t maxsize,
                           std::source_location created = std::source_location::current())
        : internal::BasicQueue<T, internal::PriorityItems<T, Less>>(maxsize, created) {}
};

}  // namespace coracle
