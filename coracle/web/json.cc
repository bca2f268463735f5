// SPDX-License-Identifier: Apache-2.0
#include <coracle/web/json.h>

#include <boost/json/serialize.hpp>
#include <boost/json/stream_parser.hpp>

namespace coracle::web {

namespace internal {

boost::json::value parse_json(std::string_view text) {
    boost::json::stream_parser parser;
    boost::json::error_code error;
    std::size_t read = parser.write_some(boost::json::string_view(text.data(), text.size()), error);
    if (!error) parser.finish(error);
    if (!error && text.find_first_not_of(" \t\r\n", read) != std::string_view::npos) {
        error = boost::json::error::extra_data;
    }
    if (error) {
        throw HTTPBadRequest("the request's body is not JSON: " + error.message() + " at byte " +
                             std::to_string(read));
    }
    return parser.release();
}

void throw_json_mismatch(const std::string& what) {
    throw HTTPBadRequest("the request's JSON is not what is expected here: " + what);
}

}  // namespace internal

Response json_response(const boost::json::value& value, ResponseOptions options) {
    return Response(boost::json::serialize(value), "application/json; charset=utf-8", options);
}

}  // namespace coracle::web
