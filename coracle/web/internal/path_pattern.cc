// SPDX-License-Identifier: Apache-2.0
#include <coracle/web/internal/path_pattern.h>

#include <algorithm>
#include <charconv>
#include <regex>

namespace coracle::web::internal {
namespace {

[[noreturn]] void refuse(std::string_view pattern, const std::string& why) {
    throw RouteError("the pattern '" + std::string(pattern) + "' " + why);
}

bool is_name(std::string_view text) {
    auto is_letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    };
    if (text.empty() || !is_letter(text.front())) return false;
    return std::all_of(text.begin(), text.end(),
                       [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

// Index of the '}' that ends the variable which begins at text[0] == '{', or npos. A backslash
// takes the next byte's meaning away, as it does in the regular expression.
std::size_t variable_end(std::string_view text) {
    int depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\') {
            ++i;
        } else if (text[i] == '{') {
            ++depth;
        } else if (text[i] == '}' && --depth == 0) {
            return i;
        }
    }
    return std::string_view::npos;
}

// Index of the first `byte` outside of variables, or npos.
std::size_t find_outside(std::string_view text, char byte) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == byte) return i;
        if (text[i] == '{') {
            std::size_t size = variable_end(text.substr(i));
            if (size == std::string_view::npos) break;
            i += size;
        }
    }
    return std::string_view::npos;
}

std::size_t index(char byte) { return static_cast<unsigned char>(byte); }

template <class Set>
void add_range(Set& set, char from, char to) {
    for (std::size_t byte = index(from); byte <= index(to); ++byte) set.set(byte);
}

// The class that an escape stands for, or the byte itself if it is punctuation.
template <class Set>
bool add_escape(Set& set, char escaped) {
    if (escaped == 'd') {
        add_range(set, '0', '9');
    } else if (escaped == 'w') {
        add_range(set, '0', '9');
        add_range(set, 'a', 'z');
        add_range(set, 'A', 'Z');
        set.set(index('_'));
    } else if (is_name(std::string_view(&escaped, 1)) || (escaped >= '0' && escaped <= '9')) {
        return false;
    } else {
        set.set(index(escaped));
    }
    return true;
}

// Reads "[a-z0-9_]" or "[^/]" at the front of `text` and takes it off.
template <class Set>
bool read_bracket(std::string_view& text, Set& set) {
    std::size_t i = 1;
    bool negated = i < text.size() && text[i] == '^';
    if (negated) ++i;
    bool any = false;
    for (; i < text.size() && text[i] != ']'; ++i) {
        char from = text[i];
        if (from == '[') return false;  // a named class, or a mistake: std::regex knows
        any = true;
        if (from == '\\') {
            if (++i >= text.size() || !add_escape(set, text[i])) return false;
            if (i + 1 < text.size() && text[i + 1] == '-') return false;
            continue;
        }
        if (i + 2 < text.size() && text[i + 1] == '-' && text[i + 2] != ']') {
            char to = text[i + 2];
            if (to == '\\' || to == '[' || index(to) < index(from)) return false;
            add_range(set, from, to);
            i += 2;
            continue;
        }
        set.set(index(from));
    }
    if (!any || i >= text.size()) return false;
    text.remove_prefix(i + 1);
    if (negated) set.flip();
    return true;
}

// Reads "+", "*", "?", "{2}", "{2,}" or "{2,4}", which must be all of `text`; nothing is once.
bool read_repetition(std::string_view text, std::uint32_t& least, std::uint32_t& most) {
    least = most = 1;
    if (text.empty()) return true;
    constexpr std::uint32_t unbounded = 0xFFFFFFFF;
    if (text == "+" || text == "*" || text == "?") {
        least = text == "+" ? 1 : 0;
        most = text == "?" ? 1 : unbounded;
        return true;
    }
    if (text.front() != '{' || text.back() != '}') return false;
    text = text.substr(1, text.size() - 2);
    const char* end = text.data() + text.size();
    auto [after, error] = std::from_chars(text.data(), end, least);
    if (error != std::errc()) return false;
    if (after == end) {
        most = least;
        return true;
    }
    if (*after != ',') return false;
    if (after + 1 == end) {
        most = unbounded;
        return true;
    }
    auto [last, second_error] = std::from_chars(after + 1, end, most);
    return second_error == std::errc() && last == end && least <= most;
}

