// SPDX-License-Identifier: Apache-2.0
// Strict incremental decoder of chunked bodies (RFC 9112 section 7.1).
#pragma once

#include <coracle/http/h1/limits.h>
#include <coracle/http/h1/parse_error.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace coracle::http::h1 {

enum class ChunkStatus : std::uint8_t { NeedMore, Data, Done, Bad };

struct [[nodiscard]] ChunkResult {
    ChunkStatus status = ChunkStatus::NeedMore;
    ParseError error = ParseError::none;  // only for Bad
    std::size_t consumed = 0;             // bytes of the input to drop
    std::string_view data;                // for Data: body bytes, a part of the input, never empty
};

// Decodes one body. Bytes are looked at once and never copied; nothing is allocated. Extensions are
// checked against the grammar (blanks only around ';') and ignored, trailers are checked like
// header fields and dropped; a trailer that would change framing or routing is refused. A chunk
// size has at most 16 digits and is below 2^63. How long the body may be is for the caller to
// count.
//
//     for (;;) {
//         auto result = decoder.decode(input);
//         input.remove_prefix(result.consumed);
//         if (result.status != ChunkStatus::Data) break;
//         take(result.data);
//     }
class ChunkedDecoder {
  public:
    explicit ChunkedDecoder(const H1Limits& limits = H1Limits()) noexcept;

    //   Data      the next body bytes; call again with the rest
    //   NeedMore  all of `input` was consumed
    //   Done      the body and its trailers are over; what follows `consumed` is the next message
    //   Bad       refused, for good
    ChunkResult decode(std::string_view input) noexcept;

    bool is_done() const noexcept { return stage_ == Stage::done; }
    // Back to the start of a body.
    void reset() noexcept;

  private:
    enum class Stage : std::uint8_t {
        size_start,
        size,
        extension_start,
        extension_name,
        extension_value_start,
        extension_token,
        extension_quoted,
        extension_escape,
        extension_end,
        extension_blank,
        size_line_feed,
        data,
        data_carriage_return,
        data_line_feed,
        trailer_start,
        trailer_name,
        trailer_value,
        trailer_line_feed,
        final_line_feed,
        done,
        failed,
    };

    ChunkResult refuse(ParseError error, std::size_t consumed) noexcept;
    bool count_trailer_byte() noexcept;

    H1Limits limits_;
    std::uint64_t remaining_ = 0;  // of the current chunk
    std::uint32_t extension_bytes_ = 0;
    std::uint32_t trailer_bytes_ = 0;
    std::uint32_t trailer_line_bytes_ = 0;
    std::uint32_t trailer_count_ = 0;
    std::uint32_t name_size_ = 0;
    std::array<char, 24> name_{};  // front of the trailer name, to recognise forbidden ones
    std::uint8_t digits_ = 0;
    Stage stage_ = Stage::size_start;
    ParseError error_ = ParseError::none;
};

}  // namespace coracle::http::h1
