// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/run.h>

#include <coracle/base/error.h>

namespace coracle::internal {

InterruptGuard::InterruptGuard(EventLoop& loop, CancelScope& scope) : loop_(loop) {
    try {
        loop_.add_signal_handler(SIGINT, [this, &scope] {
            loop_.remove_signal_handler(SIGINT);
            scope.cancel("interrupted");
        });
    } catch (const Error&) {
        // Another loop of the process handles Ctrl-C already, so this one does not.
    }
}

InterruptGuard::~InterruptGuard() { loop_.remove_signal_handler(SIGINT); }

}  // namespace coracle::internal
