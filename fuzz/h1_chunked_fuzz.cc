// SPDX-License-Identifier: Apache-2.0
// Chunked bodies: whole and in pieces they mean the same, and what the writer frames is read back.
#include <coracle/http/h1/chunked.h>

#include <coracle/http/h1/writer.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace coracle::http;
using coracle::http::h1::ChunkResult;
using coracle::http::h1::ChunkStatus;

void require(bool condition) {
    if (!condition) std::abort();
}

struct Outcome {
    ChunkStatus status = ChunkStatus::NeedMore;
    h1::ParseError error = h1::ParseError::none;
    std::size_t consumed = 0;
    std::string body;
    bool operator==(const Outcome&) const = default;
};

Outcome decode(std::string_view input, std::size_t step, const H1Limits& limits) {
    Outcome outcome;
    h1::ChunkedDecoder decoder(limits);
    while (outcome.status == ChunkStatus::NeedMore && !input.empty()) {
        std::size_t size = std::min(step, input.size());
        std::vector<char> memory(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(size));
        input.remove_prefix(size);
        std::string_view piece(memory.data(), memory.size());
        while (true) {
            ChunkResult result = decoder.decode(piece);
            require(result.consumed <= piece.size());
            outcome.consumed += result.consumed;
            outcome.status = result.status;
            outcome.error = result.error;
            if (result.status == ChunkStatus::NeedMore) require(result.consumed == piece.size());
            if (result.status != ChunkStatus::Data) break;
            require(!result.data.empty() && result.data.size() <= result.consumed);
            outcome.body += result.data;
            piece.remove_prefix(result.consumed);
        }
    }
    return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    std::size_t step = 1 + data[0] % 64;
    std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
    H1Limits limits;
    if (data[0] >= 128) {
        limits.header_line_bytes_max = 40;
        limits.headers_bytes_max = 100;
        limits.headers_count_max = 4;
        limits.chunk_extension_bytes_max = 20;
    }
    Outcome whole = decode(input, input.size(), limits);
    require(decode(input, step, limits) == whole);
    require(decode(input, 1, limits) == whole);

    coracle::Buffer out;
    for (std::string_view rest = input; !rest.empty();
         rest.remove_prefix(std::min(step, rest.size())))
        h1::write_chunk(out, rest.substr(0, step));
    h1::write_last_chunk(out);
    Outcome again = decode(out.view(), step, H1Limits());
    require(again.status == ChunkStatus::Done && again.body == input &&
            again.consumed == out.size());
    return 0;
}
