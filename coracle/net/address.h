// SPDX-License-Identifier: Apache-2.0
// Address: where a socket is, as a value.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace coracle::net {

// A numeric IPv4 or IPv6 address with a port, or the path of a Unix socket. Names are not looked
// up here. Regular value of 56 bytes.
//
//   auto address = Address::parse("[::1]:8080");
//   address.host();         // "::1"
//   address.to_string();    // "[::1]:8080"
class Address {
  public:
    enum class Family : std::uint8_t { none, ipv4, ipv6, local };

    // No address: to_string() is "unknown".
    Address() noexcept = default;

    // Reads "127.0.0.1:80", "[::1]:80", "[fe80::1%eth0]:80" or "unix:/run/app.sock" ("unix:@name"
    // is an abstract one). Strict: four decimal parts without leading zeros, a port of 0 to 65535,
    // a path of at most 107 bytes.
    static std::optional<Address> try_parse(std::string_view text);
    // The same; throws AddressError.
    static Address parse(std::string_view text);

    // A numeric host without brackets, "127.0.0.1" or "::1", and a port. Empty for anything else.
    static std::optional<Address> try_from_host(std::string_view host, std::uint16_t port);

    // 127.0.0.1; every interface of one family.
    static Address loopback(std::uint16_t port);
    static Address any_ipv4(std::uint16_t port);
    static Address any_ipv6(std::uint16_t port);

    // From what the kernel gave. An IPv4 address mapped into IPv6 (::ffff:10.0.0.7) becomes IPv4,
    // so that a dual-stack listener's peers read as what they are. An unknown family gives none.
    static Address from_sockaddr(const sockaddr_storage& storage, socklen_t size);
    // For the kernel: fills the storage and returns the size used.
    socklen_t to_sockaddr(sockaddr_storage& storage) const noexcept;

    Family family() const noexcept { return family_; }
    bool is_ip() const noexcept { return family_ == Family::ipv4 || family_ == Family::ipv6; }
    bool is_loopback() const noexcept;
    // Zero for a Unix socket.
    std::uint16_t port() const noexcept { return port_; }
    void set_port(std::uint16_t port) noexcept { port_ = port; }

    // "127.0.0.1", "::1", the path.
    std::string host() const;
    // What try_parse() reads.
    std::string to_string() const;

    bool operator==(const Address&) const = default;

  private:
    std::array<std::uint8_t, 16> ip_{};  // network order; IPv4 uses the first four
    std::uint32_t scope_ = 0;            // interface of a link-local IPv6 address
    std::uint16_t port_ = 0;             // host order
    Family family_ = Family::none;
    std::string path_;
};

}  // namespace coracle::net
