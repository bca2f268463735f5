// SPDX-License-Identifier: Apache-2.0
// The values of context variables, shared between tasks until one of them changes one.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace coracle::internal {

class TaskNode;

// Immutable while shared, and then safe to read from any thread. Null stands for none everywhere.
class ContextValues {
  public:
    ContextValues(const ContextValues&) = delete;
    ContextValues& operator=(const ContextValues&) = delete;

    static ContextValues* share(ContextValues* values) noexcept {
        if (values) values->references_.fetch_add(1, std::memory_order_relaxed);
        return values;
    }
    static void release(ContextValues* values) noexcept {
        if (values && values->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            delete values;
        }
    }

    // Where what runs on this thread keeps its own: the task, or the function inside
    // Context::run(). Null where nothing has any.
    static ContextValues** here() noexcept;

    // What has been set here for `key`; null if nothing.
    static const void* find(const void* key) noexcept;
    // Sets it here, or removes it with a null value, and returns what was there. Throws Error where
    // nothing has any.
    static std::shared_ptr<const void> exchange(const void* key, std::shared_ptr<const void> value);

  private:
    struct Entry {
        const void* key;
        std::shared_ptr<const void> value;
    };

    ContextValues() = default;
    explicit ContextValues(const std::vector<Entry>& entries) : entries_(entries) {}
    ~ContextValues() = default;

    std::atomic<std::uint32_t> references_{1};
    std::vector<Entry> entries_;  // few: searched from the front
};

// While it lives, this thread is inside Context::run(): `values` come before those of the task that
// made the call, but not before those of tasks that a loop runs in there.
class EnteredContext {
  public:
    explicit EnteredContext(ContextValues*& values) noexcept;
    EnteredContext(const EnteredContext&) = delete;
    EnteredContext& operator=(const EnteredContext&) = delete;
    ~EnteredContext();

  private:
    friend class ContextValues;
    ContextValues*& values_;
    const TaskNode* caller_;
    EnteredContext* outer_;
};

}  // namespace coracle::internal
