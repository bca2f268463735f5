// SPDX-License-Identifier: Apache-2.0
// What an HTTP/1 peer may send before its request is refused.
#pragma once

#include <cstddef>
#include <cstdint>

namespace coracle::http {

// Every count is a total over the message, however many reads it arrived in. A limit is inclusive:
// that much is accepted, one byte more is refused with the status named.
struct H1Limits {
    // Request line without its CRLF, and blank lines before it. 414.
    std::uint32_t request_line_bytes_max = 8 * 1024;
    // One field line without its CRLF; at most 65,535. 431, in trailers 400.
    std::uint32_t header_line_bytes_max = 8 * 1024;
    // All field lines with their CRLF. 431, in trailers 400 (trailers count by themselves, once
    // more).
    std::uint32_t headers_bytes_max = 64 * 1024;
    // Number of fields; at most 65,534. 431, in trailers 400.
    std::uint32_t headers_count_max = 128;
    // Chunk extensions of one body together, from the ';' to the line end. 400.
    std::uint32_t chunk_extension_bytes_max = 4 * 1024;

    // The longest head the parser ever asks the caller to hold.
    constexpr std::size_t head_bytes_max() const noexcept {
        return std::size_t{request_line_bytes_max} + headers_bytes_max + 4;
    }
};

}  // namespace coracle::http
