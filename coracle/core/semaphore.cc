// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/semaphore.h>

#include <coracle/base/error.h>

#include <string>

namespace coracle {

void BoundedSemaphore::release() {
    if (available() >= bound_) {
        throw Error("release() of a BoundedSemaphore that has all of its " +
                    std::to_string(bound_) + " permits");
    }
    Semaphore::release();
}

}  // namespace coracle
