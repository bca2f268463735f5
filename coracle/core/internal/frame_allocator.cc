// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/internal/frame_allocator.h>

#include <atomic>
#include <new>
#include <utility>

namespace coracle::internal {
namespace {

// Under AddressSanitizer every block comes from operator new, so that a use after free is seen.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool recycles = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool recycles = false;
#else
constexpr bool recycles = true;
#endif
#else
constexpr bool recycles = true;
#endif

std::atomic<long> live_elsewhere{0};

// Blocks that this thread has taken and not given back; less than none when it has given back those
// of others.
long live_here() noexcept {
    long live = frame_cache.slow;
    for (const FreeFrame* list : frame_cache.free) {
        if (list != &frame_list_closed) live -= static_cast<long>(list->count);
    }
    return live;
}

// Gives the thread's blocks back when it ends.
struct Cleaner {
    ~Cleaner() {
        live_elsewhere.fetch_add(live_here(), std::memory_order_relaxed);
        frame_cache.slow = 0;
        frame_cache.is_closed = true;
        for (FreeFrame*& list : frame_cache.free) {
            FreeFrame* block = std::exchange(list, &frame_list_closed);
            while (block->next) ::operator delete(std::exchange(block, block->next));
        }
    }
    void arm() noexcept {}
};

thread_local Cleaner cleaner;

// A thread that is ending counts elsewhere, since nobody will look at its cache again.
void settle_count() noexcept {
    if (!frame_cache.is_closed) return;
    live_elsewhere.fetch_add(frame_cache.slow, std::memory_order_relaxed);
    frame_cache.slow = 0;
}

}  // namespace

constinit FreeFrame frame_list_end{nullptr, 0};
constinit FreeFrame frame_list_closed{nullptr, FrameCache::held_bytes_max};
thread_local constinit FrameCache frame_cache;

void* allocate_frame_slowly(std::size_t size) {
    if (!frame_cache.is_armed) {
        frame_cache.is_armed = true;
        cleaner.arm();
        if (recycles) {
            for (FreeFrame*& list : frame_cache.free) list = &frame_list_end;
        }
    }
    bool is_small = size <= FrameCache::largest;
    std::size_t taken = is_small ? FrameCache::size_of_class(FrameCache::class_of(size)) : size;
    void* block = ::operator new(taken);
    ++frame_cache.slow;
    settle_count();
    return block;
}

void free_frame_slowly(void* block) noexcept {
    --frame_cache.slow;
    settle_count();
    ::operator delete(block);
}

long live_frames() noexcept { return live_here() + live_elsewhere.load(std::memory_order_relaxed); }

}  // namespace coracle::internal
