// SPDX-License-Identifier: Apache-2.0
// Query strings and urlencoded forms: an ordered multimap of decoded names and values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coracle::http {

struct QueryLimits {
    // Parameters of one query or form; more is refused, 400 by default.
    std::size_t parameters_count_max = 1000;
};

// Names and values as WHATWG URL's urlencoded parser reads them: pairs are separated by '&', the
// first '=' divides a pair, '+' is a blank, %XX is decoded once and a '%' without two digits stays.
// "?arg" and "?arg=" both have the key with an empty value; empty pairs are skipped. Bytes need not
// be UTF-8. Names compare exactly. Owns its bytes in one block; views are valid until the next
// change.
class Query {
  public:
    struct Parameter {
        std::string_view name;
        std::string_view value;
    };

    Query() = default;

    // `text` without the '?'. Nothing if it has more parameters than the limit.
    static std::optional<Query> try_parse(std::string_view text,
                                          const QueryLimits& limits = QueryLimits());

    std::size_t size() const noexcept { return entries_.size(); }
    bool empty() const noexcept { return entries_.empty(); }
    Parameter operator[](std::size_t index) const noexcept;

    // Value of the first parameter of that name.
    std::optional<std::string_view> get(std::string_view name) const noexcept;
    std::string_view get(std::string_view name, std::string_view fallback) const noexcept;
    std::vector<std::string_view> get_all(std::string_view name) const;
    bool contains(std::string_view name) const noexcept { return get(name).has_value(); }

    void add(std::string_view name, std::string_view value);

    // Encoded again: "a=1&b=x+y".
    std::string str() const;

    class Iterator {
      public:
        using value_type = Parameter;
        using difference_type = std::ptrdiff_t;
        Iterator() noexcept = default;
        Iterator(const Query& query, std::size_t index) noexcept : query_(&query), index_(index) {}
        Parameter operator*() const noexcept { return (*query_)[index_]; }
        Iterator& operator++() noexcept {
            ++index_;
            return *this;
        }
        Iterator operator++(int) noexcept {
            Iterator before = *this;
            ++index_;
            return before;
        }
        bool operator==(const Iterator& other) const noexcept { return index_ == other.index_; }

      private:
        const Query* query_ = nullptr;
        std::size_t index_ = 0;
    };
    Iterator begin() const noexcept { return {*this, 0}; }
    Iterator end() const noexcept { return {*this, size()}; }

  private:
    struct Entry {
        std::size_t name_offset;
        std::size_t name_size;
        std::size_t value_size;  // the value follows its name
    };

    std::string bytes_;
    std::vector<Entry> entries_;
};

}  // namespace coracle::http
