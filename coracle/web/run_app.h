// SPDX-License-Identifier: Apache-2.0
// run_app(): serves an application until a signal ends it.
#pragma once

#include <coracle/base/clock.h>
#include <coracle/base/move_function.h>
#include <coracle/core/loop.h>
#include <coracle/web/application.h>
#include <coracle/web/worker_context.h>
#include <coracle/wire/server_options.h>

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <type_traits>
#include <utility>

namespace coracle::web {

// Views and lists need to live for the call of run_app() only.
struct RunOptions {
    // An address or a name; "" is all interfaces, IPv4 and IPv6. `hosts`, if not empty, counts
    // instead: {.hosts = {"127.0.0.1", "::1"}}.
    std::string_view host = "127.0.0.1";
    std::initializer_list<std::string_view> hosts = {};
    // Zero: one that is free, and the same on every host; it is printed.
    std::uint16_t port = 8080;
    // Event loops, each on a thread of its own with an application of its own; the kernel spreads
    // connections over them.
    unsigned workers = 1;

    // From the first signal to the end of the program: handlers that end in time are not cut, the
    // rest are cancelled and counted in the log. A tenth of it, at most a second, is kept for
    // on_cleanup and cleanup contexts. A second signal means now. Both hold also while a handler
    // blocks the loop: the program is then left without destructors.
    Duration shutdown_timeout = 60s;

    // Limits and deadlines of connections.
    wire::ServerOptions server = {};
    int backlog = 128;
    LoopOptions loop = {};

    // One line per request to the logger "access", at level info. Off: a line costs more than the
    // request.
    bool access_log = false;
    // "listening on http://..." on stdout, one line per address.
    bool print = true;
    // SIGINT and SIGTERM end the program gracefully.
    bool handle_signals = true;
};
static_assert(std::is_trivially_copyable_v<RunOptions>);

namespace internal {
using AppFactory = MoveFunction<Application(WorkerContext&)>;
int run_app(AppFactory make_app, const RunOptions& options);
int run_single_app(Application app, const RunOptions& options);
}  // namespace internal

// Makes an application with make_app() or make_app(WorkerContext&), once per worker and on the
// worker's thread, serves it, and returns the exit code for main(): 0 after a graceful end, 1 if it
// could not start (an occupied port, an exception from make_app or on_startup), which is said in
// one sentence on stderr. Not inside a running loop. Requests and connections of all workers are
// published as the source "server".
//
//   int main() { return web::run_app(make_app, {.port = 8080}); }
template <class F>
    requires(std::is_invocable_v<F&, WorkerContext&> || std::is_invocable_v<F&>)
int run_app(F make_app, RunOptions options = {}) {
    return internal::run_app(
        [&make_app](WorkerContext& worker) -> Application {
            if constexpr (std::is_invocable_v<F&, WorkerContext&>) {
                static_assert(std::is_same_v<std::invoke_result_t<F&, WorkerContext&>, Application>,
                              "make_app returns web::Application");
                return make_app(worker);
            } else {
                static_assert(std::is_same_v<std::invoke_result_t<F&>, Application>,
                              "make_app returns web::Application");
                return make_app();
            }
        },
        options);
}

// Serves one application; more than one worker is refused with a sentence: each needs its own.
inline int run_app(Application&& app, RunOptions options = {}) {
    return internal::run_single_app(std::move(app), options);
}

// An application is served from one place: run_app(std::move(app), ...), or run_app(make_app, ...).
int run_app(Application& app, RunOptions options = {}) = delete;

}  // namespace coracle::web
