// SPDX-License-Identifier: Apache-2.0
// Starting tasks: the node that owns a function, its arguments and its frame, and the create_task
// overloads.
#pragma once

#include <coracle/core/internal/task_node.h>
#include <coracle/core/task.h>
#include <coracle/core/task_handle.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <source_location>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace coracle::internal {

template <class T>
inline constexpr bool is_view = false;
template <class C, class Traits>
inline constexpr bool is_view<std::basic_string_view<C, Traits>> = true;
template <class T, std::size_t N>
inline constexpr bool is_view<std::span<T, N>> = true;

// A callable with nothing inside that could die before the task: a function, a member pointer, a
// captureless lambda.
template <class F>
inline constexpr bool is_stateless_callable =
    std::is_pointer_v<F> || std::is_member_pointer_v<F> || std::is_empty_v<F>;

template <class R>
struct TaskValue {
    static constexpr bool is_task_result = false;
};
template <class T>
struct TaskValue<Task<T>> {
    static constexpr bool is_task_result = true;
    using Type = T;
};

// What the callee receives for a stored argument: the value moved out of the task's storage, or the
// std::ref's target.
template <class Stored>
using Delivered = std::unwrap_reference_t<Stored>&&;

template <class Stored>
Delivered<Stored> deliver(Stored& stored) noexcept {
    return static_cast<Delivered<Stored>>(static_cast<std::unwrap_reference_t<Stored>&>(stored));
}

// What a function, a member function, or a lambda with one signature takes.
template <class... P>
struct Parameters {};
template <class F>
struct ParametersOf {
    using Type = void;  // overloaded or generic: not known
};
template <class R, class... P>
struct ParametersOf<R (*)(P...)> {
    using Type = Parameters<P...>;
};
template <class R, class... P>
struct ParametersOf<R (*)(P...) noexcept> {
    using Type = Parameters<P...>;
};
template <class R, class C, class... P>
struct ParametersOf<R (C::*)(P...)> {
    using Type = Parameters<P...>;
};
template <class R, class C, class... P>
struct ParametersOf<R (C::*)(P...) noexcept> {
    using Type = Parameters<P...>;
};
template <class R, class C, class... P>
struct ParametersOf<R (C::*)(P...) const> {
    using Type = Parameters<P...>;
};
template <class R, class C, class... P>
struct ParametersOf<R (C::*)(P...) const noexcept> {
    using Type = Parameters<P...>;
};
template <class F>
    requires requires { &F::operator(); }
struct ParametersOf<F> : ParametersOf<decltype(&F::operator())> {};

// Whether a parameter that is a reference would refer to something made from the stored argument
// for the call alone: `const std::string&` given a literal.
template <class P, class Stored>
constexpr bool refers_to_temporary() {
    using Referred = std::remove_reference_t<P>;
    using Given = std::remove_reference_t<std::unwrap_reference_t<Stored>>;
    if constexpr (!std::is_reference_v<P> || std::is_function_v<Referred>) {
        return false;
    } else {
        return !std::is_convertible_v<Given*, const volatile Referred*>;
    }
}

template <class... P, class... Stored>
constexpr bool any_temporary(Parameters<P...>*, Parameters<Stored...>*) {
    if constexpr (sizeof...(P) == sizeof...(Stored)) {
        return (refers_to_temporary<P, Stored>() || ...);
    } else {
        return false;
    }
}
template <class... Stored>
constexpr bool any_temporary(void*, Parameters<Stored...>*) {
    return false;
}

// The same for a whole call; the first argument of a member function is its object.
template <class F, class... Stored>
struct Dangles {
    static constexpr bool value =
        any_temporary(static_cast<typename ParametersOf<F>::Type*>(nullptr),
                      static_cast<Parameters<Stored...>*>(nullptr));
};
template <class F, class Object, class... Stored>
    requires std::is_member_function_pointer_v<F>
struct Dangles<F, Object, Stored...> {
    static constexpr bool value =
        any_temporary(static_cast<typename ParametersOf<F>::Type*>(nullptr),
                      static_cast<Parameters<Stored...>*>(nullptr));
};
template <class F, class... A>
inline constexpr bool dangles = Dangles<std::decay_t<F>, std::decay_t<A>...>::value;

// Refuses what would dangle, with a sentence that names the right form.
template <class F, class... A>
constexpr void check_spawn() {
    using Callable = std::decay_t<F>;
    static_assert(!is_task<Callable>,
                  "create_task takes the function and its arguments: create_task(fetch, "
                  "std::ref(session), url)");
    if constexpr (!is_task<Callable>) {
        static_assert(is_stateless_callable<Callable>,
                      "the task would outlive the lambda's captures: pass them as arguments after "
                      "the function");
        static_assert((!is_view<std::decay_t<A>> && ...),
                      "the task would outlive the view: pass a std::string or std::vector, the "
                      "function may take a view");
        static_assert(std::is_invocable_v<Callable, Delivered<std::decay_t<A>>...>,
                      "the function cannot be called with these arguments: they are moved into the "
                      "task, so pass "
                      "std::ref(x) for a parameter that is a non-const reference");
        static_assert(!dangles<F, A...>,
                      "the function takes a reference to another type than the argument's, and "
                      "what would be made for it is gone before the task runs: pass an object of "
                      "that type, such as std::string(\"literal\")");
    }
}

