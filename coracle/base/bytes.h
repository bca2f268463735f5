// SPDX-License-Identifier: Apache-2.0
// What Coracle calls bytes: std::string when it owns them, std::string_view when it looks.
#pragma once

#include <string>
#include <string_view>

namespace coracle {

// Owned bytes of any value, zero included: a body, a frame, a file. A std::string, so that text,
// JSON and files need no conversion between "bytes" and "text".
using Bytes = std::string;

}  // namespace coracle
