// SPDX-License-Identifier: Apache-2.0
#include <coracle/net/error.h>

#include <cerrno>

namespace coracle::net {

AddressError::AddressError(std::string_view text) : Error("address " + std::string(text), EINVAL) {}

IncompleteReadError::IncompleteReadError(std::string_view subject, Bytes partial,
                                         std::size_t expected)
    : Error("read " + std::to_string(expected) + " bytes from " + std::string(subject) +
                ", which ended after " + std::to_string(partial.size()),
            ENODATA),
      partial_(std::move(partial)),
      expected_(expected) {}

}  // namespace coracle::net
