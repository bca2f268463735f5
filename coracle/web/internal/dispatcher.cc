// SPDX-License-Identifier: Apache-2.0
#include <coracle/web/internal/dispatcher.h>

#include <coracle/base/log.h>
#include <coracle/core/cancel.h>
#include <coracle/core/loop.h>
#include <coracle/core/scope.h>
#include <coracle/core/task_tree.h>
#include <coracle/exec/executor_error.h>
#include <coracle/http/html.h>
#include <coracle/http/status.h>
#include <coracle/web/http_exceptions.h>
#include <coracle/web/internal/application_state.h>
#include <coracle/web/internal/file_sender.h>
#include <coracle/web/internal/response_extra.h>

#include <algorithm>
#include <utility>

namespace coracle::web {

Task<Response> Next::operator()(Request& request) const {
    return internal::run_from(*app_, index_, request);
}

Task<Response> Middleware::operator()(Request& request, Next next) const {
    return call_(object_.get(), request, next);
}

namespace internal {
namespace {

Response status_response(int status, std::string text = {}) {
    return HTTPException(status, std::move(text)).response();
}

// "GET /report?year=1990 (request 12, route /report)". The target is visible ASCII.
std::string describe(const Request& request) {
    std::string text(request.method_text());
    text += ' ';
    text += request.path_qs();
    text += " (request " + std::to_string(request.id());
    if (request.route()) text += ", route " + request.route()->path();
    return text + ")";
}

// An exception's text may quote a peer, who must not be able to begin a line of ours.
std::string one_line(std::string text) {
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
}

bool is_file(const Response& response) noexcept {
    return response.internal_extra() && response.internal_extra()->is_file;
}

Task<Response> answer_in_time(const Route& route, Request& request) {
    auto body = [&]() -> Task<Response> { co_return co_await route.handler()(request); };
    std::optional<Response> response = co_await move_on_after(route.options().deadline, body);
    if (response) co_return std::move(*response);
    log::warning("web", describe(request) + " was cancelled at its route's deadline");
    if (request.internal_exchange().responded()) {
        throw wire::ConnectionLost("a streamed response was cut at its route's deadline");
    }
    co_return status_response(503, "503: the request took longer than it may");
}

Task<Response> answer(Request& request) {
    const Route* route = request.route();
    if (!route) co_return unmatched(request);
    if (route->options().deadline > Duration::zero()) {
        co_return co_await answer_in_time(*route, request);
    }
    co_return co_await route->handler()(request);
}

}  // namespace

Response unmatched(Request& request) {
    std::string path(request.raw_path());
    if (request.internal_exchange().request().path_is_encoded()) {
        path = Router::normalize(path);
        if (path.find('\0') != std::string::npos) {
            return status_response(400, "400: the path holds a zero byte");
        }
    }
    if (request.internal_match().path_found) {
        std::string allowed = request.app().router().allowed(path);
        if (!allowed.empty()) return HTTPMethodNotAllowed(allowed).response();
    }
    return status_response(404);
}

Task<Response> run_from(Application& app, std::size_t index, Request& request) {
    auto& middlewares = app.internal_state().middlewares;
    try {
        if (index == middlewares.size()) co_return co_await answer(request);
        co_return co_await middlewares[index](request, Next(app, index + 1));
    } catch (const HTTPException& exception) {
        co_return exception.response();
    }
}

Dispatcher::Dispatcher(Application& app, bool access_log)
    : app_(app), has_middlewares_(!app.middlewares().empty()), access_log_(access_log) {}

const Route* Dispatcher::find_route(Request& request) {
    const http::RequestHead& head = request.internal_exchange().request();
    RouteMatch& match = request.internal_match();
    const Router& router = app_.router();
    if (!head.path_is_encoded()) {
        router.find(head.method(), head.method_text(), head.raw_path(), match);
        return match.route;
    }
    std::string path = Router::normalize(head.raw_path());
    if (path.find('\0') != std::string::npos) return nullptr;
    router.find(head.method(), head.method_text(), path, match);
    if (match.route) request.internal_keep_match(std::move(path));
    return match.route;
}

Task<void> Dispatcher::handle(wire::Exchange& exchange) {
    Request request(exchange, app_);
    const Route* route = find_route(request);
    // It stays until the connection's next request, so that a step which ends with the response is
    // still named.
    note_activity(route ? &route->label() : nullptr);
    TimePoint began = access_log_ ? EventLoop::current().time() : TimePoint();
    std::exception_ptr error;
    try {
        const bool is_direct =
            route && !has_middlewares_ && route->options().deadline == Duration::zero();
        Task<Response> answering =
            is_direct ? route->handler()(request) : run_from(app_, 0, request);
        Response response = co_await std::move(answering);
        if (is_file(response)) co_await send_file(exchange, response);
        send(request, response);
    } catch (const Cancelled&) {
        throw;
    } catch (const wire::ConnectionLost&) {
        throw;
    } catch (...) {  // tidy: answered and logged
        error = std::current_exception();
    }
    if (error) send(request, failed(request, error));
    if (access_log_) log_access(request, began);
}

// Unless it was sent already: as a file, or as a StreamResponse.
void Dispatcher::send(Request& request, const Response& response) {
    wire::Exchange& exchange = request.internal_exchange();
    if (!exchange.responded()) {
        exchange.respond(head_of(response), response.body());
    } else if (!response.is_sent() && !is_file(response)) {
        log::error("web", describe(request) +
                              " was answered twice: its handler began a "
                              "StreamResponse and returned something else");
        throw wire::ConnectionLost("a response was begun and not finished");
    }
}

// In the order of the class comment. What cannot be answered any more is thrown on.
Response Dispatcher::failed(Request& request, const std::exception_ptr& error) {
    const bool too_late = request.internal_exchange().responded();
    try {
        std::rethrow_exception(error);
    } catch (const HTTPException& exception) {
        if (!too_late) return exception.response();
    } catch (const wire::BodyError& exception) {
        if (!too_late) {
            Response response =
                status_response(exception.status(), std::to_string(exception.status()) + ": " +
                                                        one_line(exception.what()));
            response.force_close();
            return response;
        }
    } catch (const QueueFull& exception) {
        if (!too_late) {
            auto seconds = std::chrono::ceil<std::chrono::seconds>(exception.retry_after()).count();
            log::warning("web", describe(request) + ": " + one_line(exception.what()));
            Response response = status_response(503);
            response.headers().set("Retry-After", std::to_string(std::max<long>(seconds, 1)));
            return response;
        }
    } catch (const TimeoutError&) {
        int status = request.route() ? request.route()->options().timeout_status : 500;
        if (!too_late && status != 500) return status_response(status);
    } catch (...) {  // tidy: logged and answered below
    }
    Response response = server_error(request, error);
    if (too_late) throw wire::ConnectionLost("a handler failed after its response had begun");
    return response;
}

Response Dispatcher::server_error(Request& request, const std::exception_ptr& error) {
    std::string what = one_line(describe_exception(error));
    std::string awaits = unwound_awaits();
    std::string report = describe(request) + " failed: " + what + "\n" + awaits;
    if (!report.empty() && report.back() == '\n') report.pop_back();
    log::write_block(log::Level::error, "web", report);

    bool wants_html = request.header("Accept").find("text/html") != std::string_view::npos;
    std::string title = "500: Internal Server Error";
    std::string detail = "Server got itself in trouble.";
    if (app_.options().debug) detail = report;
    Response response;
    if (wants_html) {
        response =
            html("<!DOCTYPE html><html><head><title>" + title + "</title></head><body><h1>" +
                     title + "</h1><pre>" + http::html_escape(detail) + "</pre></body></html>\n",
                 {.status = 500});
    } else {
        response = text(title + "\n\n" + detail + "\n", {.status = 500});
    }
    response.force_close();
    return response;
}

std::string Dispatcher::refuse(int status, std::string_view sentence, std::string_view peer) {
    std::string text = std::to_string(status) + ": " + std::string(sentence);
    if (log::is_enabled(log::Level::debug)) {
        log::debug("web", "refused a request from " + std::string(peer) + ": " + text);
    }
    return text + "\n";
}

void Dispatcher::log_access(const Request& request, TimePoint began) {
    const wire::Exchange& exchange = request.internal_exchange();
    auto took =
        std::chrono::duration_cast<std::chrono::microseconds>(EventLoop::current().time() - began);
    std::string line(request.remote());
    line += " \"" + std::string(request.method_text()) + " " + request.path_qs() + " " +
            std::string(http::version_name(request.version())) + "\" " +
            std::to_string(exchange.status()) + " " + std::to_string(exchange.body_bytes_sent()) +
            " " + std::to_string(took.count()) + "us \"" +
            std::string(request.header("User-Agent", "-")) + "\"";
    log::info("access", line);
}

}  // namespace internal
}  // namespace coracle::web
