// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/event.h>

#include <coracle/base/assert.h>

namespace coracle {

Event::~Event() { CORACLE_ASSERT(waiters_.empty()); }

void Event::set() noexcept {
    bound_.check("an Event");
    set_ = true;
    while (Wait* waiter = waiters_.pop_front()) waiter->complete();
}

bool Event::Wait::withdraw() noexcept {
    unlink();
    return true;
}

std::string Event::Wait::describe() const { return "event"; }

}  // namespace coracle
