// SPDX-License-Identifier: Apache-2.0
#include <coracle/web/handler.h>

#include <coracle/base/assert.h>
#include <coracle/web/response.h>

namespace coracle::web {

Task<Response> Handler::operator()(Request& request) const {
    if (function_) return function_(request);
    CORACLE_ASSERT(call_ != nullptr);
    return call_(object_.get(), request);
}

}  // namespace coracle::web
