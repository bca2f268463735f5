// SPDX-License-Identifier: Apache-2.0
#include <coracle/base/buffer.h>

#include <algorithm>
#include <utility>

namespace coracle {

Buffer::Buffer(Buffer&& other) noexcept
    : data_(std::move(other.data_)),
      capacity_(std::exchange(other.capacity_, 0)),
      begin_(std::exchange(other.begin_, 0)),
      end_(std::exchange(other.end_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
    data_ = std::move(other.data_);
    capacity_ = std::exchange(other.capacity_, 0);
    begin_ = std::exchange(other.begin_, 0);
    end_ = std::exchange(other.end_, 0);
    return *this;
}

void Buffer::append(std::string_view bytes) {
    if (bytes.empty()) return;
    std::memcpy(prepare(bytes.size()).data(), bytes.data(), bytes.size());
    commit(bytes.size());
}

void Buffer::grow(std::size_t count) {
    const std::size_t held = size();
    if (capacity_ - held >= count && held <= capacity_ / 2) {
        std::memmove(data_.get(), data_.get() + begin_, held);
    } else {
        std::size_t wanted = std::max<std::size_t>({held + count, capacity_ * 2, 512});
        auto larger = std::make_unique_for_overwrite<char[]>(wanted);
        if (held) std::memcpy(larger.get(), data_.get() + begin_, held);
        data_ = std::move(larger);
        capacity_ = wanted;
    }
    begin_ = 0;
    end_ = held;
}

}  // namespace coracle
