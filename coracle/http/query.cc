// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/query.h>

#include <coracle/http/percent.h>

#include <algorithm>

namespace coracle::http {

std::optional<Query> Query::try_parse(std::string_view text, const QueryLimits& limits) {
    Query query;
    query.bytes_.reserve(text.size());
    while (!text.empty()) {
        std::size_t size = std::min(text.find('&'), text.size());
        std::string_view pair = text.substr(0, size);
        text.remove_prefix(std::min(size + 1, text.size()));
        if (pair.empty()) continue;
        if (query.entries_.size() == limits.parameters_count_max) return std::nullopt;

        std::size_t equals = std::min(pair.find('='), pair.size());
        Entry entry;
        entry.name_offset = query.bytes_.size();
        append_decoded(query.bytes_, pair.substr(0, equals), true);
        entry.name_size = query.bytes_.size() - entry.name_offset;
        append_decoded(query.bytes_, pair.substr(std::min(equals + 1, pair.size())), true);
        entry.value_size = query.bytes_.size() - entry.name_offset - entry.name_size;
        query.entries_.push_back(entry);
    }
    return query;
}

Query::Parameter Query::operator[](std::size_t index) const noexcept {
    const Entry& entry = entries_[index];
    const char* name = bytes_.data() + entry.name_offset;
    return {{name, entry.name_size}, {name + entry.name_size, entry.value_size}};
}

std::optional<std::string_view> Query::get(std::string_view name) const noexcept {
    for (Parameter parameter : *this)
        if (parameter.name == name) return parameter.value;
    return std::nullopt;
}

std::string_view Query::get(std::string_view name, std::string_view fallback) const noexcept {
    return get(name).value_or(fallback);
}

std::vector<std::string_view> Query::get_all(std::string_view name) const {
    std::vector<std::string_view> values;
    for (Parameter parameter : *this)
        if (parameter.name == name) values.push_back(parameter.value);
    return values;
}

void Query::add(std::string_view name, std::string_view value) {
    std::string pair(name);  // a copy, for both may view our own bytes
    pair.append(value);
    entries_.push_back({bytes_.size(), name.size(), value.size()});
    bytes_.append(pair);
}

std::string Query::str() const {
    std::string text;
    auto append = [&text](std::string_view part) {
        std::string encoded = percent_encode(part);
        for (std::size_t at = 0; at < encoded.size(); ++at) {
            bool is_blank = encoded.compare(at, 3, "%20") == 0;
            text.push_back(is_blank ? '+' : encoded[at]);
            if (is_blank) at += 2;
        }
    };
    for (Parameter parameter : *this) {
        if (!text.empty()) text.push_back('&');
        append(parameter.name);
        text.push_back('=');
        append(parameter.value);
    }
    return text;
}

}  // namespace coracle::http
