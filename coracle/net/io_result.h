// SPDX-License-Identifier: Apache-2.0
// IoResult: what one non-blocking read or write came to.
#pragma once

#include <cstddef>
#include <cstdint>

namespace coracle::net {

// One of four outcomes; none of them is an exception. 16 bytes, passed in registers.
class IoResult {
  public:
    enum class Status : std::uint8_t {
        done,         // bytes() were read or written
        end,          // the peer has sent all it will send; reads only
        would_block,  // nothing now: wait on readiness() and try again
        error,        // error_code() is the errno; the stream is of no more use
    };

    static constexpr IoResult of_bytes(std::size_t count) noexcept {
        return IoResult(Status::done, 0, count);
    }
    static constexpr IoResult at_end() noexcept { return IoResult(Status::end, 0, 0); }
    static constexpr IoResult blocked() noexcept { return IoResult(Status::would_block, 0, 0); }
    static constexpr IoResult failed(int code) noexcept { return IoResult(Status::error, code, 0); }

    constexpr Status status() const noexcept { return status_; }
    constexpr bool done() const noexcept { return status_ == Status::done; }
    constexpr bool end() const noexcept { return status_ == Status::end; }
    constexpr bool would_block() const noexcept { return status_ == Status::would_block; }
    constexpr bool error() const noexcept { return status_ == Status::error; }

    // Zero unless done().
    constexpr std::size_t bytes() const noexcept { return bytes_; }
    // Zero unless error().
    constexpr int error_code() const noexcept { return code_; }

  private:
    constexpr IoResult(Status status, int code, std::size_t bytes) noexcept
        : bytes_(bytes), code_(code), status_(status) {}

    std::size_t bytes_;
    int code_;
    Status status_;
};

}  // namespace coracle::net
