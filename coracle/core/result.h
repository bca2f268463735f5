// SPDX-License-Identifier: Apache-2.0
// Result<T>: what a task came to, a value or an exception.
#pragma once

#include <coracle/base/assert.h>

#include <exception>
#include <optional>
#include <utility>

namespace coracle {

// One or the other, never neither. What gather_settled() gives for each of its tasks.
//
//   for (auto& page : pages)
//       if (page) use(*page);
//       else log_failure(page.error());
template <class T>
class Result {
  public:
    Result(T value) : value_(std::move(value)) {}
    // The exception must not be null.
    Result(std::exception_ptr error) : error_(std::move(error)) { CORACLE_ASSERT(error_); }

    bool has_value() const noexcept { return value_.has_value(); }
    explicit operator bool() const noexcept { return has_value(); }

    // Only when has_value().
    T& operator*() noexcept {
        CORACLE_ASSERT(value_);
        return *value_;
    }
    const T& operator*() const noexcept {
        CORACLE_ASSERT(value_);
        return *value_;
    }
    T* operator->() noexcept { return &**this; }
    const T* operator->() const noexcept { return &**this; }

    // The value, or throws the exception.
    T& value() & {
        if (error_) std::rethrow_exception(error_);
        return *value_;
    }
    T value() && {
        if (error_) std::rethrow_exception(error_);
        return std::move(*value_);
    }

    // Null when there is a value.
    const std::exception_ptr& error() const noexcept { return error_; }

  private:
    std::optional<T> value_;
    std::exception_ptr error_;
};

template <>
class Result<void> {
  public:
    Result() noexcept = default;
    Result(std::exception_ptr error) : error_(std::move(error)) { CORACLE_ASSERT(error_); }

    bool has_value() const noexcept { return !error_; }
    explicit operator bool() const noexcept { return has_value(); }
    void value() const {
        if (error_) std::rethrow_exception(error_);
    }
    const std::exception_ptr& error() const noexcept { return error_; }

  private:
    std::exception_ptr error_;
};

}  // namespace coracle
