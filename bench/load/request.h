// SPDX-License-Identifier: Apache-2.0
// The requests we send: a small one and a browser's, one header value of each changing every time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

// `depth` requests in a row, as one write; stamp() renumbers them in place before each send.
//
// The number is eight hexadecimal digits: X-Request of the small request (about 80 bytes), the
// session cookie of the browser's (about 620 bytes). A server that caches whole requests gains
// nothing.
class Requests {
  public:
    Requests(std::string_view path, bool browser, int depth, std::uint32_t first_number);

    void stamp();
    std::string_view bytes() const { return bytes_; }

  private:
    std::string bytes_;
    std::size_t length_ = 0;  // of one request
    std::size_t digits_ = 0;  // where the number stands within it
    std::uint32_t number_;
};

}  // namespace bench
