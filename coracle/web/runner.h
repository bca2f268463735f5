// SPDX-License-Identifier: Apache-2.0
// AppRunner: starts an application on the running loop, serves it, and ends it gracefully.
#pragma once

#include <coracle/base/clock.h>
#include <coracle/core/task.h>
#include <coracle/net/listener.h>
#include <coracle/web/application.h>
#include <coracle/wire/http_server.h>
#include <coracle/wire/server_connection.h>
#include <coracle/wire/server_options.h>

#include <cstddef>
#include <memory>
#include <type_traits>
#include <vector>

namespace coracle::web {

struct RunnerOptions {
    // From the begin of cleanup() to its end. A tenth of it, at most a second, is kept for
    // on_cleanup and the contexts; handlers have the rest.
    Duration shutdown_timeout = 60s;
    wire::ServerOptions server = {};
    bool access_log = false;
};
static_assert(std::is_trivially_copyable_v<RunnerOptions>);

// What run_app() does, for programs that have a loop of their own:
//
//   web::AppRunner runner(make_app());
//   co_await runner.setup();
//   runner.serve(std::make_unique<net::TcpListener>("127.0.0.1", 8080));
//   co_await until_told_to_stop();
//   co_await runner.cleanup();
//
// Made and used on one loop's thread. cleanup() must have ended before it is destroyed, unless
// setup() was never called or threw.
class AppRunner {
  public:
    // `counters`, if given, outlive it; several runners may share them.
    explicit AppRunner(Application app, RunnerOptions options = {},
                       wire::ServerCounters* counters = nullptr);
    AppRunner(const AppRunner&) = delete;
    AppRunner& operator=(const AppRunner&) = delete;
    ~AppRunner();

    Application& app() noexcept { return app_; }
    // What answers requests; for connections that are not accepted from a listener.
    wire::RequestHandler& handler() noexcept;
    const wire::ServerCounters& counters() const noexcept;

    // on_startup, cleanup contexts, background tasks. What was started is ended again if something
    // throws, or if it is cancelled.
    Task<void> setup();

    // Accepts and serves connections until cleanup().
    void serve(std::unique_ptr<net::Listener> listener);

    // Ends it all within shutdown_timeout, in this order: no more connections, idle ones closed;
    // on_shutdown; wait for handlers; cancel the rest of them and join; cancel and join background
    // tasks; on_cleanup; contexts in reverse. Exceptions are logged. Cannot be cancelled: hurry().
    // Returns how many requests were cut. Once is enough; a second call does nothing.
    Task<std::size_t> cleanup();

    // Moves the deadline of a cleanup(), in progress or to come, to now.
    void hurry() noexcept;

  private:
    struct State;
    class Context;

    Task<void> start();
    Task<void> start_context(std::size_t index);
    Task<void> serve_listener(net::Listener& listener);
    Task<void> end();
    Task<void> call_all(CallbackList<Application::Callback>& callbacks, const char* what);
    Task<void> end_handlers(TimePoint deadline);
    Task<void> end_contexts(TimePoint deadline);

    Application app_;
    RunnerOptions options_;
    std::unique_ptr<wire::ServerCounters> own_counters_;
    wire::ServerCounters* counters_;
    std::unique_ptr<State> state_;
};

}  // namespace coracle::web
