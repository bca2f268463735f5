// SPDX-License-Identifier: Apache-2.0
// The root of Coracle's exceptions. Each module has one shallow tree below it.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace coracle {

// Everything Coracle throws derives from Error, except Cancelled (core/cancel.h), which is no
// error.
class Error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// A failed system call: "connect 10.0.0.7:443: Connection refused". `operation` says what was
// attempted and on what, `code()` is the errno.
class SystemError : public Error {
  public:
    SystemError(std::string_view operation, int code);
    int code() const noexcept { return code_; }

  private:
    int code_;
};

// A deadline passed: thrown by timeout() and wait_for(), and by calls with a deadline of their own.
class TimeoutError : public Error {
  public:
    using Error::Error;
};

// The text of errno value `code`, as strerror gives it; thread-safe.
std::string error_text(int code);

}  // namespace coracle
