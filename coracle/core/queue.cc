// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/queue.h>

namespace coracle::internal {

void refuse_unbounded_queue() {
    throw Error("Queue(0): a queue holds at least one item; asyncio's unbounded queue has no twin");
}

}  // namespace coracle::internal
