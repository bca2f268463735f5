// SPDX-License-Identifier: Apache-2.0
// Middleware: code around every handler of an application.
#pragma once

#include <coracle/core/task.h>
#include <coracle/web/handler.h>

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace coracle::web {

class Application;

// The rest of the way: the next middleware, or the handler. Trivial to copy; valid while the
// request is.
class Next {
  public:
    // Lets the rest answer. An HTTPException thrown there arrives as the response it stands for,
    // and so do 404 and 405 of the router: what a middleware adds to a response is added to every
    // response. Other exceptions pass through. May be called more than once (a retry), or not at
    // all.
    Task<Response> operator()(Request& request) const;

    // For the library.
    Next(Application& app, std::size_t index) noexcept : app_(&app), index_(index) {}

  private:
    Application* app_;
    std::size_t index_;
};

// Anything that can be called as Task<Response>(Request&, Next), owned by the application:
//
//   Task<web::Response> sign(web::Request& request, web::Next next) {
//       auto response = co_await next(request);
//       response.headers().set("X-Signed-By", "middleware");
//       co_return response;
//   }
//   app.middlewares().append(sign);
//
// The first in the list is the outermost. They see every request of the application, also those no
// route matches (request.route() is null then). Without any, a request pays nothing for them.
class Middleware {
  public:
    using Function = Task<Response> (*)(Request&, Next);

    template <class F>
        requires(!std::same_as<std::remove_cvref_t<F>, Middleware>)
    Middleware(F&& callable) {
        using Callable = std::decay_t<F>;
        static_assert(std::is_invocable_v<Callable&, Request&, Next>,
                      "a middleware is called with a web::Request& and a web::Next");
        if constexpr (std::is_invocable_v<Callable&, Request&, Next>) {
            static_assert(
                std::is_same_v<std::invoke_result_t<Callable&, Request&, Next>, Task<Response>>,
                "a middleware returns Task<web::Response>");
        }
        object_ = std::make_shared<Callable>(std::forward<F>(callable));
        call_ = [](void* object, Request& request, Next next) -> Task<Response> {
            return std::invoke(*static_cast<Callable*>(object), request, next);
        };
    }

    template <class Member, class Object>
        requires std::is_member_function_pointer_v<Member>
    Middleware(Member member, Object&& object)
        : Middleware(internal::bind_member(member, std::forward<Object>(object))) {}

    Task<Response> operator()(Request& request, Next next) const;

  private:
    Task<Response> (*call_)(void* object, Request& request, Next next) = nullptr;
    std::shared_ptr<void> object_;
};

}  // namespace coracle::web
