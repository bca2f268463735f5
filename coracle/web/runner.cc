// SPDX-License-Identifier: Apache-2.0
#include <coracle/web/runner.h>

#include <coracle/base/log.h>
#include <coracle/core/cancel.h>
#include <coracle/core/event.h>
#include <coracle/core/scope.h>
#include <coracle/core/task_tree.h>
#include <coracle/web/internal/application_state.h>
#include <coracle/web/internal/dispatcher.h>
#include <coracle/web/internal/task_set.h>

#include <algorithm>
#include <exception>
#include <functional>
#include <string>
#include <utility>

namespace coracle::web {
namespace {

// What a cleanup context is told, and where it stands.
struct ContextRun {
    internal::StartedState started;
    Event changed;                 // it reached started(), or ended
    CancelScope* scope = nullptr;  // while it runs
    std::exception_ptr error;
    bool ended = false;
};

using ContextFunction = MoveFunction<Task<void>(Application&, Started)>;

Task<void> run_inside(ContextFunction& function, Application& app, ContextRun& run) {
    co_await cancel_scope([&](CancelScope& scope) -> Task<void> {
        run.scope = &scope;
        struct Leaving {
            ContextRun& run;
            ~Leaving() { run.scope = nullptr; }
        } leaving{run};
        co_await function(app, Started(run.started));
    });
}

// One context from its begin to its end, out of reach of every cancellation but the runner's own.
Task<void> run_context(ContextFunction& function, Application& app, ContextRun& run) {
    try {
        co_await shield(run_inside(function, app, run));
    } catch (...) {  // tidy: kept for the runner; no cancellation reaches through the shield
        run.error = std::current_exception();
    }
    run.ended = true;
    run.changed.set();
}

Task<void> run_background(Application::Callback& function, Application& app, std::size_t number) {
    try {
        co_await function(app);
    } catch (const Cancelled&) {
        throw;
    } catch (...) {  // tidy: logged
        log::write_block(log::Level::error, "web",
                         "background task " + std::to_string(number) + " ended with " +
                             describe_exception(std::current_exception()) + "\n" +
                             unwound_awaits());
    }
}

}  // namespace

struct AppRunner::State {
    State(EventLoop& l, Application& app, const RunnerOptions& options,
          wire::ServerCounters& counters)
        : loop(l),
          dispatcher(app, options.access_log),
          server(dispatcher, options.server, counters),
          serving(l, "listener"),
          background(l, "background"),
          contexts(l, "cleanup context") {}

    EventLoop& loop;
    internal::Dispatcher dispatcher;
    wire::HttpServer server;
    std::vector<std::unique_ptr<net::Listener>> listeners;
    internal::TaskSet serving;
    internal::TaskSet background;
    internal::TaskSet contexts;
    std::vector<std::unique_ptr<ContextRun>> runs;
    CancelScope* phase = nullptr;  // what hurry() ends
    std::size_t cut = 0;
    bool hurried = false;
    bool ended = false;

