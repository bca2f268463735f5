// SPDX-License-Identifier: Apache-2.0
#include <coracle/net/address.h>

#include <coracle/net/error.h>

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace coracle::net {
namespace {

TEST(Address, ReadsAndWritesTheSameText) {
    const char* texts[] = {"127.0.0.1:80",
                           "0.0.0.0:0",
                           "255.255.255.255:65535",
                           "[::1]:80",
                           "[::]:8080",
                           "[2001:db8::7]:443",
                           "[fe80::1%1234567]:1",
                           "unix:/run/app.sock",
                           "unix:@abstract/name.1"};
    for (const char* text : texts) {
        SCOPED_TRACE(text);
        auto address = Address::try_parse(text);
        ASSERT_TRUE(address);
        EXPECT_EQ(address->to_string(), text);
        // Through the kernel's form and back.
        sockaddr_storage storage;
        socklen_t size = address->to_sockaddr(storage);
        EXPECT_EQ(Address::from_sockaddr(storage, size), *address);
    }
}

TEST(Address, WritesIPv6InItsShortForm) {
    EXPECT_EQ(Address::parse("[2001:0DB8:0:0:0:0:0:0007]:443").to_string(), "[2001:db8::7]:443");
    EXPECT_EQ(Address::parse("[::1]:80").host(), "::1");
}

TEST(Address, RefusesWhatIsNotNumericOrOutOfRange) {
    const std::string texts[] = {"",
                                 "127.0.0.1",
                                 "127.0.0.1:",
                                 ":80",
                                 "127.0.0.1:65536",
                                 "127.0.0.1:-1",
                                 "127.0.0.1:+80",
                                 "127.0.0.1:080",
                                 "127.0.0.1: 80",
                                 "127.0.0.01:80",
                                 "127.1:80",
                                 "256.0.0.1:80",
                                 "[127.0.0.1]:80",
                                 "::1:80",
                                 "[::1]",
                                 "[::1:80",
                                 "[::1]80",
                                 "[::1%]:80",
                                 "[::1%no-such-interface]:80",
                                 "127.0.0.1%1:80",
                                 "localhost:80",
                                 "example.com:80",
                                 "unix:",
                                 std::string("127.0.0.1\0:80", 13),
                                 std::string("unix:/a\0b", 9),
                                 "unix:" + std::string(108, 'x')};
    for (const std::string& text : texts) EXPECT_FALSE(Address::try_parse(text)) << text;
    EXPECT_TRUE(Address::try_parse("unix:" + std::string(107, 'x')));
    try {
        Address::parse("127.0.0.1:99999");
        FAIL();
    } catch (const AddressError& error) {
        EXPECT_STREQ(error.what(), "address 127.0.0.1:99999: Invalid argument");
    }
}

TEST(Address, HostsComeWithoutBrackets) {
    EXPECT_EQ(Address::try_from_host("::1", 5)->to_string(), "[::1]:5");
    EXPECT_EQ(Address::try_from_host("10.0.0.7", 5)->to_string(), "10.0.0.7:5");
    for (const char* host : {"", "[::1]", "localhost", "10.0.0.7:1"}) {
        EXPECT_FALSE(Address::try_from_host(host, 5)) << host;
    }
}

TEST(Address, AMappedAddressReadsAsIPv4) {
    auto mapped = Address::parse("[::ffff:10.0.0.7]:80");
    sockaddr_storage storage;
    socklen_t size = mapped.to_sockaddr(storage);
    EXPECT_EQ(Address::from_sockaddr(storage, size).to_string(), "10.0.0.7:80");
}

TEST(Address, KnowsItsKind) {
    EXPECT_EQ(Address().to_string(), "unknown");
    EXPECT_FALSE(Address().is_ip());
    EXPECT_TRUE(Address::loopback(1).is_loopback());
    EXPECT_TRUE(Address::parse("127.9.9.9:1").is_loopback());
    EXPECT_TRUE(Address::parse("[::1]:1").is_loopback());
    EXPECT_FALSE(Address::parse("[::2]:1").is_loopback());
    EXPECT_FALSE(Address::parse("[1::1]:1").is_loopback());
    EXPECT_FALSE(Address::any_ipv4(1).is_loopback());
    EXPECT_FALSE(Address::any_ipv6(1).is_loopback());
    EXPECT_EQ(Address::parse("unix:/x").family(), Address::Family::local);
    EXPECT_EQ(Address::parse("unix:/x").port(), 0);
    sockaddr_storage unknown{};
    EXPECT_EQ(Address::from_sockaddr(unknown, sizeof unknown), Address());
}

}  // namespace
}  // namespace coracle::net
