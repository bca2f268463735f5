// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/internal/loop_bound.h>

#include <coracle/core/loop.h>
#include <coracle/core/registry.h>

#include <cstdio>
#include <cstdlib>

namespace coracle::internal {

void LoopBound::check_thread(const char* what) noexcept {
    EventLoop* here = EventLoop::current_or_null();
    if (loop_ == here) return;
    if (loop_) {
        bool runs_elsewhere = false;
        for_each_loop([&](EventLoop& loop) {
            runs_elsewhere =
                runs_elsewhere || (&loop == loop_ && loop.internal_runs_on_another_thread());
        });
        if (runs_elsewhere) wrong_thread(what, created_);
    }
    if (here) loop_ = here;
}

void wrong_thread(const char* what, const std::source_location& created) {
    std::fprintf(stderr,
                 "coracle: %s, created in %s (%s:%u), was used from a thread that is not its "
                 "loop's: go there with call_soon_threadsafe(), or use a LoopChannel\n",
                 what, created.function_name(), created.file_name(),
                 static_cast<unsigned>(created.line()));
    std::abort();
}

}  // namespace coracle::internal
