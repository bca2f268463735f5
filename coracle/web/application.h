// SPDX-License-Identifier: Apache-2.0
// Application: routes, middlewares, lifecycle and storage of one web application.
#pragma once

#include <coracle/base/move_function.h>
#include <coracle/core/spawn.h>
#include <coracle/core/task.h>
#include <coracle/web/middleware.h>
#include <coracle/web/router.h>
#include <coracle/web/started.h>
#include <coracle/web/storage.h>

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

namespace coracle::web {

struct ApplicationOptions {
    // Bytes of a request body that Request::read(), text() and json() accept; more is 413. Empty:
    // no limit.
    std::optional<std::size_t> client_max_size = 1024 * 1024;
    // A handler's exception is shown to the client with its await stack. Never on the open network.
    bool debug = false;
};
static_assert(std::is_trivially_copyable_v<ApplicationOptions>);

namespace internal {
struct ApplicationState;
[[noreturn]] void throw_frozen(const char* what);
}  // namespace internal

// What an application calls, in order; frozen when it starts.
template <class T>
class CallbackList {
  public:
    // append(fn), append(&Service::start, service).
    template <class... A>
    void append(A&&... callable) {
        if (frozen_) internal::throw_frozen("callbacks and middlewares");
        if constexpr (sizeof...(A) == 1) {
            items_.emplace_back(std::forward<A>(callable)...);
        } else {
            items_.emplace_back(internal::bind_member(std::forward<A>(callable)...));
        }
    }
    bool empty() const noexcept { return items_.empty(); }
    std::size_t size() const noexcept { return items_.size(); }
    T& operator[](std::size_t index) noexcept { return items_[index]; }
    auto begin() noexcept { return items_.begin(); }
    auto end() noexcept { return items_.end(); }

    void internal_freeze() noexcept { frozen_ = true; }

  private:
    std::vector<T> items_;
    bool frozen_ = false;
};

// Made by a function, given to run_app(), AppRunner or a test server, and then in one place until
// its end, so handlers may keep an Application&. Everything but the storage is frozen when it
// starts, the storage once it has started; changing it later throws Error. Used from one loop's
// thread.
//
//   web::Application make_app() {
//       web::Application app;
//       app.emplace<Queue<Page>>(100);
//       app.add_routes({web::get("/", index), web::post("/pages", add_page)});
//       app.background(drain);
//       return app;
//   }
//
// Lifecycle: on_startup callbacks, cleanup contexts one after the other, background tasks;
// requests; no more connections, on_shutdown callbacks, the handlers end, background tasks are
// cancelled and joined, on_cleanup callbacks, the contexts' second halves in reverse.
class Application {
  public:
    using Callback = MoveFunction<Task<void>(Application&)>;

    explicit Application(ApplicationOptions options = {});
    Application(Application&&) noexcept;
    Application& operator=(Application&&) noexcept;
    ~Application();

    const ApplicationOptions& options() const noexcept;

    Router& router() noexcept;
    void add_routes(std::initializer_list<RouteDef> routes) { router().add_routes(routes); }
    void add_routes(std::vector<RouteDef> routes) { router().add_routes(std::move(routes)); }

    // The first is the outermost.
    CallbackList<Middleware>& middlewares() noexcept;

    // Called as Task<void>(Application&), in order, one after the other. An exception from
    // on_startup ends the start; from the others it is logged and the rest is still called.
    CallbackList<Callback>& on_startup() noexcept;
    CallbackList<Callback>& on_shutdown() noexcept;
    CallbackList<Callback>& on_cleanup() noexcept;

    // A resource with a lexical lifetime: fn(Application&, Started) sets up, awaits started(), and
    // what follows is the cleanup. Started in order, ended in reverse; one that failed to start has
    // no cleanup.
    //
    //   Task<void> database(web::Application& app, web::Started started) {
    //       auto db = co_await Database::connect(url);
    //       app.set(db);
    //       co_await started();
    //       co_await db->close();
    //   }
    template <class F>
    void cleanup_ctx(F&& fn);

    // A task that runs beside the handlers, from the start until it is cancelled and joined at
    // shutdown: fn(app, args...) if that can be called, else fn(args...). Arguments are kept in the
    // application; std::ref passes a reference. An exception ends the task and is logged.
    template <class F, class... A>
    void background(F&& fn, A&&... arguments);

    // Storage: one object per type, or per AppKey. Destroyed with the application, in reverse.
    template <class T, class... A>
    T& emplace(A&&... arguments);
    template <class T, class... A>
    T& emplace(AppKey<T> key, A&&... arguments);
    // Keeps a value by its type. A std::shared_ptr<T> is kept as the T it points to.
    template <class T>
    void set(T&& value);
    template <class T, class U>
    void set(AppKey<T> key, U&& value);
    // Throws Error, naming the type, when there is none; find() gives null.
    template <class T>
    T& get() const;
    template <class T>
    T& get(AppKey<T> key) const;
    template <class T>
    T* find() const noexcept;
    template <class T>
    T* find(AppKey<T> key) const noexcept;

