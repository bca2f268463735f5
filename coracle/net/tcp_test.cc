// SPDX-License-Identifier: Apache-2.0
#include <coracle/net/tcp.h>

#include <coracle/base/log.h>
#include <coracle/core/event.h>
#include <coracle/core/gather.h>
#include <coracle/core/run.h>
#include <coracle/core/scope.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>
#include <coracle/net/internal/unique_fd.h>

#include <gtest/gtest.h>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace coracle::net {
namespace {

using internal::UniqueFd;

// Descriptors that this process has open.
std::size_t open_descriptors() {
    DIR* folder = opendir("/proc/self/fd");
    std::size_t count = 0;
    while (readdir(folder)) ++count;
    closedir(folder);
    return count;
}

// Both ends of a loopback connection.
struct Connection {
    std::unique_ptr<TcpStream> client;
    std::unique_ptr<Stream> server;
};

Task<void> open_connection_into(TcpListener& listener, Connection& out) {
    out.client = co_await connect(listener.bound_address());
    out.server = co_await listener.accept();
}

// The errno that awaiting the task ends with; 0 if it succeeds.
template <class T>
Task<int> code_of(Task<T> task) {
    try {
        co_await std::move(task);
    } catch (const Error& error) {
        co_return error.code();
    }
    co_return 0;
}

Task<void> echo(std::unique_ptr<Stream> stream) {
    for (;;) {
        Bytes bytes = co_await stream->read();
        if (bytes.empty()) co_return;
        co_await stream->write_all(std::move(bytes));
    }
}

Task<void> echo_server(TcpListener& listener) {
    co_await task_group([&](TaskGroup& group) -> Task<void> {
        while (auto stream = co_await listener.accept()) group.create_task(echo, std::move(stream));
    });
}

Task<void> expect_bytes(Stream& stream, Bytes expected) {
    EXPECT_EQ(co_await stream.read_exactly(expected.size()), expected);
}

TEST(Tcp, EchoesAndKnowsBothAddresses) {
    auto body = []() -> Task<void> {
        TcpListener listener("127.0.0.1", 0);
        EXPECT_GT(listener.port(), 0);
        EXPECT_EQ(listener.address(), "127.0.0.1:" + std::to_string(listener.port()));
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(echo_server, std::ref(listener));
            auto stream = co_await open_connection("localhost", listener.port());
            EXPECT_EQ(stream->peer(), listener.address());
            EXPECT_EQ(stream->local_address().host(), "127.0.0.1");
            for (std::size_t size = 1; size < 1'000'000; size *= 10) {
                co_await gather(stream->write_all(Bytes(size, 'x')),
                                expect_bytes(*stream, Bytes(size, 'x')));
            }
            listener.close();
        });
    };
    run(body());
}

TEST(Tcp, HalfCloseLeavesTheOtherHalfOpen) {
    auto body = []() -> Task<void> {
        TcpListener listener("127.0.0.1", 0);
        Connection ends;
        co_await open_connection_into(listener, ends);
        EXPECT_EQ(ends.server->peer(), ends.client->local());
        EXPECT_EQ(ends.server->local(), listener.address());
        co_await ends.client->write_all("question");
        ends.client->shutdown_write();
        EXPECT_EQ(co_await ends.server->read_to_end(100), "question");
        EXPECT_EQ(co_await ends.server->read(), "");
        co_await ends.server->write_all("answer");
        ends.server->close();
        EXPECT_EQ(co_await ends.client->read_to_end(100), "answer");
    };
    run(body());
}