// std::regex's groups that a user's expression opens.
std::size_t count_groups(std::string_view regex) {
    std::size_t groups = 0;
    bool in_class = false;
    for (std::size_t i = 0; i < regex.size(); ++i) {
        char c = regex[i];
        if (c == '\\') {
            ++i;
        } else if (in_class) {
            in_class = c != ']';
        } else if (c == '[') {
            in_class = true;
        } else if (c == '(' && regex.substr(i + 1, 1) != "?") {
            ++groups;
        }
    }
    return groups;
}

std::string escape_regex(std::string_view literal) {
    std::string out;
    for (char c : literal) {
        if (std::string_view(R"(.[]{}()\*+?^$|)").find(c) != std::string_view::npos) out += '\\';
        out += c;
    }
    return out;
}

// Matches in time proportional to the path's length, without recursion: breadth first.
std::regex make_regex(std::string_view pattern, std::string_view regex) {
    try {
        return std::regex(regex.begin(), regex.end(),
                          std::regex_constants::ECMAScript | std::regex_constants::__polynomial);
    } catch (const std::regex_error& error) {
        refuse(pattern, "has a regular expression that cannot be used, '" + std::string(regex) +
                            "': " + error.what());
    }
}

}  // namespace

struct PathPattern::Regex {
    std::regex regex;
    std::vector<std::size_t> groups;  // of each variable
};

PathPattern::PathPattern() = default;
PathPattern::PathPattern(PathPattern&&) noexcept = default;
PathPattern& PathPattern::operator=(PathPattern&&) noexcept = default;
PathPattern::~PathPattern() = default;

std::vector<PathPattern> PathPattern::compile(std::string_view pattern) {
    if (pattern.empty() || pattern.front() != '/') refuse(pattern, "does not begin with '/'");
    if (pattern.size() > RouterLimits::pattern_bytes_max) {
        throw RouteError("a pattern is longer than pattern_bytes_max, " +
                         std::to_string(RouterLimits::pattern_bytes_max) + " bytes: '" +
                         std::string(pattern.substr(0, 64)) + "...'");
    }
    std::vector<PathPattern> compiled;
    std::size_t opening = find_outside(pattern, '[');
    if (opening == std::string_view::npos) {
        compiled.push_back(PathPattern());
        compiled.back().parse(pattern, pattern);
        return compiled;
    }
    std::string_view required = pattern.substr(0, opening);
    std::string_view optional = pattern.substr(opening + 1);
    if (optional.empty() || optional.back() != ']') {
        refuse(pattern, "has '[' without ']' at its end: only the last segment can be optional");
    }
    optional.remove_suffix(1);
    if (optional.empty() || optional.front() != '/' || optional.size() == 1 ||
        find_outside(optional.substr(1), '/') != std::string_view::npos) {
        refuse(pattern, "must hold '/' and one segment between '[' and ']': /greet[/{name}]");
    }
    std::string whole = std::string(required) + std::string(optional);
    compiled.push_back(PathPattern());
    compiled.back().parse(pattern, required.empty() ? "/" : required);
    compiled.push_back(PathPattern());
    compiled.back().parse(pattern, whole);
    return compiled;
}

void PathPattern::parse(std::string_view whole, std::string_view text) {
    while (!text.empty()) {
        if (text.front() == '{') {
            std::size_t end = variable_end(text);
            if (end == std::string_view::npos) refuse(whole, "has '{' without '}'");
            add_variable(whole, text.substr(1, end - 1));
            text.remove_prefix(end + 1);
        } else {
            std::size_t end = std::min(text.find('{'), text.size());
            add_literal(whole, text.substr(0, end));
            text.remove_prefix(end);
        }
    }
    finish(whole);
}

void PathPattern::add_literal(std::string_view whole, std::string_view text) {
    for (char c : text) {
        if (c == '}') refuse(whole, "has '}' without '{'");
        if (c == '[' || c == ']') refuse(whole, "has '[' or ']' without its other half");
        if (c == '?' || c == '#') refuse(whole, "holds '?' or '#': only paths are matched");
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
            refuse(whole, "holds a control byte");
    }
    parts_.emplace_back();
    parts_.back().literal = Router::normalize(text);
}

