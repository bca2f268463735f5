// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/h1/parse_error.h>

#include <coracle/http/status.h>

namespace coracle::http::h1 {

namespace {

std::string over(const char* what, std::uint32_t limit, const char* unit, const char* name) {
    return std::string(what) + " over the limit of " + std::to_string(limit) + unit + " (" + name +
           ").";
}

}  // namespace

int status_of(ParseError error) noexcept {
    switch (error) {
    case ParseError::request_line_too_long:
        return Status::URITooLong;
    case ParseError::header_line_too_long:
    case ParseError::headers_too_long:
    case ParseError::too_many_headers:
        return Status::RequestHeaderFieldsTooLarge;
    case ParseError::transfer_coding_unsupported:
        return Status::NotImplemented;
    case ParseError::version_unsupported:
        return Status::HTTPVersionNotSupported;
    default:
        return Status::BadRequest;
    }
}

std::string describe(ParseError error, const H1Limits& limits) {
    switch (error) {
    case ParseError::none:
        return "No error.";
    case ParseError::bad_method:
        return "The method is not 1 to 32 letters followed by a space.";
    case ParseError::bad_target:
        return "The request target is not one this method can have.";
    case ParseError::bad_version:
        return "The request line does not end in HTTP/1.1 or HTTP/1.0.";
    case ParseError::version_unsupported:
        return "Only HTTP/1.1 and HTTP/1.0 are understood here.";
    case ParseError::request_line_too_long:
        return over("Request line", limits.request_line_bytes_max, " bytes",
                    "request_line_bytes_max");
    case ParseError::bad_line_end:
        return "A line does not end in CR LF.";
    case ParseError::bad_header_name:
        return "A field name is not a token followed by a colon.";
    case ParseError::bad_header_value:
        return "A field value holds a control byte.";
    case ParseError::folded_header:
        return "A field line starts with a blank.";
    case ParseError::header_line_too_long:
        return over("Field line", limits.header_line_bytes_max, " bytes", "header_line_bytes_max");
    case ParseError::headers_too_long:
        return over("Fields together", limits.headers_bytes_max, " bytes", "headers_bytes_max");
    case ParseError::too_many_headers:
        return over("Number of fields", limits.headers_count_max, "", "headers_count_max");
    case ParseError::duplicate_header:
        return "A field that may come once came twice.";
    case ParseError::missing_host:
        return "An HTTP/1.1 request needs a Host field.";
    case ParseError::bad_host:
        return "The Host field is not a host with an optional port.";
    case ParseError::obsolete_websocket:
        return "This WebSocket draft is not spoken here.";
    case ParseError::bad_content_length:
        return "Content-Length is not a decimal number below 2^63.";
    case ParseError::bad_transfer_encoding:
        return "Transfer-Encoding does not end in chunked.";
    case ParseError::transfer_coding_unsupported:
        return "Transfer-Encoding names a coding that is not understood here.";
    case ParseError::length_and_transfer_encoding:
        return "Content-Length and Transfer-Encoding exclude each other.";
    case ParseError::body_not_allowed:
        return "A CONNECT request has no body.";
    case ParseError::data_after_close:
        return "Bytes follow a request that ends the connection.";
    case ParseError::bad_chunk_size:
        return "A chunk size is not 1 to 16 hexadecimal digits below 2^63.";
    case ParseError::bad_chunk_extension:
        return "A chunk extension is malformed.";
    case ParseError::bad_chunk_end:
        return "Chunk data is not followed by CR LF.";
    case ParseError::chunk_extension_too_long:
        return over("Chunk extensions", limits.chunk_extension_bytes_max, " bytes",
                    "chunk_extension_bytes_max");
    case ParseError::bad_trailer:
        return "A trailer is malformed.";
    case ParseError::forbidden_trailer:
        return "A trailer names a field that may not come late.";
    case ParseError::trailers_too_long:
        return "Trailers over the limits of " + std::to_string(limits.headers_count_max) +
               " fields, " + std::to_string(limits.header_line_bytes_max) + " bytes a line or " +
               std::to_string(limits.headers_bytes_max) +
               " bytes together (headers_count_max, header_line_bytes_max, headers_bytes_max).";
    }
    return {};
}

}  // namespace coracle::http::h1
