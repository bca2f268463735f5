// SPDX-License-Identifier: Apache-2.0
#include <coracle/web/router.h>

#include <coracle/web/internal/path_pattern.h>

#include <algorithm>
#include <cstring>
#include <set>

namespace coracle::web {
namespace {

using internal::PathPattern;

constexpr std::size_t method_count = static_cast<std::size_t>(http::Method::other) + 1;

// A pattern, and its route for each method.
struct Resource {
    explicit Resource(PathPattern p, std::string t) : pattern(std::move(p)), text(std::move(t)) {}

    PathPattern pattern;
    std::string text;
    std::array<const Route*, method_count> by_method{};
    std::vector<const Route*> others;  // of methods that http::Method does not name
    const Route* any = nullptr;        // "*"
    bool head_is_implied = false;

    const Route* find(http::Method method, std::string_view method_text) const noexcept {
        if (const Route* route = by_method[static_cast<std::size_t>(method)]) return route;
        if (method == http::Method::other) {
            for (const Route* route : others) {
                if (route->method() == method_text) return route;
            }
        }
        return any;
    }
};

// The patterns with one fixed beginning.
struct Slot {
    std::uint64_t hash = 0;
    std::string key;
    Resource* fixed = nullptr;
    std::vector<Resource*> variable;  // in order of registration
    bool is_used() const noexcept { return !key.empty(); }
};

// Eight bytes at a step, the last ones overlapping. Only what routes are made of is ever stored
// under it, so a peer cannot make keys collide.
std::uint64_t hash_of(std::string_view text) noexcept {
    constexpr std::uint64_t factor = 0x9E3779B97F4A7C15;
    std::uint64_t hash = text.size() * factor;
    auto mix = [&hash](const char* from, std::size_t size) {
        std::uint64_t word = 0;
        std::memcpy(&word, from, size);
        hash = (hash ^ word) * factor;
        hash ^= hash >> 32;
    };
    const char* at = text.data();
    if (text.size() >= 8) {
        const char* const last = at + text.size() - 8;
        for (; at < last; at += 8) mix(at, 8);
        mix(last, 8);
    } else if (text.size() >= 4) {
        mix(at, 4);
        mix(at + text.size() - 4, 4);
    } else {
        for (char byte : text) mix(&byte, 1);
    }
    return hash;
}

int hex_value(char byte) noexcept {
    if (byte >= '0' && byte <= '9') return byte - '0';
    char lower = static_cast<char>(byte | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

struct Router::State {
    std::vector<std::unique_ptr<Route>> routes;
    std::vector<std::unique_ptr<Resource>> resources;
    std::vector<Slot> slots = std::vector<Slot>(16);  // open addressing, a power of two
    std::size_t slots_used = 0;
    std::size_t key_size_max = 0;
    std::size_t prefix_segments_max = 0;
    bool frozen = false;

    Slot& place(std::uint64_t hash, std::string_view key) {
        std::size_t mask = slots.size() - 1;
        std::size_t at = hash & mask;
        while (slots[at].is_used() && (slots[at].hash != hash || slots[at].key != key)) {
            at = (at + 1) & mask;
        }
        return slots[at];
    }

    const Slot* find_slot(std::string_view key) const noexcept {
        const std::uint64_t hash = hash_of(key);
        std::size_t mask = slots.size() - 1;
        for (std::size_t at = hash & mask; slots[at].is_used(); at = (at + 1) & mask) {
            if (slots[at].hash == hash && slots[at].key == key) return &slots[at];
        }
        return nullptr;
    }

    Slot& slot_of(std::string_view key) {
        if ((slots_used + 1) * 2 > slots.size()) grow();
        std::uint64_t hash = hash_of(key);
        Slot& slot = place(hash, key);
        if (!slot.is_used()) {
            slot.hash = hash;
            slot.key = key;
            ++slots_used;
            key_size_max = std::max(key_size_max, key.size());
        }
        return slot;
    }

    void grow() {
        std::vector<Slot> old(slots.size() * 2);
        old.swap(slots);
        for (Slot& slot : old) {
            if (slot.is_used()) place(slot.hash, slot.key) = std::move(slot);
        }
    }

    // The resource of that pattern, made if it is not there. Variables' names are part of a
    // pattern.
    Resource& resource_of(PathPattern pattern, const std::string& text) {
        Slot& slot = slot_of(pattern.prefix());
        if (pattern.is_fixed()) {
            if (slot.fixed) return *slot.fixed;
        } else {
            for (Resource* resource : slot.variable) {
                if (resource->text == text) return *resource;
            }
            auto segments = static_cast<std::size_t>(
                std::count(pattern.prefix().begin(), pattern.prefix().end(), '/'));
            prefix_segments_max = std::max(prefix_segments_max, segments);
        }
        resources.push_back(std::make_unique<Resource>(std::move(pattern), text));
        Resource* resource = resources.back().get();
        if (resource->pattern.is_fixed()) {
            slot.fixed = resource;
        } else {
            slot.variable.push_back(resource);
        }
        return *resource;
    }
};

Router::Router() : state_(std::make_unique<State>()) {}
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;
Router::~Router() = default;

namespace {

// Whether the route can be put there; `why` it cannot.
void check_free(const Resource& resource, const Route& route, http::Method method) {
    bool taken = false;
    if (route.method() == "*") {
        taken = resource.any != nullptr;
    } else if (method == http::Method::other) {
        taken = std::any_of(resource.others.begin(), resource.others.end(),
                            [&](const Route* other) { return other->method() == route.method(); });
    } else {
        taken = resource.by_method[static_cast<std::size_t>(method)] != nullptr &&
                !(method == http::Method::HEAD && resource.head_is_implied);
    }
    if (taken) throw RouteError(route.label() + " is registered twice");
}

void put(Resource& resource, const Route& route, http::Method method) {
    if (route.method() == "*") {
        resource.any = &route;
        return;
    }
    if (method == http::Method::other) {
        resource.others.push_back(&route);
        return;
    }
    resource.by_method[static_cast<std::size_t>(method)] = &route;
    const Route*& head = resource.by_method[static_cast<std::size_t>(http::Method::HEAD)];
    if (method == http::Method::HEAD) resource.head_is_implied = false;
    if (method == http::Method::GET && route.options().allow_head && !head) {
        head = &route;
        resource.head_is_implied = true;
    }
}

http::Method checked_method(const std::string& method, const std::string& path) {
    if (method == "*") return http::Method::other;
    if (!http::is_method(method)) {
        throw RouteError("the method '" + method + "' of '" + path +
                         "' is not one: letters, '-' and '_', or \"*\" for every method");
    }
    http::Method known = http::parse_method(method);
    std::string upper = method;
    for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 0x20) : c;
    if (known == http::Method::other && http::parse_method(upper) != known) {
        throw RouteError("the method '" + method + "' of '" + path +
                         "' is never asked for: methods are case-sensitive, say " + upper);
    }
    return known;
}

}  // namespace

Route& Router::add(RouteDef definition) {
    if (state_->frozen) {
        throw Error(definition.method + " " + definition.path +
                    ": routes cannot be added once the application has started");
    }
    http::Method method = checked_method(definition.method, definition.path);
    if (!definition.handler) throw RouteError("no handler for '" + definition.path + "'");
    std::vector<PathPattern> patterns = PathPattern::compile(definition.path);
    auto route = std::make_unique<Route>(std::move(definition));
    route->variables_ = patterns.back().names();

    // Of an optional last segment each half is a pattern of its own. Nothing changes unless both
    // fit.
    std::vector<Resource*> resources;
    for (PathPattern& pattern : patterns) {
        std::string text = pattern.is_fixed() ? pattern.prefix() : route->path();
        bool is_shorter_half = patterns.size() == 2 && resources.empty();
        if (is_shorter_half && !pattern.is_fixed()) text += "[]";
        resources.push_back(&state_->resource_of(std::move(pattern), text));
        check_free(*resources.back(), *route, method);
    }
    for (Resource* resource : resources) put(*resource, *route, method);
    state_->routes.push_back(std::move(route));
    return *state_->routes.back();
}

void Router::add_routes(std::initializer_list<RouteDef> routes) {
    for (const RouteDef& definition : routes) add(definition);
}

void Router::add_routes(std::vector<RouteDef> routes) {
    for (RouteDef& definition : routes) add(std::move(definition));
}

std::size_t Router::size() const noexcept { return state_->routes.size(); }

const Route& Router::operator[](std::size_t index) const noexcept { return *state_->routes[index]; }

// The whole path among the fixed ones; then the beginnings of the path that end with a '/', longest
// first, each with the patterns that begin so.
void Router::find(http::Method method, std::string_view method_text, std::string_view path,
                  RouteMatch& match) const {
    const State& state = *state_;
    match.route = nullptr;
    match.path_found = false;
    match.count = 0;
    if (path.size() <= state.key_size_max) {
        const Slot* slot = state.find_slot(path);
        if (slot && slot->fixed) {
            match.route = slot->fixed->find(method, method_text);
            if (match.route) return;
            match.path_found = true;
        }
    }
    if (state.prefix_segments_max > 0) find_variable(method, method_text, path, match);
}

void Router::find_variable(http::Method method, std::string_view method_text, std::string_view path,
                           RouteMatch& match) const {
    const State& state = *state_;
    std::array<std::size_t, RouterLimits::prefix_segments_max> sizes;
    std::size_t count = 0;
    const std::size_t end = std::min(path.size(), state.key_size_max);
    for (std::size_t i = 0; i < end && count < state.prefix_segments_max; ++i) {
        if (path[i] == '/') sizes[count++] = i + 1;
    }
    while (count > 0) {
        const Slot* slot = state.find_slot(path.substr(0, sizes[--count]));
        if (!slot) continue;
        for (const Resource* resource : slot->variable) {
            if (!resource->pattern.match(path, match)) continue;
            match.route = resource->find(method, method_text);
            if (match.route) return;
            match.path_found = true;
        }
    }
    match.count = 0;
}

std::string Router::allowed(std::string_view path) const {
    std::set<std::string> methods;
    RouteMatch match;
    for (const auto& resource : state_->resources) {
        const PathPattern& pattern = resource->pattern;
        bool matches = pattern.is_fixed() ? path == pattern.prefix() : pattern.match(path, match);
        if (!matches) continue;
        for (std::size_t i = 0; i < method_count; ++i) {
            if (!resource->by_method[i]) continue;
            methods.emplace(http::method_name(static_cast<http::Method>(i)));
        }
        for (const Route* route : resource->others) methods.insert(route->method());
    }
    std::string list;
    for (const std::string& method : methods) list += (list.empty() ? "" : ",") + method;
    return list;
}

std::string Router::normalize(std::string_view path) {
    std::string out;
    out.reserve(path.size());
    for (std::size_t i = 0; i < path.size(); ++i) {
        if (path[i] != '%') {
            out += path[i];
            continue;
        }
        int high = i + 2 < path.size() ? hex_value(path[i + 1]) : -1;
        int low = i + 2 < path.size() ? hex_value(path[i + 2]) : -1;
        if (high < 0 || low < 0) {
            out += "%25";  // a '%' that stands for itself
            continue;
        }
        char byte = static_cast<char>(high * 16 + low);
        if (byte == '/') {
            out += "%2F";
        } else if (byte == '%') {
            out += "%25";
        } else {
            out += byte;
        }
        i += 2;
    }
    return out;
}

void Router::internal_freeze() noexcept { state_->frozen = true; }

}  // namespace coracle::web
