// SPDX-License-Identifier: Apache-2.0
// A growing byte queue: bytes are appended at the back and consumed at the front.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace coracle {

// Holds unread bytes contiguously. Consumed space is reclaimed by moving the rest to the front only
// when room is needed, so a queue that empties between uses never copies. No bound of its own: the
// owner checks size() before it appends what a peer sent.
class Buffer {
  public:
    Buffer() noexcept = default;
    Buffer(Buffer&& other) noexcept;
    Buffer& operator=(Buffer&& other) noexcept;

    bool empty() const noexcept { return begin_ == end_; }
    std::size_t size() const noexcept { return end_ - begin_; }
    std::size_t capacity() const noexcept { return capacity_; }
    const char* data() const noexcept { return data_.get() + begin_; }
    char* data() noexcept { return data_.get() + begin_; }
    std::string_view view() const noexcept { return {data(), size()}; }

    void append(std::string_view bytes);

    // Room for at least `count` bytes behind the content; after writing n of them call commit(n).
    // Invalidates views.
    std::span<char> prepare(std::size_t count) {
        if (capacity_ - end_ < count) [[unlikely]]
            grow(count);
        return {data_.get() + end_, capacity_ - end_};
    }
    void commit(std::size_t count) noexcept { end_ += count; }

    // Drops the first `count` bytes, at most size().
    void consume(std::size_t count) noexcept {
        begin_ += count;
        if (begin_ == end_) begin_ = end_ = 0;
    }
    void clear() noexcept { begin_ = end_ = 0; }

    // Gives the memory back; the content is dropped.
    void release() noexcept {
        if (capacity_ != 0) *this = Buffer();
    }

  private:
    void grow(std::size_t count);

    std::unique_ptr<char[]> data_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace coracle
