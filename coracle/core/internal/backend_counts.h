// SPDX-License-Identifier: Apache-2.0
// How many loops were made on which backend, so that a test run can say what it ran on.
#pragma once

#include <cstdint>
#include <string_view>

namespace coracle::internal {

// Since the program began, by IoBackend::name(). Zero for a name that no backend here has.
std::uint64_t loops_made_on(std::string_view backend) noexcept;
void count_loop_on(std::string_view backend) noexcept;

}  // namespace coracle::internal
