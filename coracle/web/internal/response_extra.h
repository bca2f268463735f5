// SPDX-License-Identifier: Apache-2.0
// The part of a Response that most responses do not have.
#pragma once

#include <coracle/web/response.h>

#include <string>

namespace coracle::web {

struct Response::Extra {
    http::Headers headers;
    std::string reason;
    std::string content_type;
    std::string file_path;
    bool is_file = false;
};

}  // namespace coracle::web
