// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/context.h>

namespace coracle {

Context copy_context() noexcept {
    Context copy;
    if (auto** own = internal::ContextValues::here()) {
        copy.values_ = internal::ContextValues::share(*own);
    }
    return copy;
}

}  // namespace coracle
