// SPDX-License-Identifier: Apache-2.0
// The loops of this process, for whoever observes them.
#pragma once

namespace coracle {
class EventLoop;
}

namespace coracle::internal {

void register_loop(EventLoop& loop);
void unregister_loop(EventLoop& loop) noexcept;

}  // namespace coracle::internal
