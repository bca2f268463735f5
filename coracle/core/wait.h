// SPDX-License-Identifier: Apache-2.0
// wait(): until some of several tasks have ended.
#pragma once

#include <coracle/base/clock.h>
#include <coracle/core/current_task.h>
#include <coracle/core/task.h>

#include <type_traits>
#include <utility>
#include <vector>

namespace coracle {

enum class ReturnWhen {
    first_completed,  // one has ended, however it did
    first_exception,  // one has failed, or all have ended
    all_completed,
};

struct WaitOptions {
    // Returns after this time in any case.
    Duration timeout = Duration::max();
    ReturnWhen return_when = ReturnWhen::all_completed;
};
static_assert(std::is_trivially_copyable_v<WaitOptions>);

// Both in the order of the argument.
template <class Handle>
struct WaitResult {
    std::vector<Handle> done;
    std::vector<Handle> pending;
};

namespace internal {

Task<void> wait_for_tasks(std::vector<TaskRef> tasks, WaitOptions options);

template <class Handle>
Task<WaitResult<Handle>> wait_and_sort(std::vector<Handle> handles, WaitOptions options) {
    std::vector<TaskRef> tasks(handles.begin(), handles.end());
    co_await wait_for_tasks(std::move(tasks), options);
    WaitResult<Handle> result;
    for (Handle& handle : handles) {
        auto& side = handle.done() ? result.done : result.pending;
        side.push_back(std::move(handle));
    }
    co_return result;
}

}  // namespace internal

// asyncio's wait(). Takes handles of running tasks, TaskHandle<T> or TaskRef, which stay with their
// owner: neither a timeout nor a cancellation of this wait touches them. Throws nothing of theirs.
// Returns at once when there is nothing to wait for.
//
//   auto [done, pending] = co_await wait(std::move(handles),
//                                        {.return_when = ReturnWhen::first_completed});
//   for (auto& task : pending) task.cancel();
template <class Handle>
    requires std::is_constructible_v<TaskRef, const Handle&>
Task<WaitResult<Handle>> wait(std::vector<Handle> handles, WaitOptions options = {}) {
    return internal::wait_and_sort<Handle>(std::move(handles), options);
}

}  // namespace coracle
