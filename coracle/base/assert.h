// SPDX-License-Identifier: Apache-2.0
// Assertions: CORACLE_ASSERT is always on, CORACLE_DEBUG_ASSERT only without NDEBUG.
#pragma once

namespace coracle::internal {

// Prints "file:line: assertion failed: expression" (and the note, if any) on stderr and aborts.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line,
                                   const char* note = nullptr);

// Prints `sentence` on stderr and aborts: for misuse that has a message of its own.
[[noreturn]] void fatal(const char* sentence);

}  // namespace coracle::internal

#define CORACLE_ASSERT(...)         \
    (static_cast<bool>(__VA_ARGS__) \
         ? static_cast<void>(0)     \
         : ::coracle::internal::assertion_failed(#__VA_ARGS__, __FILE__, __LINE__))

#ifdef NDEBUG
#define CORACLE_DEBUG_ASSERT(...) static_cast<void>(0)
#else
#define CORACLE_DEBUG_ASSERT(...) CORACLE_ASSERT(__VA_ARGS__)
#endif