// The last bytes and the end arrive before the first look, so their edge comes once for both: the
// short read must not wait for a second one.
TEST(Tcp, AnEndThatCameWithTheLastBytesIsSeen) {
    auto body = []() -> Task<void> {
        TcpListener listener("127.0.0.1", 0);
        for (bool reset : {false, true}) {
            Connection ends;
            co_await open_connection_into(listener, ends);
            // Drains the latch that is set from the start, then waits for the edge.
            std::array<char, 100> buffer;
            EXPECT_TRUE(ends.server->read_nowait(buffer).would_block());
            EXPECT_EQ(ends.client->write_nowait("last words").bytes(), 10u);
            if (reset) {
                ends.client->abort();
            } else {
                ends.client->close();
            }
            EXPECT_TRUE(co_await ends.server->readiness().wait_readable());
            IoResult first = ends.server->read_nowait(buffer);
            if (first.done()) {
                EXPECT_EQ(first.bytes(), 10u);
                EXPECT_TRUE(ends.server->readiness().is_readable());
                IoResult second = ends.server->read_nowait(buffer);
                EXPECT_EQ(second.end(), !reset);
                EXPECT_EQ(second.error_code(), reset ? ECONNRESET : 0);
            } else {
                EXPECT_EQ(first.error_code(), ECONNRESET);
                EXPECT_TRUE(reset);
            }
        }
    };
    run(body());
}

TEST(Tcp, AnEndThatComesAfterAShortReadIsSeen) {
    auto body = []() -> Task<void> {
        TcpListener listener("127.0.0.1", 0);
        Connection ends;
        co_await open_connection_into(listener, ends);
        co_await ends.client->write_all("first");
        EXPECT_EQ(co_await ends.server->read(), "first");
        EXPECT_FALSE(ends.server->readiness().is_readable());  // without a recv that says EAGAIN
        co_await ends.client->write_all("second");
        EXPECT_EQ(co_await ends.server->read(), "second");
        ends.client->close();
        EXPECT_EQ(co_await ends.server->read(), "");
    };
    run(body());
}

TEST(Tcp, AReadThatFillsItsBufferLeavesTheLatch) {
    auto body = []() -> Task<void> {
        TcpListener listener("127.0.0.1", 0);
        Connection ends;
        co_await open_connection_into(listener, ends);
        co_await ends.client->write_all("abcdef");
        std::array<char, 4> buffer;
        EXPECT_EQ(co_await ends.server->read_into(buffer), 4u);
        EXPECT_TRUE(ends.server->readiness().is_readable());
        EXPECT_EQ(co_await ends.server->read_into(buffer), 2u);
        EXPECT_FALSE(ends.server->readiness().is_readable());
    };
    run(body());
}

TEST(Tcp, AResetIsAnErrorWithItsSubject) {
    auto body = []() -> Task<void> {
        TcpListener listener("127.0.0.1", 0);
        Connection ends;
        co_await open_connection_into(listener, ends);
        std::string peer = ends.server->peer();
        ends.client->abort();
        std::string text;
        try {
            co_await ends.server->read();
        } catch (const Error& error) {
            text = error.what();
        }
        EXPECT_EQ(text, "read from " + peer + ": Connection reset by peer");
        EXPECT_EQ(co_await code_of(ends.server->write_all("x")), EPIPE);
        EXPECT_EQ(co_await code_of(ends.client->read()), EBADF);
        EXPECT_EQ(co_await code_of(ends.client->write_all("x")), EBADF);
        EXPECT_EQ(ends.client->local(), "unknown");
        EXPECT_EQ(ends.client->peer(), listener.address());
    };
    run(body());
}

TEST(Tcp, GatheredWritesKeepTheirOrder) {
    auto body = []() -> Task<void> {
        TcpListener listener("127.0.0.1", 0);
        Connection ends;
        co_await open_connection_into(listener, ends);
        std::vector<std::string> texts;
        std::string all;
        for (int i = 0; i < 200; ++i) texts.push_back(i % 3 ? std::to_string(i) : std::string());
        std::vector<std::string_view> pieces(texts.begin(), texts.end());
        for (const std::string& text : texts) all += text;
        // More pieces than one call takes: the rest is another call's.
        std::size_t sent = ends.client->write_nowait(pieces).bytes();
        EXPECT_GT(sent, 0u);
        EXPECT_LT(sent, all.size());
        EXPECT_TRUE(ends.client->readiness().is_writable());
        EXPECT_TRUE(all.starts_with(co_await ends.server->read_exactly(sent)));
        EXPECT_EQ(ends.client->write_nowait("").bytes(), 0u);
    };
    run(body());
}

