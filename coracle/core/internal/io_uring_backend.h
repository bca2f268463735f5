// SPDX-License-Identifier: Apache-2.0
// What the tests of the io_uring backend turn: the sizes of its rings, and how much of the kernel's
// help it takes.
#pragma once

#include <coracle/core/io_backend.h>

#include <memory>
#include <type_traits>

namespace coracle::internal {

struct IoUringOptions {
    // Entries, rounded up to a power of two by the kernel. More submissions than that make a system
    // call of their own; completions beyond theirs wait in the kernel.
    unsigned submissions = 256;
    unsigned completions = 4096;
    // The first set-up to try: 0 is deferred task run for a single issuer (Linux 6.1), 1 is
    // cooperative task run (5.19), 2 is neither.
    unsigned first_setup = 0;
};
static_assert(std::is_trivially_copyable_v<IoUringOptions>);

std::unique_ptr<IoBackend> make_io_uring_backend(IoUringOptions options);

}  // namespace coracle::internal
