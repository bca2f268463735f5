// SPDX-License-Identifier: Apache-2.0
// WorkerContext: which of several workers makes its application, and what they share.
#pragma once

#include <coracle/base/move_function.h>

#include <concepts>
#include <functional>
#include <memory>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace coracle::web {

// Given to make_app(WorkerContext&), on the worker's own thread.
//
//   web::Application make_app(web::WorkerContext& worker) {
//       web::Application app;
//       app.set(worker.shared<ThreadPoolExecutor>([] { return ThreadPoolExecutor({.max_workers =
//       3}); }));
//       ...
//   }
//   // in a handler: request.app().get<ThreadPoolExecutor>()
class WorkerContext {
  public:
    std::size_t index() const noexcept { return index_; }
    std::size_t count() const noexcept { return count_; }

    // What there is one of in the process, whatever the number of workers: the first worker that
    // asks makes it with factory(), the others wait for that and get the same object. T must be
    // safe to use from several loops. It lives until the last worker has ended. The factory returns
    // a T (which need not be movable) or a std::unique_ptr or std::shared_ptr<T>. Two objects of
    // one type need names.
    template <class T, class F>
    std::shared_ptr<T> shared(F&& factory, std::string_view name = {});

    // For run_app() and tests: contexts with one `registry` share.
    class Registry;
    WorkerContext(std::size_t index, std::size_t count, std::shared_ptr<Registry> registry);
    static std::shared_ptr<Registry> make_registry();

  private:
    std::shared_ptr<void> find_or_make(const std::type_info& type, std::string_view name,
                                       MoveFunction<std::shared_ptr<void>()> make);

    std::size_t index_;
    std::size_t count_;
    std::shared_ptr<Registry> registry_;
};

// Implementation

template <class T, class F>
std::shared_ptr<T> WorkerContext::shared(F&& factory, std::string_view name) {
    using Made = std::invoke_result_t<F&>;
    auto object = find_or_make(typeid(T), name, [&factory]() -> std::shared_ptr<void> {
        if constexpr (std::convertible_to<Made, std::shared_ptr<T>>) {
            return std::shared_ptr<T>(std::invoke(factory));
        } else {
            static_assert(std::same_as<std::remove_cv_t<Made>, T>,
                          "the factory returns a T, a std::unique_ptr<T> or a std::shared_ptr<T>");
            return std::shared_ptr<T>(new T(std::invoke(factory)));
        }
    });
    return std::static_pointer_cast<T>(std::move(object));
}

}  // namespace coracle::web
