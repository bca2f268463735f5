// SPDX-License-Identifier: Apache-2.0
// The other end of a connection to a server under test, as raw bytes.
#pragma once

#include "matrix.h"

#include <coracle/testing/memory_stream.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace coracle::matrix {

// Sends a request whose body comes later, and reads only when told to.
class Peer {
  public:
    // Of each direction of the stream.
    static constexpr std::size_t capacity = 4096;
    // More than the stream and the server's buffer hold together.
    static constexpr std::size_t more_than_fits = 256 * 1024;
    static constexpr std::string_view post_head =
        "POST / HTTP/1.1\r\nHost: matrix\r\nContent-Type: application/json\r\n"
        "Content-Length: 4000\r\n\r\n";

    void connect(testing::MemoryListener& listener) { stream_ = listener.connect(); }
    void send(std::string_view bytes) { stream_->write_nowait(bytes); }

    // A piece of the body, which is valid as a number in JSON.
    void send_body() {
        constexpr std::string_view piece = "12345";
        body_sent_ += piece.size();
        send(piece);
    }
    // All that is missing of it.
    void send_whole_body() {
        constexpr std::size_t length = 4000;
        std::string rest(length - body_sent_, ' ');
        if (body_sent_ == 0 && !rest.empty()) rest[0] = '7';
        body_sent_ = length;
        if (!rest.empty()) send(rest);
    }
    std::size_t body_sent() const noexcept { return body_sent_; }

    // Takes what is there.
    void read() {
        std::array<char, capacity> buffer;
        while (stream_->read_nowait(buffer).done()) {
        }
    }
    // Reads from now on, whatever comes.
    Task<void> read_on() {
        while (true) {
            Bytes bytes = co_await stream_->read();
            if (bytes.empty()) co_return;
        }
    }

  private:
    std::unique_ptr<testing::MemoryStream> stream_;
    std::size_t body_sent_ = 0;
};

}  // namespace coracle::matrix