TEST(Tcp, APeerThatDoesNotReadHoldsTheWriterBack) {
    auto body = []() -> Task<void> {
        TcpListener listener("127.0.0.1", 0);
        Connection ends;
        co_await open_connection_into(listener, ends);
        Stream& writer = *ends.server;
        const std::string chunk(1 << 20, 'x');
        std::size_t sent = 0;
        while (writer.readiness().is_writable()) sent += writer.write_nowait(chunk).bytes();
        EXPECT_TRUE(writer.write_nowait(chunk).would_block());
        EXPECT_LT(sent, std::size_t{64} << 20);
        // Nothing moves until the peer reads.
        EXPECT_FALSE(co_await move_on_after(
            5ms, [&]() -> Task<void> { co_await writer.write_all("more"); }));
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            auto finish = [](Stream& to) -> Task<void> {
                co_await to.write_all("end");
                to.shutdown_write();
            };
            group.create_task(finish, std::ref(writer));
            Bytes all = co_await ends.client->read_to_end(std::size_t{128} << 20);
            EXPECT_EQ(all.size(), sent + 3);
            EXPECT_TRUE(all.ends_with("xend"));
        });
    };
    run(body());
}

TEST(Tcp, CancellingAnyWaitLeavesTheStreamUsable) {
    auto body = []() -> Task<void> {
        TcpListener listener("127.0.0.1", 0);
        EXPECT_FALSE(
            co_await move_on_after(1ms, [&]() -> Task<void> { co_await listener.accept(); }));
        Connection ends;
        co_await open_connection_into(listener, ends);
        EXPECT_FALSE(
            co_await move_on_after(1ms, [&]() -> Task<void> { co_await ends.server->read(); }));
        co_await ends.client->write_all("still here");
        EXPECT_EQ(co_await ends.server->read(), "still here");
        // A checkpoint even when there is something to take, which then is not lost.
        co_await ends.client->write_all("unread");
        EXPECT_TRUE(co_await ends.server->readiness().wait_readable());
        EXPECT_FALSE(co_await cancel_scope([&](CancelScope& scope) -> Task<void> {
            scope.cancel();
            co_await ends.server->read();
        }));
        EXPECT_EQ(co_await ends.server->read(), "unread");
    };
    run(body());
}

TEST(Tcp, CancellingAConnectClosesItsSocket) {
    auto body = []() -> Task<void> {
        // A full backlog makes the kernel drop what comes next, so that the attempt hangs.
        TcpListener listener("127.0.0.1", 0, {.backlog = 1});
        std::vector<std::unique_ptr<TcpStream>> filling;
        std::size_t before = 0;
        bool hung = false;
        for (int i = 0; i < 64 && !hung; ++i) {
            before = open_descriptors();
            hung = !co_await move_on_after(50ms, [&]() -> Task<void> {
                filling.push_back(co_await connect(listener.bound_address()));
            });
        }
        EXPECT_TRUE(hung);
        EXPECT_EQ(open_descriptors(), before);
        EXPECT_THROW(co_await wait_for(connect(listener.bound_address()), 1ms), TimeoutError);
        EXPECT_EQ(open_descriptors(), before);
    };
    run(body());
}

TEST(Tcp, ARefusedConnectionIsOneSentence) {
    auto body = []() -> Task<void> {
        TcpListener listener("127.0.0.1", 0);
        Address address = listener.bound_address();
        listener.close();
        std::string text;
        try {
            co_await connect(address);
        } catch (const Error& error) {
            text = error.what();
            EXPECT_EQ(error.code(), ECONNREFUSED);
        }
        EXPECT_EQ(text, "connect " + address.to_string() + ": Connection refused");
        EXPECT_EQ(co_await code_of(connect(Address::parse("unix:/x"))), EAFNOSUPPORT);
        EXPECT_THROW(co_await open_connection("example.com", 80), AddressError);
    };
    run(body());
}

