// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/park.h>

#include <coracle/base/assert.h>
#include <coracle/core/loop.h>

namespace coracle {

bool Park::yield() noexcept {
    task_->loop.internal_schedule(*task_);
    return true;
}

void Park::complete() noexcept {
    CORACLE_DEBUG_ASSERT(waiting_);
    waiting_ = false;
    task_->parked = nullptr;
    task_->loop.internal_schedule(*task_);
}

bool Park::abort() noexcept {
    if (!waiting_ || !withdraw()) return false;
    cancelled_ = true;
    complete();
    return true;
}

void Park::throw_cancelled() const { throw Cancelled(std::string(task_->scope->reason())); }

}  // namespace coracle
