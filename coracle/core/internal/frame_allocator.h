// SPDX-License-Identifier: Apache-2.0
// Memory for coroutine frames and spawned tasks, recycled per thread.
#pragma once

#include <cstddef>
#include <new>

namespace coracle::internal {

// Of every block.
inline constexpr std::size_t frame_alignment = __STDCPP_DEFAULT_NEW_ALIGNMENT__;

// A block of at least `size` bytes, aligned for any fundamental type. Blocks of up to 2 KiB come
// from lists of the calling thread that hold at most 256 KiB per size; larger ones, and all under
// AddressSanitizer, from operator new. Inlined, because a frame's size is known where it is made:
// what is left is a handful of instructions.
inline void* allocate_frame(std::size_t size);

// Gives back a block of allocate_frame(size); any thread may do so.
inline void free_frame(void* block, std::size_t size) noexcept;

// Blocks handed out and not yet given back, over all threads that still live or have ended. Exact
// while no other thread allocates: tests compare it before and after.
long live_frames() noexcept;

// Implementation

// A block that is free, and how many are in its list from here on.
struct FreeFrame {
    FreeFrame* next;
    std::size_t count;
};

// The last of a list, never handed out: blocks may be added before it ...
extern constinit FreeFrame frame_list_end;
// ... or, before a thread's first slow call and once it is ending, may not.
extern constinit FreeFrame frame_list_closed;

// One thread's free blocks. Constant-initialised, so that access needs no guard.
struct FrameCache {
    static constexpr std::size_t granularity = 32;
    static constexpr std::size_t largest = 2048;
    static constexpr std::size_t classes = largest / granularity;
    static constexpr std::size_t held_bytes_max = 256 * 1024;

    static constexpr std::size_t class_of(std::size_t size) { return (size - 1) / granularity; }
    static constexpr std::size_t size_of_class(std::size_t index) {
        return (index + 1) * granularity;
    }
    static constexpr std::size_t count_max(std::size_t index) {
        return held_bytes_max / size_of_class(index);
    }

    constexpr FrameCache() noexcept {
        for (FreeFrame*& list : free) list = &frame_list_closed;
    }

    FreeFrame* free[classes];
    long slow = 0;  // blocks from operator new that are not back there
    bool is_armed = false;
    bool is_closed = false;
};
extern thread_local constinit FrameCache frame_cache;

void* allocate_frame_slowly(std::size_t size);
void free_frame_slowly(void* block) noexcept;

inline void* allocate_frame(std::size_t size) {
    if (size > FrameCache::largest) return allocate_frame_slowly(size);
    FreeFrame*& list = frame_cache.free[FrameCache::class_of(size)];
    FreeFrame* block = list;
    if (!block->next) [[unlikely]]
        return allocate_frame_slowly(size);
    list = block->next;
    return block;
}

inline void free_frame(void* block, std::size_t size) noexcept {
    if (size > FrameCache::largest) return free_frame_slowly(block);
    std::size_t index = FrameCache::class_of(size);
    FreeFrame*& list = frame_cache.free[index];
    std::size_t count = list->count + 1;
    if (count > FrameCache::count_max(index)) [[unlikely]]
        return free_frame_slowly(block);
    list = ::new (block) FreeFrame{list, count};
}

}  // namespace coracle::internal
