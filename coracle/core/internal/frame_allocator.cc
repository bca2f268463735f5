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

// The calling thread's free blocks. Plain zero-initialised data, so that access needs no guard; the
// thread's exit frees it through `Cleaner`, which is only armed by the first block that is kept.
struct Cache {
    Block* free[classes];
    std::uint32_t count[classes];
    long live;
    bool armed;
    bool closed;
};

thread_local constinit Cache cache{};
std::atomic<long> live_elsewhere{0};

struct Cleaner {
    ~Cleaner() {
        cache.closed = true;
        live_elsewhere.fetch_add(cache.live, std::memory_order_relaxed);
        cache.live = 0;
        for (Block*& head : cache.free) {
            while (head) {
                Block* block = head;
                head = block->next;
                ::operator delete(block);
            }
        }
    }
    void arm() noexcept {}
};

thread_local Cleaner cleaner;

constexpr std::size_t class_of(std::size_t size) { return (size - 1) / granularity; }

void count_live(long change) noexcept {
    if (cache.closed) {
        live_elsewhere.fetch_add(change, std::memory_order_relaxed);
    } else {
        cache.live += change;
    }
}

}  // namespace

void* allocate_frame(std::size_t size) {
    if (!cache.armed) {
        cache.armed = true;
        cleaner.arm();
    }
    count_live(1);
    if (!recycles || size > largest) return ::operator new(size);
    std::size_t index = class_of(size);
    Block* block = cache.free[index];
    if (!block) return ::operator new((index + 1) * granularity);
    cache.free[index] = block->next;
    --cache.count[index];
    return block;
}

void free_frame(void* block, std::size_t size) noexcept {
    count_live(-1);
    if (recycles && size <= largest && !cache.closed) {
        std::size_t index = class_of(size);
        if (cache.count[index] < held_bytes_max / ((index + 1) * granularity)) {
            auto* head = static_cast<Block*>(block);
            head->next = cache.free[index];
            cache.free[index] = head;
            ++cache.count[index];
            return;
        }
    }
    ::operator delete(block);
}

long live_frames() noexcept { return cache.live + live_elsewhere.load(std::memory_order_relaxed); }

}  // namespace coracle::internal
