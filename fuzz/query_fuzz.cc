// SPDX-License-Identifier: Apache-2.0
// Queries: what was read is read the same after being written again; the bound holds.
#include <coracle/http/query.h>

#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using namespace coracle::http;

void require(bool condition) {
    if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(data), size);
    QueryLimits limits;
    limits.parameters_count_max = 50;
    auto query = Query::try_parse(text, limits);
    if (!query) return 0;
    require(query->size() <= 50);
    auto again = Query::try_parse(query->str(), limits);
    require(again && again->size() == query->size());
    for (std::size_t i = 0; i < query->size(); ++i) {
        require((*query)[i].name == (*again)[i].name && (*query)[i].value == (*again)[i].value);
        require(query->contains((*query)[i].name));
    }
    return 0;
}
