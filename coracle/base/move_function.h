// SPDX-License-Identifier: Apache-2.0
// A move-only std::function: holds callables that cannot be copied, such as a lambda that owns a
// unique_ptr.
#pragma once

#include <coracle/base/assert.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace coracle {

template <class Signature>
class MoveFunction;

// Calls `R(Args...)`. Callables of up to three pointers that move without throwing are stored in
// place; larger ones cost one allocation. Calling an empty one aborts.
//
//   MoveFunction<void(int)> report = [file = std::move(file)](int n) mutable { file->add(n); };
template <class R, class... Args>
class MoveFunction<R(Args...)> {
  public:
    MoveFunction() noexcept = default;
    MoveFunction(std::nullptr_t) noexcept {}

    template <class F>
        requires(!std::is_same_v<std::remove_cvref_t<F>, MoveFunction> &&
                 std::is_invocable_r_v<R, std::decay_t<F>&, Args...>)
    MoveFunction(F&& callable) {
        using Callable = std::decay_t<F>;
        if constexpr (fits_in_place<Callable>) {
            ::new (static_cast<void*>(storage_)) Callable(std::forward<F>(callable));
            operations_ = &in_place<Callable>;
        } else {
            ::new (static_cast<void*>(storage_)) Callable*(new Callable(std::forward<F>(callable)));
            operations_ = &on_heap<Callable>;
        }
    }

    MoveFunction(MoveFunction&& other) noexcept { take(other); }
    MoveFunction& operator=(MoveFunction&& other) noexcept {
        if (this != &other) {
            reset();
            take(other);
        }
        return *this;
    }
    MoveFunction(const MoveFunction&) = delete;
    MoveFunction& operator=(const MoveFunction&) = delete;
    ~MoveFunction() { reset(); }

    explicit operator bool() const noexcept { return operations_ != nullptr; }

    R operator()(Args... args) {
        CORACLE_ASSERT(operations_ != nullptr);
        return operations_->call(storage_, std::forward<Args>(args)...);
    }

    void reset() noexcept {
        if (operations_) std::exchange(operations_, nullptr)->destroy(storage_);
    }

  private:
    struct Operations {
        R (*call)(void* storage, Args&&... args);
        void (*move)(void* from, void* to) noexcept;
        void (*destroy)(void* storage) noexcept;
    };

    static constexpr std::size_t in_place_size = 3 * sizeof(void*);

    template <class F>
    static constexpr bool fits_in_place =
        sizeof(F) <= in_place_size && alignof(F) <= alignof(std::max_align_t) &&
        std::is_nothrow_move_constructible_v<F>;

    template <class F>
    static constexpr Operations in_place = {
        [](void* storage, Args&&... args) -> R {
            return static_cast<R>(
                std::invoke(*static_cast<F*>(storage), std::forward<Args>(args)...));
        },
        [](void* from, void* to) noexcept {
            ::new (to) F(std::move(*static_cast<F*>(from)));
            static_cast<F*>(from)->~F();
        },
        [](void* storage) noexcept { static_cast<F*>(storage)->~F(); },
    };

    template <class F>
    static constexpr Operations on_heap = {
        [](void* storage, Args&&... args) -> R {
            return static_cast<R>(
                std::invoke(**static_cast<F**>(storage), std::forward<Args>(args)...));
        },
        [](void* from, void* to) noexcept { ::new (to) F*(*static_cast<F**>(from)); },
        [](void* storage) noexcept { delete *static_cast<F**>(storage); },
    };

    void take(MoveFunction& other) noexcept {
        operations_ = std::exchange(other.operations_, nullptr);
        if (operations_) operations_->move(other.storage_, storage_);
    }

    const Operations* operations_ = nullptr;
    alignas(std::max_align_t) std::byte storage_[in_place_size];
};

}  // namespace coracle
