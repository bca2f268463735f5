// SPDX-License-Identifier: Apache-2.0
// Sends a file as a response, read by threads of the default pool.
#pragma once

#include <coracle/core/task.h>
#include <coracle/web/response.h>
#include <coracle/wire/exchange.h>

namespace coracle::web::internal {

// Answers with the file that `response` names, or with 404 or 403. Throws SystemError when the file
// cannot be read for another reason, wire::ConnectionLost when it ends before the length it had
// when it was opened.
Task<void> send_file(wire::Exchange& exchange, const Response& response);

// What the exchange sends for a response without a file.
wire::ResponseHead head_of(const Response& response) noexcept;

}  // namespace coracle::web::internal
