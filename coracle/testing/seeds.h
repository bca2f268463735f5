// SPDX-License-Identifier: Apache-2.0
// for_each_seed(): one test body under many schedules, and the seed that failed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <type_traits>

namespace coracle::testing {

struct SeedOptions {
    // Schedules tried. The variable CORACLE_SEEDS replaces it, for the long form.
    std::size_t count = 50;
    // Says whether the body has failed without throwing; with GoogleTest
    // ::testing::Test::HasFailure. Asked after each run.
    bool (*failed)() = nullptr;
};
static_assert(std::is_trivially_copyable_v<SeedOptions>);

// Calls body(seed) for one seed after the other, always the same ones and none of them zero. At the
// first failure (an exception, which passes, or options.failed) it writes "failed with seed S;
// rerun with CORACLE_SEED=S" to stderr and stops. With CORACLE_SEED in the environment it runs that
// one only. Returns how many bodies were run. Throws Error when a variable is no number.
//
//   for_each_seed([](std::uint64_t seed) { testing::run(body(), {.seed = seed}); },
//                 {.count = 100, .failed = ::testing::Test::HasFailure});
std::size_t for_each_seed(const std::function<void(std::uint64_t seed)>& body,
                          SeedOptions options = {});

}  // namespace coracle::testing