    // Runs body() until `deadline` at most; false if it had to be cancelled. An exception is
    // logged.
    template <class Body>
    Task<bool> run_phase(TimePoint deadline, Body body) {
        bool in_time = co_await cancel_scope([&](CancelScope& scope) -> Task<void> {
            phase = &scope;
            struct Leaving {
                State& state;
                ~Leaving() { state.phase = nullptr; }
            } leaving{*this};
            scope.set_deadline(hurried ? loop.time() : deadline);
            co_await body();
        });
        co_return in_time;
    }
};

AppRunner::AppRunner(Application app, RunnerOptions options, wire::ServerCounters* counters)
    : app_(std::move(app)), options_(options), counters_(counters) {
    if (!counters_) {
        own_counters_ = std::make_unique<wire::ServerCounters>();
        counters_ = own_counters_.get();
    }
    app_.internal_state().freeze();
    state_ = std::make_unique<State>(EventLoop::current(), app_, options_, *counters_);
}

AppRunner::~AppRunner() = default;

wire::RequestHandler& AppRunner::handler() noexcept { return state_->dispatcher; }
const wire::ServerCounters& AppRunner::counters() const noexcept { return *counters_; }

Task<void> AppRunner::setup() {
    std::exception_ptr failure;
    try {
        co_await start();
    } catch (...) {  // tidy: thrown on once what was started has ended
        failure = std::current_exception();
    }
    if (!failure) co_return;
    co_await cleanup();
    std::rethrow_exception(failure);
}

Task<void> AppRunner::start() {
    for (Application::Callback& callback : app_.on_startup()) co_await callback(app_);
    for (std::size_t i = 0; i < app_.internal_state().contexts.size(); ++i) {
        co_await start_context(i);
    }
    std::size_t number = 0;
    for (Application::Callback& task : app_.internal_state().background) {
        auto handle = state_->background.create_task(run_background, std::ref(task), std::ref(app_),
                                                     ++number);
        handle.set_name("background-" + std::to_string(number));
    }
    app_.internal_state().freeze_storage();
}

Task<void> AppRunner::start_context(std::size_t index) {
    state_->runs.push_back(std::make_unique<ContextRun>());
    ContextRun& run = *state_->runs.back();
    run.started.runner = &run;
    run.started.on_reached = [](void* self) { static_cast<ContextRun*>(self)->changed.set(); };
    auto handle =
        state_->contexts.create_task(run_context, std::ref(app_.internal_state().contexts[index]),
                                     std::ref(app_), std::ref(run));
    handle.set_name("cleanup-context-" + std::to_string(index + 1));
    co_await run.changed.wait();
    if (run.error) std::rethrow_exception(std::exchange(run.error, nullptr));
}

void AppRunner::serve(std::unique_ptr<net::Listener> listener) {
    state_->listeners.push_back(std::move(listener));
    state_->serving.create_task(&AppRunner::serve_listener, this,
                                std::ref(*state_->listeners.back()));
}

Task<void> AppRunner::serve_listener(net::Listener& listener) {
    return state_->server.serve(listener);
}

void AppRunner::hurry() noexcept {
    state_->hurried = true;
    if (state_->phase) state_->phase->cancel("told to hurry");
}

Task<std::size_t> AppRunner::cleanup() {
    co_await shield(end());
    co_return state_->cut;
}

Task<void> AppRunner::end() {
    State& state = *state_;
    if (std::exchange(state.ended, true)) co_return;
    TimePoint deadline = saturating_add(state.loop.time(), options_.shutdown_timeout);
    Duration reserve = std::min<Duration>(options_.shutdown_timeout / 10, 1s);

    co_await end_handlers(deadline - reserve);
    state.background.cancel("shutdown");
    co_await state.background.join();
    bool in_time = co_await state.run_phase(deadline - reserve / 2, [&]() -> Task<void> {
        co_await call_all(app_.on_cleanup(), "on_cleanup");
    });
    if (!in_time) log::warning("web", "shutdown: on_cleanup was cancelled at the deadline");
    co_await end_contexts(deadline - reserve / 2);
    co_await state.contexts.join();
}

Task<void> AppRunner::end_handlers(TimePoint deadline) {
    State& state = *state_;
    state.server.drain();
    co_await state.run_phase(deadline, [&]() -> Task<void> {
        co_await call_all(app_.on_shutdown(), "on_shutdown");
        co_await state.server.wait_closed();
    });
    if (state.server.connections() > 0) {
        state.cut = state.server.abort();
        if (state.cut > 0) {
            log::warning("web", "shutdown: " + std::to_string(state.cut) +
                                    (state.cut == 1 ? " request was" : " requests were") +
                                    " cut at the deadline");
        }
        co_await state.server.wait_closed();
    }
    co_await state.serving.join();
}

// A callback's exception does not keep the others from being called.
Task<void> AppRunner::call_all(CallbackList<Application::Callback>& callbacks, const char* what) {
    for (Application::Callback& callback : callbacks) {
        try {
            co_await callback(app_);
        } catch (const Cancelled&) {
            throw;
        } catch (...) {  // tidy: logged
            log::write_block(log::Level::error, "web",
                             std::string(what) + " threw " +
                                 describe_exception(std::current_exception()) + "\n" +
                                 unwound_awaits());
        }
    }
}

Task<void> AppRunner::end_contexts(TimePoint deadline) {
    State& state = *state_;
    for (std::size_t i = state.runs.size(); i-- > 0;) {
        ContextRun& run = *state.runs[i];
        if (!run.ended) {
            // Before started() there is nothing to clean up, only something to break off.
            if (!run.started.reached && run.scope) run.scope->cancel("shutdown");
            run.started.stop();
            co_await state.run_phase(deadline, [&]() -> Task<void> {
                while (!run.ended) {
                    run.changed.clear();
                    co_await run.changed.wait();
                }
            });
        }
        if (!run.ended && run.scope) {
            log::warning("web", "shutdown: a cleanup context was cancelled at the deadline");
            run.scope->cancel("shutdown deadline");
        }
        while (!run.ended) {
            run.changed.clear();
            co_await run.changed.wait();
        }
        if (run.error) {
            log::error("web", "a cleanup context ended with " + describe_exception(run.error));
        }
    }
}

}  // namespace coracle::web
