// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/capacity_limiter.h>

#include <cstdint>
#include <utility>

namespace coracle {

void CapacityLimiter::set_total(std::size_t total) noexcept {
    std::size_t before = std::exchange(total_, total);
    permits_.add(static_cast<std::int64_t>(total) - static_cast<std::int64_t>(before));
}

}  // namespace coracle
