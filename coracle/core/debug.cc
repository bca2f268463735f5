// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/debug.h>

#include <cstdlib>
#include <string_view>

namespace coracle::internal {
namespace {

bool wanted_by_environment() noexcept {
    const char* value = std::getenv("CORACLE_DEBUG");
    return value && std::string_view(value) == "1";
}

}  // namespace

std::atomic<bool> debug_flag{wanted_by_environment()};

}  // namespace coracle::internal
