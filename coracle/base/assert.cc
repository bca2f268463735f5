// SPDX-License-Identifier: Apache-2.0
#include <coracle/base/assert.h>

#include <cstdio>
#include <cstdlib>

namespace coracle::internal {

void assertion_failed(const char* expression, const char* file, int line, const char* note) {
    std::fprintf(stderr, "%s:%d: assertion failed: %s%s%s\n", file, line, expression,
                 note ? ": " : "", note ? note : "");
    std::abort();
}

void fatal(const char* sentence) {
    std::fprintf(stderr, "coracle: %s\n", sentence);
    std::abort();
}

}  // namespace coracle::internal
