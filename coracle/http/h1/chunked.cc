// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/h1/chunked.h>

#include <coracle/http/internal/chars.h>
#include <coracle/http/internal/scan.h>
#include <coracle/http/known_header.h>

#include <algorithm>
#include <limits>

namespace coracle::http::h1 {

namespace {

using internal::has_class;
using internal::is_blank;
using internal::kToken;

constexpr std::uint8_t size_digits_max = 16;
constexpr auto chunk_bytes_max =
    static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

bool is_text(char byte) noexcept { return byte == '\t' || !internal::ControlByte::matches(byte); }

// RFC 9110 6.5.1: what decides framing, routing, authentication or the meaning of the content comes
// before it.
bool is_forbidden_trailer(KnownHeader name) noexcept {
    switch (name) {
    case KnownHeader::authorization:
    case KnownHeader::connection:
    case KnownHeader::content_encoding:
    case KnownHeader::content_length:
    case KnownHeader::content_range:
    case KnownHeader::content_type:
    case KnownHeader::cookie:
    case KnownHeader::expect:
    case KnownHeader::forwarded:
    case KnownHeader::host:
    case KnownHeader::keep_alive:
    case KnownHeader::max_forwards:
    case KnownHeader::range:
    case KnownHeader::trailer:
    case KnownHeader::transfer_encoding:
    case KnownHeader::upgrade:
    case KnownHeader::x_forwarded_for:
    case KnownHeader::x_forwarded_proto:
        return true;
    default:
        return false;
    }
}

}  // namespace

ChunkedDecoder::ChunkedDecoder(const H1Limits& limits) noexcept : limits_(limits) {}

void ChunkedDecoder::reset() noexcept { *this = ChunkedDecoder(limits_); }

ChunkResult ChunkedDecoder::refuse(ParseError error, std::size_t consumed) noexcept {
    stage_ = Stage::failed;
    error_ = error;
    return {ChunkStatus::Bad, error, consumed, {}};
}

bool ChunkedDecoder::count_trailer_byte() noexcept {
    ++trailer_line_bytes_;
    ++trailer_bytes_;
    return trailer_line_bytes_ <= limits_.header_line_bytes_max &&
           trailer_bytes_ <= limits_.headers_bytes_max;
}

ChunkResult ChunkedDecoder::decode(std::string_view input) noexcept {
    if (stage_ == Stage::done) return {ChunkStatus::Done, ParseError::none, 0, {}};
    if (stage_ == Stage::failed) return {ChunkStatus::Bad, error_, 0, {}};

    for (std::size_t at = 0; at < input.size(); ++at) {
        const char byte = input[at];
        // Every byte between the ';' and the line end counts.
        if (stage_ > Stage::size && stage_ < Stage::size_line_feed && byte != '\r' &&
            ++extension_bytes_ > limits_.chunk_extension_bytes_max)
            return refuse(ParseError::chunk_extension_too_long, at);

        switch (stage_) {
        case Stage::size_start:
        case Stage::size:
            if (int digit = internal::hex_value(byte); digit >= 0) {
                auto value = static_cast<std::uint64_t>(digit);
                if (++digits_ > size_digits_max || remaining_ > (chunk_bytes_max - value) >> 4)
                    return refuse(ParseError::bad_chunk_size, at);
                remaining_ = remaining_ << 4 | value;
                stage_ = Stage::size;
            } else if (stage_ == Stage::size_start) {
                return refuse(ParseError::bad_chunk_size, at);
            } else if (byte == '\r') {
                stage_ = Stage::size_line_feed;
            } else if (byte == ';') {
                if (++extension_bytes_ > limits_.chunk_extension_bytes_max)
                    return refuse(ParseError::chunk_extension_too_long, at);
                stage_ = Stage::extension_start;
            } else {
                return refuse(ParseError::bad_chunk_size, at);
            }
            break;

        // RFC 9112 7.1.1: *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )
        case Stage::extension_start:
            if (is_blank(byte)) break;
            if (!has_class(byte, kToken)) return refuse(ParseError::bad_chunk_extension, at);
            stage_ = Stage::extension_name;
            break;
        case Stage::extension_name:
        case Stage::extension_token:
        case Stage::extension_end:
            if (stage_ != Stage::extension_end && has_class(byte, kToken)) break;
            if (byte == '\r') {
                stage_ = Stage::size_line_feed;
            } else if (byte == ';') {
                stage_ = Stage::extension_start;
            } else if (byte == '=' && stage_ == Stage::extension_name) {
                stage_ = Stage::extension_value_start;
            } else if (is_blank(byte)) {
                stage_ = Stage::extension_blank;
            } else {
                return refuse(ParseError::bad_chunk_extension, at);
            }
            break;
        case Stage::extension_blank:
            // Only another extension may follow; blanks around '=' are refused: nobody sends them.
            if (is_blank(byte)) break;
            if (byte != ';') return refuse(ParseError::bad_chunk_extension, at);
            stage_ = Stage::extension_start;
            break;
        case Stage::extension_value_start:
            if (byte == '"') {
                stage_ = Stage::extension_quoted;
            } else if (has_class(byte, kToken)) {
                stage_ = Stage::extension_token;
            } else {
                return refuse(ParseError::bad_chunk_extension, at);
            }
            break;
        case Stage::extension_quoted:
            if (byte == '"') {
                stage_ = Stage::extension_end;
            } else if (byte == '\\') {
                stage_ = Stage::extension_escape;
            } else if (!is_text(byte)) {
                return refuse(ParseError::bad_chunk_extension, at);
            }
            break;
        case Stage::extension_escape:
            if (!is_text(byte)) return refuse(ParseError::bad_chunk_extension, at);
            stage_ = Stage::extension_quoted;
            break;

        case Stage::size_line_feed:
            if (byte != '\n') return refuse(ParseError::bad_line_end, at);
            digits_ = 0;
            stage_ = remaining_ == 0 ? Stage::trailer_start : Stage::data;
            break;
        case Stage::data: {
            std::size_t count = std::min<std::uint64_t>(remaining_, input.size() - at);
            remaining_ -= count;
            if (remaining_ == 0) stage_ = Stage::data_carriage_return;
            return {ChunkStatus::Data, ParseError::none, at + count, input.substr(at, count)};
        }
        case Stage::data_carriage_return:
            if (byte != '\r') return refuse(ParseError::bad_chunk_end, at);
            stage_ = Stage::data_line_feed;
            break;
        case Stage::data_line_feed:
            if (byte != '\n') return refuse(ParseError::bad_chunk_end, at);
            stage_ = Stage::size_start;
            break;

        case Stage::trailer_start:
            if (byte == '\r') {
                stage_ = Stage::final_line_feed;
                break;
            }
            if (++trailer_count_ > limits_.headers_count_max)
                return refuse(ParseError::trailers_too_long, at);
            name_size_ = trailer_line_bytes_ = 0;
            stage_ = Stage::trailer_name;
            [[fallthrough]];
        case Stage::trailer_name:
            if (!count_trailer_byte()) return refuse(ParseError::trailers_too_long, at);
            if (has_class(byte, kToken)) {
                if (name_size_ < name_.size()) name_[name_size_] = byte;
                ++name_size_;
            } else if (byte == ':' && name_size_ != 0) {
                if (name_size_ <= name_.size() &&
                    is_forbidden_trailer(known_header({name_.data(), name_size_})))
                    return refuse(ParseError::forbidden_trailer, at);
                stage_ = Stage::trailer_value;
            } else {
                return refuse(ParseError::bad_trailer, at);
            }
            break;
        case Stage::trailer_value:
            if (byte == '\r') {
                stage_ = Stage::trailer_line_feed;
                break;
            }
            if (!count_trailer_byte()) return refuse(ParseError::trailers_too_long, at);
            if (!is_text(byte)) return refuse(ParseError::bad_trailer, at);
            break;
        case Stage::trailer_line_feed:
            if (byte != '\n') return refuse(ParseError::bad_trailer, at);
            trailer_bytes_ += 2;
            if (trailer_bytes_ > limits_.headers_bytes_max)
                return refuse(ParseError::trailers_too_long, at);
            stage_ = Stage::trailer_start;
            break;
        case Stage::final_line_feed:
            if (byte != '\n') return refuse(ParseError::bad_line_end, at);
            stage_ = Stage::done;
            return {ChunkStatus::Done, ParseError::none, at + 1, {}};
        case Stage::done:
        case Stage::failed:
            break;
        }
    }
    return {ChunkStatus::NeedMore, ParseError::none, input.size(), {}};
}

}  // namespace coracle::http::h1
