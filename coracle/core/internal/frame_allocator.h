// SPDX-License-Identifier: Apache-2.0
// Memory for coroutine frames and spawned tasks, recycled per thread.
#pragma once

#include <cstddef>

namespace coracle::internal {

// Of every block.
inline constexpr std::size_t frame_alignment = __STDCPP_DEFAULT_NEW_ALIGNMENT__;

// A block of at least `size` bytes, aligned for any fundamental type. Blocks of up to 2 KiB come
// from lists of the calling thread that hold at most 256 KiB per size; larger ones, and all under
// AddressSanitizer, from operator new.
void* allocate_frame(std::size_t size);

// Gives back a block of allocate_frame(size); any thread may do so.
void free_frame(void* block, std::size_t size) noexcept;

// Blocks handed out and not yet given back, over all threads that still live or have ended. Exact
// while no other thread allocates: tests compare it before and after.
long live_frames() noexcept;

}  // namespace coracle::internal
