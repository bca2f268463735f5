// SPDX-License-Identifier: Apache-2.0
// JSON in and out of handlers: boost::json::value, or structs described with Boost.Describe.
#pragma once

#include <coracle/web/http_exceptions.h>
#include <coracle/web/request.h>
#include <coracle/web/response.h>

#include <boost/json/conversion.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>

#include <string>
#include <type_traits>
#include <utility>

namespace coracle::web {

namespace internal {

// The body as JSON. 400 with the place of the error if it is none; nesting is at most 32 deep.
boost::json::value parse_json(std::string_view text);
[[noreturn]] void throw_json_mismatch(const std::string& what);

}  // namespace internal

// application/json; charset=utf-8, without blanks.
//
//   co_return web::json_response({{"name", name}, {"year", 1815}});
Response json_response(const boost::json::value& value, ResponseOptions options = {});

// The same of anything Boost.JSON can convert: a container, or a struct that says
// BOOST_DESCRIBE_STRUCT(Order, (), (id, items)).
template <class T>
    requires(!std::is_convertible_v<const T&, const boost::json::value&> &&
             boost::json::has_value_from<T>::value)
Response json_response(const T& value, ResponseOptions options = {}) {
    return json_response(boost::json::value_from(value), options);
}

// Implementation

template <class T>
Task<T> Request::json() {
    const std::string& body = co_await text();
    boost::json::value value = internal::parse_json(body);
    if constexpr (std::is_same_v<T, boost::json::value>) {
        co_return value;
    } else {
        auto result = boost::json::try_value_to<T>(value);
        if (result.has_error()) internal::throw_json_mismatch(result.error().message());
        co_return std::move(*result);
    }
}

}  // namespace coracle::web
