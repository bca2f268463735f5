// SPDX-License-Identifier: Apache-2.0
// TCP: listeners, streams and connecting.
#pragma once

#include <coracle/core/io_backend.h>
#include <coracle/core/task.h>
#include <coracle/net/address.h>
#include <coracle/net/error.h>
#include <coracle/net/listener.h>
#include <coracle/net/stream.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace coracle::net {

// A connected TCP socket of the running loop. TCP_NODELAY is on: the writer gathers, the kernel
// does not. Holds no buffer of its own.
class TcpStream final : public Stream {
  public:
    // Takes over a connected, non-blocking socket and registers it with the running loop. Throws
    // SystemError when that is refused; the socket is closed then.
    TcpStream(int fd, Address peer);
    ~TcpStream() override;

    using Stream::write_nowait;
    IoResult read_nowait(std::span<char> into) noexcept override;
    IoResult write_nowait(std::span<const std::string_view> pieces) noexcept override;
    std::size_t unacknowledged() const noexcept override;
    Readiness& readiness() noexcept override { return descriptor_; }
    void shutdown_write() noexcept override;
    void close() noexcept override;
    // Sends RST instead of FIN.
    void abort() noexcept override;
    std::string local() const override;
    std::string peer() const override { return peer_.to_string(); }

    const Address& peer_address() const noexcept { return peer_; }
    // None after close().
    Address local_address() const;
    bool is_open() const noexcept { return open_; }

  private:
    IoResult send_one(std::string_view piece) noexcept;
    IoResult send_gathered(std::span<const std::string_view> pieces) noexcept;
    IoResult after_send(std::ptrdiff_t sent, std::size_t asked) noexcept;

    Descriptor descriptor_;
    Address peer_;
    bool open_ = true;
};

struct ListenOptions {
    // Connections the kernel completes and keeps while accept() is behind; it may clip the number.
    int backlog = 1024;
    // Several listeners on one port, among which the kernel spreads connections: one per worker.
    bool reuse_port = false;
};
static_assert(std::is_trivially_copyable_v<ListenOptions>);

// A listening TCP socket. Made anywhere, on any thread; belongs to the loop of its first accept().
//
// accept() gives a TcpStream. When the process or the machine is out of descriptors or memory it
// logs a warning (at most one per second), waits a moment and tries again; if that does not help,
// it closes one waiting connection per try, by means of a descriptor kept in reserve, so that peers
// see an end rather than silence.
class TcpListener final : public Listener {
  public:
    // `host` is numeric, "localhost" (127.0.0.1), or "" for every interface, IPv4 and IPv6 in one
    // socket where the machine has IPv6. Port 0 lets the kernel choose: see port(). Throws
    // net::Error: "listen on 127.0.0.1:8080: Address already in use".
    TcpListener(std::string_view host, std::uint16_t port, ListenOptions options = {});
    explicit TcpListener(const Address& address, ListenOptions options = {});
    ~TcpListener() override;

    // Throws what the constructor would throw if it was called now. Does not listen: nobody is let
    // in to be turned out again.
    static void check(std::string_view host, std::uint16_t port);

    Task<std::unique_ptr<Stream>> accept() override;
    std::string address() const override { return address_.to_string(); }
    void close() noexcept override;

    // The port in fact, also when 0 was asked for.
    std::uint16_t port() const noexcept { return address_.port(); }
    const Address& bound_address() const noexcept { return address_; }

  private:
    struct Bound;
    explicit TcpListener(Bound bound);
    Task<std::unique_ptr<Stream>> do_accept();
    std::unique_ptr<Stream> accept_nowait(int& error);
    void shed_one() noexcept;
    void warn_exhausted(int error);

    Descriptor descriptor_;
    Address address_;
    TimePoint warned_;
    int reserve_fd_;
    bool open_ = true;
};

// Connects to an IPv4 or IPv6 address. Bounded by the kernel's patience only (about two minutes):
// put a deadline around it. Cancelling closes the socket. Throws net::Error: "connect
// 10.0.0.7:443: Connection refused".
//
//   auto stream = co_await wait_for(net::connect(address), 5s);
Task<std::unique_ptr<TcpStream>> connect(Address address);

// The same for a numeric host or "localhost" (127.0.0.1). Throws AddressError for other names.
Task<std::unique_ptr<TcpStream>> open_connection(std::string_view host, std::uint16_t port);

}  // namespace coracle::net
