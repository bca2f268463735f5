// SPDX-License-Identifier: Apache-2.0
#include <coracle/testing/seeds.h>

#include <coracle/base/error.h>

#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace coracle::testing {
namespace {

std::optional<std::uint64_t> number_from_environment(const char* name) {
    const char* value = std::getenv(name);
    if (!value || !*value) return std::nullopt;
    std::string_view text(value);
    std::uint64_t number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number == 0) {
        throw Error(std::string(name) + "=" + value + ": expected a number above zero");
    }
    return number;
}

// The output function of splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
// generators", 2014): spreads consecutive numbers over all of them, and maps only one to zero.
std::uint64_t seed_at(std::uint64_t index) noexcept {
    constexpr std::uint64_t base = 20'260'101;
    std::uint64_t z = (base + index) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return z != 0 ? z : 1;
}

void report(std::uint64_t seed) noexcept {
    std::fprintf(stderr, "failed with seed %" PRIu64 "; rerun with CORACLE_SEED=%" PRIu64 "\n",
                 seed, seed);
}

}  // namespace

std::size_t for_each_seed(const std::function<void(std::uint64_t)>& body, SeedOptions options) {
    auto only = number_from_environment("CORACLE_SEED");
    auto count = number_from_environment("CORACLE_SEEDS").value_or(options.count);
    if (only) count = 1;
    for (std::uint64_t i = 0; i < count; ++i) {
        std::uint64_t seed = only ? *only : seed_at(i);
        try {
            body(seed);
        } catch (...) {
            report(seed);
            throw;
        }
        if (options.failed && options.failed()) {
            report(seed);
            return static_cast<std::size_t>(i) + 1;
        }
    }
    return static_cast<std::size_t>(count);
}

}  // namespace coracle::testing