    // True once it is starting.
    bool is_frozen() const noexcept;

    // For the runner and the dispatcher.
    internal::ApplicationState& internal_state() noexcept { return *state_; }

  private:
    using Context = MoveFunction<Task<void>(Application&, Started)>;

    internal::Storage& storage_to_change();
    const internal::Storage& storage() const noexcept;
    void add_context(Context context);
    void add_background(Callback task);

    std::unique_ptr<internal::ApplicationState> state_;
};

// Implementation

namespace internal {

// Calls fn with what is stored for it, the application first if fn takes it.
template <class F, class... Stored>
struct BackgroundCall {
    F function;
    std::tuple<Stored...> arguments;

    static constexpr bool takes_app =
        std::is_invocable_v<F&, Application&, coracle::internal::Delivered<Stored>...>;

    Task<void> operator()(Application& app) {
        return std::apply(
            [&](Stored&... stored) -> Task<void> {
                if constexpr (takes_app) {
                    return std::invoke(function, app, coracle::internal::deliver(stored)...);
                } else {
                    return std::invoke(function, coracle::internal::deliver(stored)...);
                }
            },
            arguments);
    }
};

}  // namespace internal

template <class F>
void Application::cleanup_ctx(F&& fn) {
    static_assert(std::is_invocable_r_v<Task<void>, std::decay_t<F>&, Application&, Started>,
                  "a cleanup context is Task<void>(web::Application&, web::Started)");
    add_context(Context(std::forward<F>(fn)));
}

template <class F, class... A>
void Application::background(F&& fn, A&&... arguments) {
    using Callable = std::decay_t<F>;
    static_assert(!coracle::internal::is_task<Callable>,
                  "background takes the function and its arguments: background(drain, "
                  "std::ref(queue))");
    if constexpr (!coracle::internal::is_task<Callable>) {
        static_assert(coracle::internal::is_stateless_callable<Callable>,
                      "pass what the task owns as arguments after the function, not as captures");
        static_assert((!coracle::internal::is_view<std::decay_t<A>> && ...),
                      "the task would outlive the view: pass a std::string or std::vector, the "
                      "function may take a view");
        using Call = internal::BackgroundCall<Callable, std::decay_t<A>...>;
        constexpr bool callable =
            Call::takes_app ||
            std::is_invocable_v<Callable&, coracle::internal::Delivered<std::decay_t<A>>...>;
        static_assert(callable,
                      "the function can be called neither with (app, arguments...) nor with "
                      "(arguments...): they are moved into the task, so pass std::ref(x) for a "
                      "parameter that is a non-const reference");
        if constexpr (callable) {
            add_background(Call{std::forward<F>(fn),
                                std::tuple<std::decay_t<A>...>(std::forward<A>(arguments)...)});
        }
    }
}

template <class T, class... A>
T& Application::emplace(A&&... arguments) {
    return storage_to_change().emplace<T>({}, std::forward<A>(arguments)...);
}

template <class T, class... A>
T& Application::emplace(AppKey<T> key, A&&... arguments) {
    return storage_to_change().emplace<T>(key.name(), std::forward<A>(arguments)...);
}

template <class T>
void Application::set(T&& value) {
    using Value = std::decay_t<T>;
    if constexpr (internal::Shared<Value>::value) {
        storage_to_change().put(typeid(typename internal::Shared<Value>::Object), {},
                                std::forward<T>(value));
    } else {
        storage_to_change().emplace<Value>({}, std::forward<T>(value));
    }
}

template <class T, class U>
void Application::set(AppKey<T> key, U&& value) {
    if constexpr (std::is_same_v<std::decay_t<U>, std::shared_ptr<T>>) {
        storage_to_change().put(typeid(T), key.name(), std::forward<U>(value));
    } else {
        storage_to_change().emplace<T>(key.name(), std::forward<U>(value));
    }
}

template <class T>
T* Application::find() const noexcept {
    return static_cast<T*>(storage().find(typeid(T), {}));
}

template <class T>
T* Application::find(AppKey<T> key) const noexcept {
    return static_cast<T*>(storage().find(typeid(T), key.name()));
}

template <class T>
T& Application::get() const {
    T* object = find<T>();
    if (!object) internal::throw_not_stored("the application", typeid(T), {});
    return *object;
}

template <class T>
T& Application::get(AppKey<T> key) const {
    T* object = find(key);
    if (!object) internal::throw_not_stored("the application", typeid(T), key.name());
    return *object;
}

}  // namespace coracle::web
