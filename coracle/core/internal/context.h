// SPDX-License-Identifier: Apache-2.0
// The context variables of a task, shared with the tasks it creates until one of them changes one.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace coracle::internal {

// Immutable while shared, and then safe to read from any thread.
class Context {
  public:
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    // Null stands for an empty context everywhere.
    static Context* share(Context* context) noexcept;
    static void release(Context* context) noexcept;

    // What the running task has set for `key`; null if nothing, or outside of a task.
    static const void* find(const void* key) noexcept;
    // Sets it in the running task, or removes it with a null value, and returns what was there.
    // Throws Error outside of a task.
    static std::shared_ptr<const void> exchange(const void* key, std::shared_ptr<const void> value);

  private:
    struct Entry {
        const void* key;
        std::shared_ptr<const void> value;
    };

    Context() = default;
    explicit Context(const std::vector<Entry>& entries) : entries_(entries) {}
    ~Context() = default;

    std::atomic<std::uint32_t> references_{1};
    std::vector<Entry> entries_;  // few: searched from the front
};

}  // namespace coracle::internal
