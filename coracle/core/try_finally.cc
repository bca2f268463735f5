// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/try_finally.h>

#include <coracle/base/log.h>
#include <coracle/core/task_tree.h>

namespace coracle::internal {

void finish_finally(const std::exception_ptr& body, const std::exception_ptr& cleanup) {
    if (body) {
        if (cleanup) log::error("task", "a clean-up threw " + describe_exception(cleanup));
        std::rethrow_exception(body);
    }
    if (cleanup) std::rethrow_exception(cleanup);
}

}  // namespace coracle::internal
