// SPDX-License-Identifier: Apache-2.0
// What the network functions throw.
#pragma once

#include <coracle/base/bytes.h>
#include <coracle/base/error.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace coracle::net {

// A network operation failed: "connect 10.0.0.7:443: Connection refused". The text names the
// operation and its subject, `code()` is the errno. The end of a stream is no error.
class Error : public SystemError {
  public:
    using SystemError::SystemError;
};

// An address that cannot be read: "address 127.0.0.1:99999: Invalid argument".
class AddressError : public Error {
  public:
    explicit AddressError(std::string_view text);
};

// The stream ended before read_exactly() had what it was asked for.
class IncompleteReadError : public Error {
  public:
    IncompleteReadError(std::string_view subject, Bytes partial, std::size_t expected);

    // What did come; fewer bytes than expected().
    const Bytes& partial() const noexcept { return partial_; }
    std::size_t expected() const noexcept { return expected_; }

  private:
    Bytes partial_;
    std::size_t expected_;
};

}  // namespace coracle::net
