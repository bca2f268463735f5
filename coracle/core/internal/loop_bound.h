// SPDX-License-Identifier: Apache-2.0
// LoopBound: catches an object of one loop being used from another loop's thread.
#pragma once

#include <coracle/core/debug.h>

#include <source_location>

namespace coracle {

class EventLoop;

namespace internal {

// A member of objects that belong to one loop. The first operation inside a loop binds it; in debug
// mode (see is_debug()) a later one on another thread, while that loop runs, aborts with the place
// where the object was created. Once the loop has ended, or while it does not run, the object may
// move on to another.
class LoopBound {
  public:
    explicit LoopBound(std::source_location created) noexcept : created_(created) {}

    // First in each operation; `what` is the class's name.
    void check(const char* what) noexcept {
        if (is_debug()) check_thread(what);
    }

  private:
    void check_thread(const char* what) noexcept;

    EventLoop* loop_ = nullptr;
    std::source_location created_;
};

// Different for each living thread.
inline const void* this_thread_token() noexcept {
    static thread_local constinit char token = 0;
    return &token;
}

// Aborts: `what`, created there, was used on a thread that is not its loop's.
[[noreturn]] void wrong_thread(const char* what, const std::source_location& created);

}  // namespace internal
}  // namespace coracle