void PathPattern::add_variable(std::string_view whole, std::string_view text) {
    std::size_t colon = text.find(':');
    std::string name(text.substr(0, colon));
    if (!is_name(name)) {
        refuse(whole, "has a variable named '" + name +
                          "': a name is letters, digits and '_', and begins with no digit");
    }
    if (std::find(names_.begin(), names_.end(), name) != names_.end()) {
        refuse(whole, "has two variables named '" + name + "'");
    }
    if (names_.size() == RouterLimits::variables_count_max) {
        refuse(whole, "has more than variables_count_max, " +
                          std::to_string(RouterLimits::variables_count_max) + ", variables");
    }
    Part part;
    part.is_literal = false;
    if (colon == std::string_view::npos) {
        part.regex = "[^/]+";
        part.set.set();
        part.set.reset(index('/'));
    } else {
        part.regex = text.substr(colon + 1);
        if (part.regex.empty()) refuse(whole, "has an empty regular expression for '" + name + "'");
        static_cast<void>(make_regex(whole, part.regex));
        part.is_simple = read_simple(part.regex, part);
    }
    names_.push_back(std::move(name));
    parts_.push_back(std::move(part));
}

bool PathPattern::read_simple(std::string_view regex, Part& part) {
    ByteSet set;
    if (regex.front() == '.') {
        set.set();
        set.reset(index('\n'));
        set.reset(index('\r'));
        regex.remove_prefix(1);
    } else if (regex.front() == '\\' && regex.size() > 1) {
        if (!add_escape(set, regex[1])) return false;
        regex.remove_prefix(2);
    } else if (regex.front() != '[' || !read_bracket(regex, set)) {
        return false;
    }
    part.set = set;
    return read_repetition(regex, part.least, part.most);
}

void PathPattern::finish(std::string_view whole) {
    for (const Part& part : parts_) {
        if (!part.is_literal) break;
        prefix_ += part.literal;
    }
    if (is_fixed()) return;
    prefix_.resize(prefix_.rfind('/') + 1);
    auto segments = static_cast<std::size_t>(std::count(prefix_.begin(), prefix_.end(), '/'));
    if (segments > RouterLimits::prefix_segments_max) {
        refuse(whole, "has more than prefix_segments_max, " +
                          std::to_string(RouterLimits::prefix_segments_max) +
                          ", segments before its first variable");
    }
    if (!is_deterministic()) compile_regex(whole);
}

// Whether taking as many bytes as fit, part after part, finds what backtracking would find.
bool PathPattern::is_deterministic() const {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
        const Part& part = parts_[i];
        if (part.is_literal) continue;
        if (!part.is_simple) return false;
        if (part.least == part.most || i + 1 == parts_.size()) continue;
        const Part& next = parts_[i + 1];
        if (!next.is_literal || part.set.test(index(next.literal.front()))) return false;
    }
    return true;
}

void PathPattern::compile_regex(std::string_view whole) {
    regex_ = std::make_unique<Regex>();
    std::string text;
    std::size_t group = 1;
    for (const Part& part : parts_) {
        if (part.is_literal) {
            text += escape_regex(part.literal);
        } else {
            text += '(' + part.regex + ')';
            regex_->groups.push_back(group);
            group += 1 + count_groups(part.regex);
        }
    }
    regex_->regex = make_regex(whole, text);
}

bool PathPattern::match(std::string_view path, RouteMatch& match) const {
    return regex_ ? match_regex(path, match) : match_parts(path, match);
}

bool PathPattern::match_parts(std::string_view path, RouteMatch& match) const {
    std::size_t at = 0;
    std::uint32_t count = 0;
    for (const Part& part : parts_) {
        if (part.is_literal) {
            if (path.substr(at, part.literal.size()) != part.literal) return false;
            at += part.literal.size();
            continue;
        }
        std::size_t begin = at;
        std::size_t end = part.most < path.size() - at ? at + part.most : path.size();
        while (at < end && part.set.test(index(path[at]))) ++at;
        if (at - begin < part.least) return false;
        match.values[count++] = {static_cast<std::uint32_t>(begin),
                                 static_cast<std::uint32_t>(at - begin)};
    }
    match.count = count;
    return at == path.size();
}

bool PathPattern::match_regex(std::string_view path, RouteMatch& match) const {
    if (path.size() > RouterLimits::regex_path_bytes_max) return false;
    std::cmatch found;
    if (!std::regex_match(path.data(), path.data() + path.size(), found, regex_->regex)) {
        return false;
    }
    match.count = 0;
    for (std::size_t group : regex_->groups) {
        match.values[match.count++] = {static_cast<std::uint32_t>(found.position(group)),
                                       static_cast<std::uint32_t>(found.length(group))};
    }
    return true;
}

}  // namespace coracle::web::internal
