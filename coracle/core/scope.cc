// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/scope.h>

#include <string>

namespace coracle::internal {

void throw_timeout(const CancelScope& scope, Duration span) {
    if (!scope.deadline_passed()) {
        throw TimeoutError("cancelled before the deadline: " + std::string(scope.reason()));
    }
    if (span == Duration::zero()) throw TimeoutError("the deadline has passed");
    auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(span).count();
    throw TimeoutError("timed out after " + std::to_string(ms) + " ms");
}

}  // namespace coracle::internal
