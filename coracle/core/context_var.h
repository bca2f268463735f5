// SPDX-License-Identifier: Apache-2.0
// ContextVar<T>: a value that follows a task and the tasks it creates.
#pragma once

#include <coracle/base/error.h>
#include <coracle/core/internal/context_values.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace coracle {

// asyncio's contextvars. A task begins with the values that its creator had at that moment; what it
// sets then is seen by itself and by tasks that it creates later, not by its creator. A function on
// a pool's thread (run_in_executor, to_thread) likewise begins with the values of the task that
// awaits it, and keeps what it sets to itself. Costs a task one pointer, and nothing more while no
// variable is set.
//
//   ContextVar<std::string> request_id("request_id");     // at namespace scope
//
//   auto token = request_id.set("4f2a");
//   co_await handle();                                    // request_id.get() is "4f2a" in there
//   request_id.reset(std::move(token));
//
// Values are copied out, so T is something small or a shared_ptr. A variable must outlive the tasks
// that have set it.
template <class T>
class ContextVar {
  public:
    // The name is for messages. Without a default, get() throws where nothing was set.
    explicit ContextVar(const char* name) noexcept : name_(name) {}
    ContextVar(const char* name, T fallback) : name_(name), fallback_(std::move(fallback)) {}
    ContextVar(const ContextVar&) = delete;
    ContextVar& operator=(const ContextVar&) = delete;

    // What was set in this task, or in those that it comes from, or else the default. Error when
    // there is neither. Outside of a task and its calls on pools only the default.
    T get() const {
        if (auto value = find()) return *value;
        if (fallback_) return *fallback_;
        throw Error(std::string("the context variable ") + name_ + " has no value here");
    }
    // The same, with a default for this call.
    T get(T fallback) const {
        if (auto value = find()) return *value;
        return fallback;
    }

    // What reset() needs to bring back the value before.
    class Token {
      public:
        Token(Token&&) noexcept = default;
        Token& operator=(Token&&) noexcept = default;

      private:
        friend class ContextVar;
        explicit Token(std::shared_ptr<const void> previous) : previous_(std::move(previous)) {}
        std::shared_ptr<const void> previous_;
    };

    // For the running task or call on a pool from now on; Error outside of one.
    Token set(T value) {
        return Token(
            internal::ContextValues::exchange(this, std::make_shared<const T>(std::move(value))));
    }
    // In the task, or the call on a pool, that called set().
    void reset(Token token) { internal::ContextValues::exchange(this, std::move(token.previous_)); }

    const char* name() const noexcept { return name_; }

  private:
    const T* find() const noexcept {
        return static_cast<const T*>(internal::ContextValues::find(this));
    }

    const char* name_;
    std::optional<T> fallback_;
};

}  // namespace coracle