TEST(TcpListener, AnOccupiedPortIsOneSentence) {
    TcpListener first("127.0.0.1", 0);  // needs no loop
    std::string port = std::to_string(first.port());
    try {
        TcpListener second("127.0.0.1", first.port());
        FAIL() << "two listeners on one port";
    } catch (const Error& error) {
        EXPECT_EQ(std::string(error.what()),
                  "listen on 127.0.0.1:" + port + ": Address already in use");
        EXPECT_EQ(error.code(), EADDRINUSE);
    }
    EXPECT_THROW(TcpListener::check("127.0.0.1", first.port()), Error);
    EXPECT_THROW(TcpListener("no-such-name", 0), AddressError);
    EXPECT_THROW(TcpListener("192.0.2.1", 0), Error);  // not an address of this machine
    first.close();
    TcpListener::check("127.0.0.1", static_cast<std::uint16_t>(std::stoi(port)));
    TcpListener third("127.0.0.1", static_cast<std::uint16_t>(std::stoi(port)));
    EXPECT_EQ(std::to_string(third.port()), port);
}

TEST(TcpListener, SeveralShareAPortWhenAsked) {
    TcpListener first("127.0.0.1", 0, {.reuse_port = true});
    TcpListener second("127.0.0.1", first.port(), {.reuse_port = true});
    EXPECT_EQ(first.port(), second.port());
}

TEST(TcpListener, AnEmptyHostTakesIPv4AndIPv6WhereThereIsAny) {
    auto body = []() -> Task<void> {
        TcpListener listener("", 0);
        auto over_ipv4 = co_await open_connection("127.0.0.1", listener.port());
        auto first = co_await listener.accept();
        EXPECT_EQ(first->peer(), over_ipv4->local());  // and not as ::ffff:127.0.0.1
        if (listener.bound_address().family() == Address::Family::ipv6) {
            auto over_ipv6 = co_await open_connection("::1", listener.port());
            auto second = co_await listener.accept();
            EXPECT_EQ(second->peer(), over_ipv6->local());
        }
    };
    run(body());
}

TEST(TcpListener, CloseEndsTheAcceptInProgress) {
    auto body = []() -> Task<void> {
        TcpListener listener("127.0.0.1", 0);
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            auto wait = [](TcpListener& target, bool& ended) -> Task<void> {
                auto stream = co_await target.accept();
                ended = stream == nullptr;
            };
            bool ended = false;
            auto waiting = group.create_task(wait, std::ref(listener), std::ref(ended));
            co_await sleep(0s);
            listener.close();
            listener.close();
            co_await waiting;
            EXPECT_TRUE(ended);
        });
        auto none = co_await listener.accept();
        EXPECT_EQ(none, nullptr);
    };
    run(body());
}

TEST(TcpListener, AConnectionThatLeftBeforeItWasAcceptedDoesNoHarm) {
    auto body = []() -> Task<void> {
        TcpListener listener("127.0.0.1", 0);
        auto gone = co_await connect(listener.bound_address());
        gone->abort();
        auto stays = co_await connect(listener.bound_address());
        std::string peer = stays->local();
        auto accepted = co_await listener.accept();
        if (accepted->peer() != peer) {
            EXPECT_EQ(co_await code_of(accepted->read()), ECONNRESET);
            accepted = co_await listener.accept();
        }
        EXPECT_EQ(accepted->peer(), peer);
    };
    run(body());
}

// UBSan needs a pipe to check a virtual call, so a process under it cannot be short of descriptors.
#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer)
#define CORACLE_TEST_NEEDS_DESCRIPTORS
#endif
#endif
#ifndef CORACLE_TEST_NEEDS_DESCRIPTORS

