// SPDX-License-Identifier: Apache-2.0
#include <coracle/net/address.h>

#include <coracle/net/error.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>

namespace coracle::net {
namespace {

constexpr std::string_view local_prefix = "unix:";

// A C string on the stack; false when the text does not fit or holds a zero.
template <std::size_t N>
bool terminate(std::string_view text, std::array<char, N>& out) noexcept {
    if (text.size() >= N || text.find('\0') != std::string_view::npos) return false;
    std::copy(text.begin(), text.end(), out.begin());
    out[text.size()] = '\0';
    return true;
}

template <class Number>
std::optional<Number> parse_decimal(std::string_view text) noexcept {
    Number value{};
    if (text.empty() || (text.size() > 1 && text[0] == '0')) return std::nullopt;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// The interface after the percent sign, by number or by name.
std::optional<std::uint32_t> parse_scope(std::string_view text) noexcept {
    if (auto number = parse_decimal<std::uint32_t>(text); number && *number > 0) return number;
    std::array<char, IF_NAMESIZE> name;
    if (text.empty() || !terminate(text, name)) return std::nullopt;
    std::uint32_t index = if_nametoindex(name.data());
    if (index == 0) return std::nullopt;
    return index;
}

}  // namespace

std::optional<Address> Address::try_from_host(std::string_view host, std::uint16_t port) {
    Address address;
    address.port_ = port;
    std::array<char, INET6_ADDRSTRLEN> text;
    std::string_view number = host.substr(0, host.find('%'));
    if (!terminate(number, text)) return std::nullopt;
    if (inet_pton(AF_INET, text.data(), address.ip_.data()) == 1) {
        if (number.size() != host.size()) return std::nullopt;
        address.family_ = Family::ipv4;
        return address;
    }
    if (inet_pton(AF_INET6, text.data(), address.ip_.data()) != 1) return std::nullopt;
    address.family_ = Family::ipv6;
    if (number.size() != host.size()) {
        auto scope = parse_scope(host.substr(number.size() + 1));
        if (!scope) return std::nullopt;
        address.scope_ = *scope;
    }
    return address;
}

std::optional<Address> Address::try_parse(std::string_view text) {
    if (text.starts_with(local_prefix)) {
        std::string_view path = text.substr(local_prefix.size());
        // The kernel's field holds 108 bytes, a terminating zero among them.
        if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path) ||
            path.find('\0') != std::string_view::npos) {
            return std::nullopt;
        }
        Address address;
        address.family_ = Family::local;
        address.path_ = path;
        return address;
    }
    std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    auto port = parse_decimal<std::uint16_t>(text.substr(colon + 1));
    std::string_view host = text.substr(0, colon);
    if (!port) return std::nullopt;
    bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    auto address = try_from_host(host, *port);
    // Brackets around IPv6 and nothing else: "::1:80" would mean two things.
    if (address && bracketed != (address->family_ == Family::ipv6)) return std::nullopt;
    return address;
}

Address Address::parse(std::string_view text) {
    auto address = try_parse(text);
    if (!address) throw AddressError(text);
    return *address;
}

Address Address::loopback(std::uint16_t port) {
    Address address = any_ipv4(port);
    address.ip_ = {127, 0, 0, 1};
    return address;
}

Address Address::any_ipv4(std::uint16_t port) {
    Address address;
    address.family_ = Family::ipv4;
    address.port_ = port;
    return address;
}

Address Address::any_ipv6(std::uint16_t port) {
    Address address = any_ipv4(port);
    address.family_ = Family::ipv6;
    return address;
}

Address Address::from_sockaddr(const sockaddr_storage& storage, socklen_t size) {
    Address address;
    if (storage.ss_family == AF_INET) {
        sockaddr_in in;
        std::memcpy(&in, &storage, sizeof in);
        address.family_ = Family::ipv4;
        address.port_ = ntohs(in.sin_port);
        std::memcpy(address.ip_.data(), &in.sin_addr, 4);
    } else if (storage.ss_family == AF_INET6) {
        sockaddr_in6 in6;
        std::memcpy(&in6, &storage, sizeof in6);
        address.port_ = ntohs(in6.sin6_port);
        if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
            address.family_ = Family::ipv4;
            std::memcpy(address.ip_.data(), &in6.sin6_addr.s6_addr[12], 4);
        } else {
            address.family_ = Family::ipv6;
            address.scope_ = in6.sin6_scope_id;
            std::memcpy(address.ip_.data(), &in6.sin6_addr, 16);
        }
    } else if (storage.ss_family == AF_UNIX) {
        address.family_ = Family::local;
        sockaddr_un un;
        std::memcpy(&un, &storage, sizeof un);
        std::size_t length = size - offsetof(sockaddr_un, sun_path);
        address.path_.assign(un.sun_path, std::min(length, sizeof un.sun_path));
        if (!address.path_.empty() && address.path_[0] == '\0') {
            address.path_[0] = '@';
        } else {
            address.path_.resize(std::strlen(address.path_.c_str()));
        }
    }
    return address;
}

socklen_t Address::to_sockaddr(sockaddr_storage& storage) const noexcept {
    storage = {};
    switch (family_) {
    case Family::none:
        storage.ss_family = AF_UNSPEC;
        return sizeof storage.ss_family;
    case Family::ipv4: {
        sockaddr_in in{};
        in.sin_family = AF_INET;
        in.sin_port = htons(port_);
        std::memcpy(&in.sin_addr, ip_.data(), 4);
        std::memcpy(&storage, &in, sizeof in);
        return sizeof in;
    }
    case Family::ipv6: {
        sockaddr_in6 in6{};
        in6.sin6_family = AF_INET6;
        in6.sin6_port = htons(port_);
        in6.sin6_scope_id = scope_;
        std::memcpy(&in6.sin6_addr, ip_.data(), 16);
        std::memcpy(&storage, &in6, sizeof in6);
        return sizeof in6;
    }
    case Family::local:
        break;
    }
    sockaddr_un un{};
    un.sun_family = AF_UNIX;
    std::memcpy(un.sun_path, path_.data(), path_.size());
    std::size_t size = offsetof(sockaddr_un, sun_path) + path_.size();
    if (un.sun_path[0] == '@') {
        un.sun_path[0] = '\0';
    } else {
        ++size;
    }
    std::memcpy(&storage, &un, sizeof un);
    return static_cast<socklen_t>(size);
}

bool Address::is_loopback() const noexcept {
    if (family_ == Family::ipv4) return ip_[0] == 127;
    if (family_ != Family::ipv6) return false;
    return std::all_of(ip_.begin(), ip_.end() - 1, [](std::uint8_t byte) { return byte == 0; }) &&
           ip_.back() == 1;
}

std::string Address::host() const {
    if (family_ == Family::none) return "unknown";
    if (family_ == Family::local) return path_;
    std::array<char, INET6_ADDRSTRLEN> text;
    inet_ntop(family_ == Family::ipv4 ? AF_INET : AF_INET6, ip_.data(), text.data(), text.size());
    std::string host = text.data();
    if (scope_ != 0) {
        std::array<char, IF_NAMESIZE> name;
        host += '%';
        host += if_indextoname(scope_, name.data()) ? name.data() : std::to_string(scope_);
    }
    return host;
}

std::string Address::to_string() const {
    switch (family_) {
    case Family::none:
        break;
    case Family::ipv4:
        return host() + ":" + std::to_string(port_);
    case Family::ipv6:
        return "[" + host() + "]:" + std::to_string(port_);
    case Family::local:
        return std::string(local_prefix) + path_;
    }
    return "unknown";
}

}  // namespace coracle::net
