// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/internal/permits.h>

#include <coracle/base/assert.h>

namespace coracle::internal {

Permits::~Permits() { CORACLE_ASSERT(waiters_.empty()); }

void Permits::add(std::int64_t count) noexcept {
    bound_.check(what_);
    free_ += count;
    while (free_ > 0 && !waiters_.empty()) {
        --free_;
        waiters_.pop_front()->complete();
    }
}

bool Permits::Acquire::withdraw() noexcept {
    unlink();
    return true;
}

std::string Permits::Acquire::describe() const {
    return std::string(permits_.what_) + " (" + std::to_string(permits_.waiting()) + " waiting)";
}

}  // namespace coracle::internal
