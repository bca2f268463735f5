// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/readiness.h>

#include <coracle/base/assert.h>

#include <utility>

namespace coracle {

Readiness::~Readiness() { CORACLE_ASSERT(!reader_ && !writer_); }

void Readiness::set_readable() noexcept {
    readable_ = true;
    wake(reader_);
}

void Readiness::set_writable() noexcept {
    writable_ = true;
    wake(writer_);
}

void Readiness::interrupt() noexcept {
    for (Wait** waiter : {&reader_, &writer_}) {
        if (!*waiter) continue;
        (*waiter)->interrupted_ = true;
        wake(*waiter);
    }
}

void Readiness::wake(Wait*& waiter) noexcept {
    if (Wait* woken = std::exchange(waiter, nullptr)) woken->complete();
}

Readiness::Wait::~Wait() {
    if (is_waiting()) withdraw();
}

void Readiness::Wait::enqueue() noexcept {
    Wait*& place = direction_ == Direction::readable ? readiness_.reader_ : readiness_.writer_;
    CORACLE_ASSERT(place == nullptr);  // at most one reader and one writer at a time
    place = this;
}

bool Readiness::Wait::withdraw() noexcept {
    Wait*& place = direction_ == Direction::readable ? readiness_.reader_ : readiness_.writer_;
    if (place == this) place = nullptr;
    return true;
}

std::string Readiness::Wait::describe() const {
    return std::string(direction_ == Direction::readable ? "readable " : "writable ") +
           readiness_.label_;
}

}  // namespace coracle
