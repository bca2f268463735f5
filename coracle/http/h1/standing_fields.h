// SPDX-License-Identifier: Apache-2.0
// StandingFields: the Server and Date lines, which all responses of one second have in common.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace coracle::http::h1 {

// Complete field lines, ready to be copied. One per loop.
//
//   StandingFields fields("Coracle");
//   fields.set_time(now);
//   fields.lines();  // "Server: Coracle\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
class StandingFields {
  public:
    // Without a Server line if the name is empty, and without a Date line until set_time(). Throws
    // InvalidHeader for a name with a byte that no header may have.
    explicit StandingFields(std::string_view server);

    // Formats the Date line anew when the second is another one. Invalidates views.
    void set_time(std::chrono::sys_seconds now);

    std::string_view lines() const noexcept { return text_; }
    std::string_view server_line() const noexcept { return lines().substr(0, server_size_); }
    std::string_view date_line() const noexcept { return lines().substr(server_size_); }

  private:
    std::string text_;
    std::size_t server_size_ = 0;
    std::chrono::sys_seconds formatted_ = std::chrono::sys_seconds::min();
};

}  // namespace coracle::http::h1
