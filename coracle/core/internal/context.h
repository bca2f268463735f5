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

    // Lends this thread a context while no task runs on it: what a function on a pool's thread sees
    // and changes. Takes over one share of it, and gives back one of what it has become.
    class Loan {
      public:
        explicit Loan(Context* context) noexcept;
        Loan(const Loan&) = delete;
        Loan& operator=(const Loan&) = delete;
        ~Loan();

      private:
        friend class Context;
        Context* context_;
        Loan* outer_;
    };

    // What the running task, or else this thread's loan, has for `key`; null if nothing.
    static const void* find(const void* key) noexcept;
    // Sets it there, or removes it with a null value, and returns what was there. Throws Error
    // where there is neither.
    static std::shared_ptr<const void> exchange(const void* key, std::shared_ptr<const void> value);

  private:
    struct Entry {
        const void* key;
        std::shared_ptr<const void> value;
    };

    Context() = default;
    explicit Context(const std::vector<Entry>& entries) : entries_(entries) {}
    ~Context() = default;

    // Where the context of what runs here is kept; null where nothing has one.
    static Context** slot() noexcept;

    std::atomic<std::uint32_t> references_{1};
    std::vector<Entry> entries_;  // few: searched from the front
};

}  // namespace coracle::internal
