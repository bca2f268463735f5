// SPDX-License-Identifier: Apache-2.0
// Handler: whatever answers a request, held by the route table.
#pragma once

#include <coracle/base/assert.h>
#include <coracle/core/task.h>
#include <coracle/web/response.h>

#include <concepts>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace coracle::web {

class Request;

namespace internal {

// The object a member function is called on: by reference for an lvalue (it outlives the
// application), a pointer or a std::reference_wrapper; owned for a shared_ptr or an rvalue.
template <class Member, class Object>
auto bind_member(Member member, Object&& object) {
    using Plain = std::remove_cvref_t<Object>;
    if constexpr (
        std::is_lvalue_reference_v<Object> && !std::is_pointer_v<Plain> && !requires { *object; } &&
        !requires { object.get(); }) {
        return [member, target = &object](auto&&... arguments) {
            return std::invoke(member, *target, std::forward<decltype(arguments)>(arguments)...);
        };
    } else {
        return [member, target = std::forward<Object>(object)](auto&&... arguments) mutable {
            return std::invoke(member, target, std::forward<decltype(arguments)>(arguments)...);
        };
    }
}

}  // namespace internal

// Anything that can be called with a Request& and returns Task<Response>:
//
//   Task<web::Response> hello(web::Request& request);                 // a function
//   router.add_get("/", hello);
//   router.add_get("/x", &Service::show, service);                    // a member with its object
//   router.add_get("/y", [db = std::move(db)](web::Request& request) -> Task<web::Response> {...});
//
// Copies share one callable, which lives as long as the route table and until every request in it
// has been answered; a lambda may therefore own things, also ones that cannot be copied. It is
// called for many requests at a time.
class Handler {
  public:
    using Function = Task<Response> (*)(Request&);

    Handler() noexcept = default;

    // A function of exactly that type is called without anything in between.
    Handler(Function function) noexcept : function_(function) {}

    template <class F>
        requires(!std::same_as<std::remove_cvref_t<F>, Handler> &&
                 !std::same_as<std::decay_t<F>, Function>)
    Handler(F&& callable) {
        using Callable = std::decay_t<F>;
        static_assert(std::is_invocable_v<Callable&, Request&>,
                      "a handler is called with a web::Request&; for a member function pass its "
                      "object too: add_get(path, &Service::show, service)");
        if constexpr (std::is_invocable_v<Callable&, Request&>) {
            static_assert(std::is_same_v<std::invoke_result_t<Callable&, Request&>, Task<Response>>,
                          "a handler returns Task<web::Response>");
        }
        if constexpr (std::convertible_to<F, Function>) {
            function_ = std::forward<F>(callable);
        } else {
            object_ = std::make_shared<Callable>(std::forward<F>(callable));
            call_ = [](void* object, Request& request) -> Task<Response> {
                return std::invoke(*static_cast<Callable*>(object), request);
            };
        }
    }

    // A member function and its object; see internal::bind_member for who owns the object.
    template <class Member, class Object>
        requires std::is_member_function_pointer_v<Member>
    Handler(Member member, Object&& object)
        : Handler(internal::bind_member(member, std::forward<Object>(object))) {}

    explicit operator bool() const noexcept { return function_ || call_; }

    Task<Response> operator()(Request& request) const {
        if (function_) return function_(request);
        CORACLE_ASSERT(call_ != nullptr);
        return call_(object_.get(), request);
    }

  private:
    Function function_ = nullptr;
    Task<Response> (*call_)(void* object, Request& request) = nullptr;
    std::shared_ptr<void> object_;
};

}  // namespace coracle::web
