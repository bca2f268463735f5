// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/internal/frame_allocator.h>

#include <atomic>
#include <cstdint>
#include <new>

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

constexpr std::size_t granularity = 32;
constexpr std::size_t largest = 2048;
constexpr std::size_t classes = largest / granularity;
constexpr std::size_t held_bytes_max = 256 * 1024;

struct Block {
    Block* next;
};

// The calling thread's free blocks. Plain zero-initialised data, so that access needs no guard.
// Until the first slow call, and again once the thread is ending, `room` is zero and every call
// takes the slow way.
struct Cache {
    Block* free[classes];
    std::uint32_t room[classes];  // blocks of that class that may still be kept
    long live;
    bool is_armed;
    bool is_closed;
};

thread_local constinit Cache cache{};
std::atomic<long> live_elsewhere{0};

// Gives the thread's blocks back when it ends.
struct Cleaner {
    ~Cleaner() {
        cache.is_closed = true;
        live_elsewhere.fetch_add(cache.live, std::memory_order_relaxed);
        cache.live = 0;
        for (std::size_t index = 0; index < classes; ++index) {
            cache.room[index] = 0;
            while (Block* block = cache.free[index]) {
                cache.free[index] = block->next;
                ::operator delete(block);
            }
        }
    }
    void arm() noexcept {}
};

thread_local Cleaner cleaner;

constexpr std::size_t class_of(std::size_t size) { return (size - 1) / granularity; }
constexpr std::size_t size_of_class(std::size_t index) { return (index + 1) * granularity; }

// A thread that is ending counts elsewhere, since nobody will look at its cache again.
void settle_count() noexcept {
    if (!cache.is_closed) return;
    live_elsewhere.fetch_add(cache.live, std::memory_order_relaxed);
    cache.live = 0;
}

[[gnu::noinline]] void* allocate_slowly(std::size_t size) {
    if (!cache.is_armed) {
        cache.is_armed = true;
        cleaner.arm();
        for (std::size_t index = 0; recycles && index < classes; ++index) {
            cache.room[index] = static_cast<std::uint32_t>(held_bytes_max / size_of_class(index));
        }
    }
    settle_count();
    return ::operator new(size <= largest ? size_of_class(class_of(size)) : size);
}

[[gnu::noinline]] void free_slowly(void* block) noexcept {
    settle_count();
    ::operator delete(block);
}

}  // namespace

void* allocate_frame(std::size_t size) {
    Cache& mine = cache;
    ++mine.live;
    if (size > largest) return allocate_slowly(size);
    std::size_t index = class_of(size);
    Block* block = mine.free[index];
    if (!block) return allocate_slowly(size);
    mine.free[index] = block->next;
    ++mine.room[index];
    return block;
}

void free_frame(void* block, std::size_t size) noexcept {
    Cache& mine = cache;
    --mine.live;
    if (size > largest) return free_slowly(block);
    std::size_t index = class_of(size);
    if (mine.room[index] == 0) return free_slowly(block);
    --mine.room[index];
    auto* head = static_cast<Block*>(block);
    head->next = mine.free[index];
    mine.free[index] = head;
}

long live_frames() noexcept { return cache.live + live_elsewhere.load(std::memory_order_relaxed); }

}  // namespace coracle::internal
