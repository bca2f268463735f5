// SPDX-License-Identifier: Apache-2.0
// What an Application holds.
#pragma once

#include <coracle/web/application.h>

#include <vector>

namespace coracle::web::internal {

struct ApplicationState {
    ApplicationOptions options;
    Router router;
    CallbackList<Middleware> middlewares;
    CallbackList<Application::Callback> on_startup;
    CallbackList<Application::Callback> on_shutdown;
    CallbackList<Application::Callback> on_cleanup;
    std::vector<MoveFunction<Task<void>(Application&, Started)>> contexts;
    std::vector<Application::Callback> background;
    Storage storage;
    bool frozen = false;
    bool storage_frozen = false;

    // The application starts: only its storage may change from here on.
    void freeze() noexcept;
    // It has started.
    void freeze_storage() noexcept { storage_frozen = true; }
};

}  // namespace coracle::web::internal
