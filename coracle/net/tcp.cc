// SPDX-License-Identifier: Apache-2.0
#include <coracle/net/tcp.h>

#include <coracle/base/assert.h>
#include <coracle/base/log.h>
#include <coracle/base/system_call.h>
#include <coracle/core/loop.h>
#include <coracle/core/sleep.h>
#include <coracle/net/internal/unique_fd.h>

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <utility>

namespace coracle::net {
namespace {

using internal::UniqueFd;

// How long accept() waits when descriptors have run out.
constexpr Duration exhausted_pause = 50ms;

void set_option(int fd, int level, int name, int value) noexcept {
    setsockopt(fd, level, name, &value, sizeof value);
}

sockaddr* as_sockaddr(sockaddr_storage& storage) noexcept {
    return reinterpret_cast<sockaddr*>(&storage);
}

Address name_of(int fd, int (*get)(int, sockaddr*, socklen_t*)) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    if (get(fd, as_sockaddr(storage), &size) < 0) return Address();
    return Address::from_sockaddr(storage, size);
}

bool is_exhaustion(int error) noexcept {
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM ||
           error == ENOSPC;
}

// The connection was lost before it was accepted, which is no fault of the listener's. Linux passes
// on what the network reported of it, see accept(2).
bool is_lost_connection(int error) noexcept {
    switch (error) {
    case ECONNABORTED:
    case EINTR:
    case EPROTO:
    case EPERM:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
        return true;
    default:
        return false;
    }
}

int open_reserve() noexcept { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

}  // namespace

TcpStream::TcpStream(int fd, Address peer) : descriptor_(fd), peer_(std::move(peer)) {
    UniqueFd socket(fd);
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    descriptor_.set_label("tcp");
    descriptor_.attach();
    socket.release();
}

TcpStream::~TcpStream() { close(); }

// Why a short read may clear the latch, which saves the recv that would say EAGAIN: it emptied the
// receive queue, and whatever arrives after that makes a new edge. What arrived before it is in the
// queue, with one exception: the end of the stream (FIN or RST) does not show in a short read, and
// its edge may have been reported already, together with that of the last bytes. The backend notes
// it as has_ended(), and then only EAGAIN clears. An end that comes after the backend's look and
// before this read makes an edge of its own at the next look.
//
// (Urgent data stops a read at its mark. A peer that sends it may wait for its own next bytes.)
IoResult TcpStream::read_nowait(std::span<char> into) noexcept {
    CORACLE_DEBUG_ASSERT(!into.empty());
    if (!open_) return IoResult::failed(EBADF);
    ssize_t got;
    do {
        got = coracle::internal::recv(descriptor_.fd(), into.data(), into.size());
    } while (got < 0 && errno == EINTR);
    if (got > 0) {
        auto count = static_cast<std::size_t>(got);
        if (count < into.size() && !descriptor_.has_ended()) descriptor_.clear_readable();
        return IoResult::of_bytes(count);
    }
    if (got == 0) return IoResult::at_end();
    if (errno != EAGAIN) return IoResult::failed(errno);
    descriptor_.clear_readable();
    return IoResult::blocked();
}

// A short write means that the send buffer is full: the kernel then notes that somebody wants to
// know when there is room, and that makes the edge.
IoResult TcpStream::write_nowait(std::span<const std::string_view> pieces) noexcept {
    if (!open_) return IoResult::failed(EBADF);
    return pieces.size() == 1 ? send_one(pieces.front()) : send_gathered(pieces);
}

// Out of line: its vectors would be a burden to every single piece.
[[gnu::noinline]] IoResult TcpStream::send_gathered(
    std::span<const std::string_view> pieces) noexcept {
    std::array<iovec, pieces_max> vectors;
    std::size_t count = 0;
    std::size_t asked = 0;
    for (std::string_view piece : pieces) {
        if (piece.empty()) continue;
        if (count == vectors.size()) break;
        vectors[count++] = {const_cast<char*>(piece.data()), piece.size()};
        asked += piece.size();
    }
    if (asked == 0) return IoResult::of_bytes(0);
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = count;
    ssize_t sent;
    do {
        sent = ::sendmsg(descriptor_.fd(), &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return after_send(sent, asked);
}

IoResult TcpStream::send_one(std::string_view piece) noexcept {
    if (piece.empty()) return IoResult::of_bytes(0);
    ssize_t sent;
    do {
        sent = coracle::internal::send(descriptor_.fd(), piece.data(), piece.size());
    } while (sent < 0 && errno == EINTR);
    return after_send(sent, piece.size());
}

// What send() returned for that many bytes; errno is its own.
IoResult TcpStream::after_send(std::ptrdiff_t sent, std::size_t asked) noexcept {
    if (sent >= 0) {
        auto bytes = static_cast<std::size_t>(sent);
        if (bytes < asked) descriptor_.clear_writable();
        return IoResult::of_bytes(bytes);
    }
    if (errno != EAGAIN) return IoResult::failed(errno);
    descriptor_.clear_writable();
    return IoResult::blocked();
}

std::size_t TcpStream::unacknowledged() const noexcept {
    int bytes = 0;
    if (!open_ || ioctl(descriptor_.fd(), SIOCOUTQ, &bytes) < 0 || bytes < 0) return 0;
    return static_cast<std::size_t>(bytes);
}

void TcpStream::shutdown_write() noexcept {
    if (open_) ::shutdown(descriptor_.fd(), SHUT_WR);
}

void TcpStream::close() noexcept {
    if (!std::exchange(open_, false)) return;
    descriptor_.detach();
    ::close(descriptor_.fd());
    // Whoever waits tries again and finds it closed.
    descriptor_.set_readable();
    descriptor_.set_writable();
}

void TcpStream::abort() noexcept {
    if (!open_) return;
    linger reset{1, 0};
    setsockopt(descriptor_.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close();
}

Address TcpStream::local_address() const {
    return open_ ? name_of(descriptor_.fd(), ::getsockname) : Address();
}

std::string TcpStream::local() const { return local_address().to_string(); }

// A socket that has its address and does not listen yet.
struct TcpListener::Bound {
    UniqueFd fd;
    Address address;
    std::string operation;  // for an error

    Bound listen(const ListenOptions& options) &&;

    static Bound to_host(std::string_view host, std::uint16_t port, const ListenOptions& options);
    // `what` names the place in an error. With `dual` an IPv6 socket takes IPv4 too. Gives nothing
    // when the machine has no such family and may_lack_family is set.
    static std::optional<Bound> to(const Address& address, const ListenOptions& options,
                                   const std::string& what, bool dual, bool may_lack_family);
};

std::optional<TcpListener::Bound> TcpListener::Bound::to(const Address& address,
                                                         const ListenOptions& options,
                                                         const std::string& what, bool dual,
                                                         bool may_lack_family) {
    std::string operation = "listen on " + what;
    if (!address.is_ip()) throw Error(operation, EAFNOSUPPORT);
    sockaddr_storage storage;
    socklen_t size = address.to_sockaddr(storage);
    UniqueFd fd(::socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) {
        if (may_lack_family && errno == EAFNOSUPPORT) return std::nullopt;
        throw Error(operation, errno);
    }
    if (address.family() == Address::Family::ipv6) {
        set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, dual ? 0 : 1);
    }
    set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
    if (options.reuse_port) set_option(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
    if (::bind(fd.get(), as_sockaddr(storage), size) < 0) {
        if (may_lack_family && errno == EADDRNOTAVAIL) return std::nullopt;
        throw Error(operation, errno);
    }
    Address bound = name_of(fd.get(), ::getsockname);
    return Bound{std::move(fd), std::move(bound), std::move(operation)};
}

TcpListener::Bound TcpListener::Bound::listen(const ListenOptions& options) && {
    if (::listen(fd.get(), std::max(options.backlog, 1)) < 0) throw Error(operation, errno);
    return std::move(*this);
}

TcpListener::Bound TcpListener::Bound::to_host(std::string_view host, std::uint16_t port,
                                               const ListenOptions& options) {
    if (host.empty()) {
        std::string what = "*:" + std::to_string(port);
        auto both = to(Address::any_ipv6(port), options, what, true, true);
        if (both) return std::move(*both);
        return std::move(*to(Address::any_ipv4(port), options, what, false, false));
    }
    auto address =
        host == "localhost" ? Address::loopback(port) : Address::try_from_host(host, port);
    if (!address) throw AddressError(host);
    return std::move(*to(*address, options, address->to_string(), false, false));
}

TcpListener::TcpListener(Bound bound)
    : descriptor_(bound.fd.release()),
      address_(std::move(bound.address)),
      reserve_fd_(open_reserve()) {
    descriptor_.set_label("tcp listener");
}

TcpListener::TcpListener(std::string_view host, std::uint16_t port, ListenOptions options)
    : TcpListener(Bound::to_host(host, port, options).listen(options)) {}

TcpListener::TcpListener(const Address& address, ListenOptions options)
    : TcpListener(std::move(*Bound::to(address, options, address.to_string(), false, false))
                      .listen(options)) {}

void TcpListener::check(std::string_view host, std::uint16_t port) {
    Bound::to_host(host, port, {});
}

TcpListener::~TcpListener() { close(); }

void TcpListener::close() noexcept {
    if (!std::exchange(open_, false)) return;
    descriptor_.detach();
    ::close(descriptor_.fd());
    if (reserve_fd_ >= 0) ::close(std::exchange(reserve_fd_, -1));
    descriptor_.set_readable();  // an accept() in progress looks again
}

Task<std::unique_ptr<Stream>> TcpListener::accept() { return do_accept(); }

Task<std::unique_ptr<Stream>> TcpListener::do_accept() {
    if (open_) descriptor_.attach();
    bool was_exhausted = false;
    for (;;) {
        co_await descriptor_.wait_readable();
        if (!open_) co_return nullptr;
        int error = 0;
        std::unique_ptr<Stream> stream = accept_nowait(error);
        if (stream) co_return stream;
        if (error == EAGAIN) {
            descriptor_.clear_readable();
        } else if (is_exhaustion(error)) {
            warn_exhausted(error);
            // The first time around, a connection that ends meanwhile may cure it.
            if (std::exchange(was_exhausted, true)) shed_one();
            co_await sleep(exhausted_pause);
        } else if (!is_lost_connection(error)) {
            throw Error("accept on " + address(), error);
        }
    }
}

std::unique_ptr<Stream> TcpListener::accept_nowait(int& error) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    int fd = ::accept4(descriptor_.fd(), as_sockaddr(storage), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        error = errno;
        return nullptr;
    }
    try {
        return std::make_unique<TcpStream>(fd, Address::from_sockaddr(storage, size));
    } catch (const SystemError& refused) {
        error = refused.code();
        return nullptr;
    }
}

// Another thread may take the descriptor that is freed here; then there is always the next try.
void TcpListener::shed_one() noexcept {
    if (reserve_fd_ >= 0) ::close(std::exchange(reserve_fd_, -1));
    int fd = ::accept4(descriptor_.fd(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) ::close(fd);
    reserve_fd_ = open_reserve();
}

void TcpListener::warn_exhausted(int error) {
    TimePoint now = EventLoop::current().turn_time();
    if (warned_ != TimePoint() && now - warned_ < 1s) return;
    warned_ = now;
    log::warning("net", "accept on " + address() + ": " + error_text(error) +
                            "; connections wait, and are closed if that lasts");
}

namespace {

// The outcome of a connection attempt: nothing yet, or an errno, zero for success.
std::optional<int> connect_result(int fd, const Address& target) {
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) return errno;
    if (error != 0) return error;
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    if (getpeername(fd, as_sockaddr(storage), &length) < 0) {
        if (errno == ENOTCONN) return std::nullopt;
        return errno;
    }
    // The kernel may pick the target's own port for our end, and TCP then connects to itself.
    if (target.is_loopback() && name_of(fd, ::getsockname) == target) return ECONNREFUSED;
    return 0;
}

Task<std::unique_ptr<TcpStream>> do_connect(Address address) {
    std::string operation = "connect " + address.to_string();
    if (!address.is_ip()) throw Error(operation, EAFNOSUPPORT);
    sockaddr_storage storage;
    socklen_t size = address.to_sockaddr(storage);
    UniqueFd socket(::socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket) throw Error(operation, errno);
    int fd = socket.get();
    bool in_progress = false;
    if (::connect(fd, as_sockaddr(storage), size) < 0) {
        if (errno != EINPROGRESS && errno != EINTR) throw Error(operation, errno);
        in_progress = true;
    }
    auto stream = std::make_unique<TcpStream>(socket.release(), address);
    if (in_progress) stream->readiness().clear_writable();
    for (;;) {
        co_await stream->readiness().wait_writable();
        auto error = connect_result(fd, address);
        if (!error) {
            stream->readiness().clear_writable();
            continue;
        }
        if (*error != 0) throw Error(operation, *error);
        co_return stream;
    }
}

}  // namespace

Task<std::unique_ptr<TcpStream>> connect(Address address) { return do_connect(std::move(address)); }

Task<std::unique_ptr<TcpStream>> open_connection(std::string_view host, std::uint16_t port) {
    auto address =
        host == "localhost" ? Address::loopback(port) : Address::try_from_host(host, port);
    if (!address) throw AddressError(host);
    return do_connect(std::move(*address));
}

}  // namespace coracle::net
