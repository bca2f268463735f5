// SPDX-License-Identifier: Apache-2.0
#include <coracle/web/application.h>

#include <coracle/base/error.h>
#include <coracle/web/internal/application_state.h>
#include <coracle/web/response.h>

namespace coracle::web {

namespace internal {

void throw_frozen(const char* what) {
    throw Error(std::string(what) + " cannot be changed once the application has started");
}

void ApplicationState::freeze() noexcept {
    frozen = true;
    router.internal_freeze();
    middlewares.internal_freeze();
    on_startup.internal_freeze();
    on_shutdown.internal_freeze();
    on_cleanup.internal_freeze();
}

}  // namespace internal

Application::Application(ApplicationOptions options)
    : state_(std::make_unique<internal::ApplicationState>()) {
    state_->options = options;
}
Application::Application(Application&&) noexcept = default;
Application& Application::operator=(Application&&) noexcept = default;
Application::~Application() = default;

const ApplicationOptions& Application::options() const noexcept { return state_->options; }
Router& Application::router() noexcept { return state_->router; }
CallbackList<Middleware>& Application::middlewares() noexcept { return state_->middlewares; }
CallbackList<Application::Callback>& Application::on_startup() noexcept {
    return state_->on_startup;
}
CallbackList<Application::Callback>& Application::on_shutdown() noexcept {
    return state_->on_shutdown;
}
CallbackList<Application::Callback>& Application::on_cleanup() noexcept {
    return state_->on_cleanup;
}
bool Application::is_frozen() const noexcept { return state_->frozen; }

internal::Storage& Application::storage_to_change() {
    if (state_->storage_frozen) internal::throw_frozen("the application's storage");
    return state_->storage;
}
const internal::Storage& Application::storage() const noexcept { return state_->storage; }

void Application::add_context(Context context) {
    if (state_->frozen) internal::throw_frozen("cleanup contexts");
    state_->contexts.push_back(std::move(context));
}

void Application::add_background(Callback task) {
    if (state_->frozen) internal::throw_frozen("background tasks");
    state_->background.push_back(std::move(task));
}

}  // namespace coracle::web
