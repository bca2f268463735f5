// SPDX-License-Identifier: Apache-2.0
// A keep-alive connection to 127.0.0.1, and one request and answer on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bench {

// Owns its socket. Every failure throws std::system_error or std::runtime_error with what was
// tried.
class Connection {
  public:
    explicit Connection(std::uint16_t port);
    ~Connection();
    Connection(Connection&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
    Connection& operator=(Connection&&) = delete;

    int fd() const { return fd_; }

    // Sends `request`, reads one whole answer with a Content-Length, returns its size in bytes.
    // Blocks; throws unless the status is 200 and nothing follows the answer.
    std::size_t exchange(std::string_view request);

    // From another thread: makes an exchange() under way fail.
    void abort() noexcept;

  private:
    int fd_;
};

}  // namespace bench