// Lowers the number of descriptors this process may have, for the length of a test.
class DescriptorLimit {
  public:
    explicit DescriptorLimit(rlim_t most) {
        getrlimit(RLIMIT_NOFILE, &before_);
        rlimit now{most, before_.rlim_max};
        setrlimit(RLIMIT_NOFILE, &now);
    }
    ~DescriptorLimit() { setrlimit(RLIMIT_NOFILE, &before_); }
    DescriptorLimit(const DescriptorLimit&) = delete;
    DescriptorLimit& operator=(const DescriptorLimit&) = delete;

  private:
    rlimit before_;
};

// Takes every descriptor up to the limit but `spare`.
std::vector<UniqueFd> take_all_descriptors(std::size_t spare) {
    std::vector<UniqueFd> taken;
    for (;;) {
        UniqueFd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
        if (!fd) break;
        taken.push_back(std::move(fd));
    }
    for (; spare > 0; --spare) taken.pop_back();
    return taken;
}

TEST(TcpListener, OutOfDescriptorsItWaitsShedsAndRecovers) {
    std::string logged;
    log::set_sink([&](log::Level, std::string_view, std::string_view line) { logged += line; });
    auto body = [&]() -> Task<void> {
        TcpListener listener("127.0.0.1", 0);
        DescriptorLimit limit(64);
        auto taken = take_all_descriptors(2);
        auto first = co_await connect(listener.bound_address());
        auto second = co_await connect(listener.bound_address());
        // Both are closed, one per try, which the peers see; and between two tries there is a
        // pause.
        TimePoint began = EventLoop::current().time();
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            auto accept = [](TcpListener& from) -> Task<void> { co_await from.accept(); };
            group.create_task(accept, std::ref(listener));
            EXPECT_EQ(co_await first->read(), "");
            EXPECT_EQ(co_await second->read(), "");
            group.cancel();
        });
        EXPECT_GE(EventLoop::current().time() - began, 100ms);
        taken.clear();
        auto third = co_await connect(listener.bound_address());
        auto accepted = co_await listener.accept();
        EXPECT_EQ(accepted->peer(), third->local());
    };
    run(body());
    log::set_sink({});
    EXPECT_NE(logged.find("Too many open files"), std::string::npos) << logged;
    EXPECT_EQ(logged.find("Too many open files"), logged.rfind("Too many open files")) << logged;
}

TEST(TcpListener, AShortShortageCostsNobodyTheirConnection) {
    log::set_sink([](log::Level, std::string_view, std::string_view) {});
    auto body = []() -> Task<void> {
        TcpListener listener("127.0.0.1", 0);
        DescriptorLimit limit(64);
        auto taken = take_all_descriptors(1);
        auto client = co_await connect(listener.bound_address());
        auto release = [](std::vector<UniqueFd>& descriptors) -> Task<void> {
            co_await sleep(10ms);
            descriptors.clear();
        };
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(release, std::ref(taken));
            auto accepted = co_await listener.accept();
            EXPECT_EQ(accepted->peer(), client->local());
        });
    };
    run(body());
    log::set_sink({});
}

#endif  // CORACLE_TEST_NEEDS_DESCRIPTORS

TEST(Tcp, AThousandConnectionsLeaveNothingBehind) {
    auto body = []() -> Task<void> {
        constexpr std::size_t connections = 1000;
        TcpListener listener("127.0.0.1", 0);
        {
            Connection warm_up;
            co_await open_connection_into(listener, warm_up);
        }
        std::size_t before = open_descriptors();
        std::vector<Connection> held;
        for (std::size_t i = 0; i < connections; ++i) {
            Connection ends;
            co_await open_connection_into(listener, ends);
            // Many at once, within the usual limit of 1,024 descriptors.
            held.push_back(std::move(ends));
            if (held.size() == 200) held.clear();
        }
        held.clear();
        EXPECT_EQ(open_descriptors(), before);
    };
    run(body());
}

TEST(Tcp, AnIdleStreamIsSmall) {
    EXPECT_LE(sizeof(TcpStream), 200u);
    EXPECT_LE(sizeof(Address), 56u);
}

}  // namespace
}  // namespace coracle::net
