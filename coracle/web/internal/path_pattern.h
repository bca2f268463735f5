// SPDX-License-Identifier: Apache-2.0
// PathPattern: one pattern of a route table, compiled.
#pragma once

#include <coracle/web/router.h>

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace coracle::web::internal {

// "/users/{id:[0-9]+}/x" as literals and variables. Paths and literals are in the form that
// Router::normalize() gives.
class PathPattern {
  public:
    // One pattern, or two when the last segment is optional: first without it, then with it. Throws
    // RouteError.
    static std::vector<PathPattern> compile(std::string_view pattern);

    PathPattern(PathPattern&&) noexcept;
    PathPattern& operator=(PathPattern&&) noexcept;
    ~PathPattern();

    bool is_fixed() const noexcept { return names_.empty(); }
    // The fixed beginning: the whole path of a fixed pattern, else up to and with the last '/'
    // before the first variable.
    const std::string& prefix() const noexcept { return prefix_; }
    const std::vector<std::string>& names() const noexcept { return names_; }

    // Whether the whole path matches; fills match.values and match.count. Not for fixed patterns.
    bool match(std::string_view path, RouteMatch& match) const;

  private:
    using ByteSet = std::bitset<256>;

    // A literal, or a variable: bytes of a set, as many as there are up to `most`.
    struct Part {
        bool is_literal = true;
        std::string literal;
        std::string regex;  // of a variable, as it was written
        ByteSet set;
        std::uint32_t least = 1;
        std::uint32_t most = 0xFFFFFFFF;
        bool is_simple = true;  // the set says all
    };
    struct Regex;

    PathPattern();
    void parse(std::string_view whole, std::string_view text);
    void add_literal(std::string_view whole, std::string_view text);
    void add_variable(std::string_view whole, std::string_view text);
    void finish(std::string_view whole);
    bool is_deterministic() const;
    void compile_regex(std::string_view whole);
    static bool read_simple(std::string_view regex, Part& part);
    bool match_parts(std::string_view path, RouteMatch& match) const;
    bool match_regex(std::string_view path, RouteMatch& match) const;

    std::vector<Part> parts_;
    std::vector<std::string> names_;
    std::string prefix_;
    std::unique_ptr<Regex> regex_;
};

}  // namespace coracle::web::internal
