// SPDX-License-Identifier: Apache-2.0
#include <coracle/base/error.h>

#include <system_error>

namespace coracle {

std::string error_text(int code) { return std::generic_category().message(code); }

SystemError::SystemError(std::string_view operation, int code)
    : Error(std::string(operation) + ": " + error_text(code)), code_(code) {}

}  // namespace coracle