// A function and its arguments, decayed into the task. The function is called at once, which makes
// its lazy frame; the arguments live here until that frame is gone, so it may refer to them.
template <class T, class F, class... Stored>
class SpawnedTask final : public TaskOf<T> {
  public:
    template <class G, class... A>
    SpawnedTask(const TaskOrigin& origin, G&& function, A&&... arguments)
        : TaskOf<T>(origin),
          call_(std::in_place, std::forward<G>(function),
                std::tuple<Stored...>(std::forward<A>(arguments)...)) {
        this->hold(std::apply(
            [&](Stored&... stored) { return std::invoke(call_->first, deliver(stored)...); },
            call_->second));
    }

  private:
    void release_frame() noexcept override {
        TaskOf<T>::release_frame();
        call_.reset();
    }

    std::optional<std::pair<F, std::tuple<Stored...>>> call_;
};

template <class F, class... A>
auto spawn(const TaskOrigin& origin, F&& function, A&&... arguments) {
    check_spawn<F, A...>();
    using Result = std::invoke_result_t<std::decay_t<F>, Delivered<std::decay_t<A>>...>;
    static_assert(TaskValue<Result>::is_task_result,
                  "create_task takes a function that returns a Task");
    using T = typename TaskValue<Result>::Type;
    auto* node = new SpawnedTask<T, std::decay_t<F>, std::decay_t<A>...>(
        origin, std::forward<F>(function), std::forward<A>(arguments)...);
    TaskHandle<T> handle(*node);
    node->begin();
    return handle;
}

// Makes a task of its own out of one that nobody has awaited yet.
template <class T>
TaskHandle<T> adopt(const TaskOrigin& origin, Task<T> task) {
    auto* node = new AdoptedTask<T>(origin, std::move(task));
    TaskHandle<T> handle(*node);
    node->begin();
    return handle;
}

// The create_task overloads of whatever can own tasks, up to eight arguments. Fixed arity, because
// a default argument (where the task was created) cannot follow a parameter pack. Derived provides
// spawn_loop(), spawn_scope() and spawn_owner().
template <class Derived>
class Spawner {
  public:
    using Location = std::source_location;

    template <class F>
    auto create_task(F&& fn, Location at = Location::current()) {
        return start(at, std::forward<F>(fn));
    }
    template <class F, class A>
    auto create_task(F&& fn, A&& a, Location at = Location::current()) {
        return start(at, std::forward<F>(fn), std::forward<A>(a));
    }
    template <class F, class A, class B>
    auto create_task(F&& fn, A&& a, B&& b, Location at = Location::current()) {
        return start(at, std::forward<F>(fn), std::forward<A>(a), std::forward<B>(b));
    }
    template <class F, class A, class B, class C>
    auto create_task(F&& fn, A&& a, B&& b, C&& c, Location at = Location::current()) {
        return start(at, std::forward<F>(fn), std::forward<A>(a), std::forward<B>(b),
                     std::forward<C>(c));
    }
    template <class F, class A, class B, class C, class D>
    auto create_task(F&& fn, A&& a, B&& b, C&& c, D&& d, Location at = Location::current()) {
        return start(at, std::forward<F>(fn), std::forward<A>(a), std::forward<B>(b),
                     std::forward<C>(c), std::forward<D>(d));
    }
    template <class F, class A, class B, class C, class D, class E>
    auto create_task(F&& fn, A&& a, B&& b, C&& c, D&& d, E&& e, Location at = Location::current()) {
        return start(at, std::forward<F>(fn), std::forward<A>(a), std::forward<B>(b),
                     std::forward<C>(c), std::forward<D>(d), std::forward<E>(e));
    }
    template <class F, class A, class B, class C, class D, class E, class G>
    auto create_task(F&& fn, A&& a, B&& b, C&& c, D&& d, E&& e, G&& g,
                     Location at = Location::current()) {
        return start(at, std::forward<F>(fn), std::forward<A>(a), std::forward<B>(b),
                     std::forward<C>(c), std::forward<D>(d), std::forward<E>(e),
                     std::forward<G>(g));
    }
    template <class F, class A, class B, class C, class D, class E, class G, class H>
    auto create_task(F&& fn, A&& a, B&& b, C&& c, D&& d, E&& e, G&& g, H&& h,
                     Location at = Location::current()) {
        return start(at, std::forward<F>(fn), std::forward<A>(a), std::forward<B>(b),
                     std::forward<C>(c), std::forward<D>(d), std::forward<E>(e), std::forward<G>(g),
                     std::forward<H>(h));
    }
    template <class F, class A, class B, class C, class D, class E, class G, class H, class I>
    auto create_task(F&& fn, A&& a, B&& b, C&& c, D&& d, E&& e, G&& g, H&& h, I&& i,
                     Location at = Location::current()) {
        return start(at, std::forward<F>(fn), std::forward<A>(a), std::forward<B>(b),
                     std::forward<C>(c), std::forward<D>(d), std::forward<E>(e), std::forward<G>(g),
                     std::forward<H>(h), std::forward<I>(i));
    }

  private:
    template <class... Call>
    auto start(Location at, Call&&... call) {
        auto& self = static_cast<Derived&>(*this);
        return internal::spawn({self.spawn_loop(), self.spawn_scope(), self.spawn_owner(), at},
                               std::forward<Call>(call)...);
    }
};

}  // namespace coracle::internal
