// SPDX-License-Identifier: Apache-2.0
// Dispatcher: the way of a request through an application: route, middlewares, handler, response.
#pragma once

#include <coracle/core/task.h>
#include <coracle/web/application.h>
#include <coracle/web/request.h>
#include <coracle/web/response.h>
#include <coracle/wire/exchange.h>

#include <cstddef>
#include <exception>
#include <string>
#include <string_view>

namespace coracle::web::internal {

// One per application; belongs to its loop. Every exception of a handler becomes a response here:
//   HTTPException           the response it stands for
//   wire::BodyError         its status: 400, 408, 413
//   QueueFull               503 with Retry-After
//   TimeoutError            the route's timeout_status, 500 by default
//   anything else           500, logged with type, message, route, request id and await stack
// Cancelled and wire::ConnectionLost pass.
class Dispatcher final : public wire::RequestHandler {
  public:
    // The application outlives it.
    explicit Dispatcher(Application& app, bool access_log = false);

    Task<void> handle(wire::Exchange& exchange) override;
    std::string refuse(int status, std::string_view sentence, std::string_view peer) override;

  private:
    const Route* find_route(Request& request);
    void send(Request& request, const Response& response);
    Response failed(Request& request, const std::exception_ptr& error);
    Response server_error(Request& request, const std::exception_ptr& error);
    void log_access(const Request& request, TimePoint began);

    Application& app_;
    const bool has_middlewares_;
    const bool access_log_;
};

// What the router has no route for: 404, 405 with Allow, or 400.
Response unmatched(Request& request);

// The middlewares from `index` on, and then the handler. An HTTPException becomes its response.
Task<Response> run_from(Application& app, std::size_t index, Request& request);

}  // namespace coracle::web::internal
