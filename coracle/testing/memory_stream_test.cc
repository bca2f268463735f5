// SPDX-License-Identifier: Apache-2.0
#include <coracle/testing/memory_stream.h>

#include <coracle/core/scope.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>
#include <coracle/net/error.h>
#include <coracle/testing/virtual_loop.h>

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <string>
#include <vector>

namespace coracle::testing {
namespace {

using net::IoResult;

IoResult read_some(net::Stream& stream, std::string& out, std::size_t limit = 1000) {
    std::string bytes(limit, '\0');
    IoResult result = stream.read_nowait(bytes);
    out = bytes.substr(0, result.bytes());
    return result;
}

// The pieces in which everything comes until the end, with a bar after each.
Task<std::string> pieces_of(net::Stream& stream) {
    std::string pieces;
    for (;;) {
        Bytes bytes = co_await stream.read();
        if (bytes.empty()) co_return pieces;
        pieces += bytes + "|";
    }
}

// The errno that awaiting the task ends with; 0 if it succeeds.
template <class T>
Task<int> code_of(Task<T> task) {
    try {
        co_await std::move(task);
    } catch (const net::Error& error) {
        co_return error.code();
    }
    co_return 0;
}

TEST(MemoryStream, CarriesBytesBothWaysAndTheEnd) {
    auto [client, server] = memory_stream_pair();
    std::string text;
    EXPECT_TRUE(read_some(*server, text).would_block());
    EXPECT_FALSE(server->readiness().is_readable());
    const std::array<std::string_view, 3> pieces{"GET ", "", "/"};
    EXPECT_EQ(client->write_nowait(pieces).bytes(), 5u);
    EXPECT_TRUE(server->readiness().is_readable());
    EXPECT_EQ(server->unread(), 5u);
    EXPECT_TRUE(read_some(*server, text).done());
    EXPECT_EQ(text, "GET /");
    client->shutdown_write();
    EXPECT_TRUE(read_some(*server, text).end());
    EXPECT_TRUE(read_some(*server, text).end());
    EXPECT_EQ(server->write_nowait("yes").bytes(), 3u);
    EXPECT_TRUE(read_some(*client, text).done());
    EXPECT_EQ(text, "yes");
    EXPECT_EQ(client->write_nowait("late").error_code(), EPIPE);
    EXPECT_EQ(client->peer(), "memory");
}

TEST(MemoryStream, AFullPipeHoldsTheWriterBack) {
    auto [client, server] = memory_stream_pair({.capacity = 4});
    EXPECT_EQ(client->write_nowait("abcdef").bytes(), 4u);
    EXPECT_FALSE(client->readiness().is_writable());
    EXPECT_TRUE(client->write_nowait("ef").would_block());
    std::string text;
    read_some(*server, text, 1);
    EXPECT_TRUE(client->readiness().is_writable());
    EXPECT_EQ(client->write_nowait("ef").bytes(), 1u);
    read_some(*server, text);
    EXPECT_EQ(text, "bcde");
}

TEST(MemoryStream, WritersAndReadersOfDifferentSpeedMeet) {
    auto body = []() -> Task<void> {
        auto [client, server] = memory_stream_pair({.capacity = 7, .read_max = 3, .write_max = 2});
        std::string sent;
        for (int i = 0; i < 1000; ++i) sent += std::to_string(i);
        auto send = [](net::Stream& stream, std::string bytes) -> Task<void> {
            co_await stream.write_all(std::move(bytes));
            stream.shutdown_write();
        };
        net::Stream& to = *client;
        net::Stream& from = *server;
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(send, std::ref(to), sent);
            EXPECT_EQ(co_await from.read_to_end(1 << 20), sent);
        });
    };
    testing::run(body());
}

TEST(MemoryStream, ChunkingIsAsChosen) {
    auto body = []() -> Task<void> {
        auto [client, server] = memory_stream_pair();
        client->write_nowait("abcdefgh");
        client->shutdown_write();
        std::vector<std::size_t> sizes{3, 4};
        server->split_reads(sizes);
        EXPECT_EQ(co_await pieces_of(*server), "abc|defg|h|");

        auto [writer, reader] = memory_stream_pair({.read_max = 1});
        writer->write_nowait("xyz");
        writer->close();
        EXPECT_EQ(co_await pieces_of(*reader), "x|y|z|");
    };
    testing::run(body());
}

TEST(MemoryStream, ASplitLooksLikeAPause) {
    auto [client, server] = memory_stream_pair();
    client->write_nowait("abcd");
    server->split_reads({2});
    std::string text;
    EXPECT_TRUE(read_some(*server, text).done());
    EXPECT_EQ(text, "ab");
    EXPECT_TRUE(read_some(*server, text).would_block());
    EXPECT_TRUE(server->readiness().is_readable());
    EXPECT_TRUE(read_some(*server, text).done());
    EXPECT_EQ(text, "cd");
}

TEST(MemoryStream, FaultsComeAfterTheirBytes) {
    auto body = []() -> Task<void> {
        auto [client, server] = memory_stream_pair();
        client->write_nowait("abcdef");
        server->fail_reads_after(4, ECONNRESET);
        EXPECT_EQ(co_await server->read(), "abcd");
        EXPECT_EQ(co_await code_of(server->read()), ECONNRESET);

        // At the end of what is there: the reader must not wait for more.
        auto [other, reader] = memory_stream_pair();
        other->write_nowait("abcd");
        reader->fail_reads_after(4, ETIMEDOUT);
        EXPECT_EQ(co_await reader->read(), "abcd");
        EXPECT_EQ(co_await code_of(reader->read()), ETIMEDOUT);

        client->fail_writes_after(2, EPIPE);
        EXPECT_EQ(client->write_nowait("xyz").bytes(), 2u);
        EXPECT_EQ(client->write_nowait("z").error_code(), EPIPE);
        EXPECT_EQ(co_await code_of(client->write_all("z")), EPIPE);
    };
    testing::run(body());
}

TEST(MemoryStream, AFaultReachesAReaderThatWaits) {
    auto body = []() -> Task<void> {
        auto [client, server] = memory_stream_pair();
        MemoryStream& end = *server;
        auto fail_later = [](MemoryStream& stream) -> Task<void> {
            co_await sleep(1s);
            stream.fail_reads_after(0, ETIMEDOUT);
        };
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(fail_later, std::ref(end));
            EXPECT_EQ(co_await code_of(end.read()), ETIMEDOUT);
        });
    };
    testing::run(body());
}

TEST(MemoryStream, AStallHoldsUntilItIsLifted) {
    auto body = []() -> Task<void> {
        auto [client, server] = memory_stream_pair();
        client->write_nowait("ping");
        MemoryStream& end = *server;
        end.stall_reads();
        EXPECT_FALSE(co_await move_on_after(1h, [&]() -> Task<void> { co_await end.read(); }));
        end.stall_reads(false);
        EXPECT_EQ(co_await end.read(), "ping");

        end.stall_writes();
        EXPECT_TRUE(end.write_nowait("pong").would_block());
        EXPECT_FALSE(
            co_await move_on_after(1h, [&]() -> Task<void> { co_await end.write_all("pong"); }));
        end.stall_writes(false);
        co_await end.write_all("pong");
        EXPECT_EQ(co_await client->read(), "pong");
    };
    testing::run(body());
}

TEST(MemoryStream, AbortResetsThePeerAndCloseDeliversTheRest) {
    auto body = []() -> Task<void> {
        auto [client, server] = memory_stream_pair();
        client->write_nowait("lost");
        client->abort();
        EXPECT_EQ(co_await code_of(server->read()), ECONNRESET);
        EXPECT_EQ(co_await code_of(server->write_all("x")), ECONNRESET);

        auto [first, second] = memory_stream_pair();
        first->write_nowait("kept");
        first.reset();
        EXPECT_EQ(co_await second->read(), "kept");
        EXPECT_EQ(co_await second->read(), "");
        EXPECT_EQ(second->write_nowait("x").error_code(), EPIPE);
    };
    testing::run(body());
}

TEST(MemoryStream, ClosingEndsTheWaitsOfThisEnd) {
    auto body = []() -> Task<void> {
        auto [client, server] = memory_stream_pair();
        MemoryStream& end = *server;
        auto close_later = [](MemoryStream& stream) -> Task<void> {
            co_await sleep(1s);
            stream.close();
        };
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(close_later, std::ref(end));
            EXPECT_EQ(co_await code_of(end.read()), EBADF);
        });
        EXPECT_EQ(co_await code_of(end.read()), EBADF);
        EXPECT_EQ(co_await code_of(end.write_all("x")), EBADF);
    };
    testing::run(body());
}

TEST(Stream, ReadsExactlyOrSaysWhatWasMissing) {
    auto body = []() -> Task<void> {
        auto [client, server] = memory_stream_pair({.read_max = 2});
        client->write_nowait("abcdefg");
        EXPECT_EQ(co_await server->read_exactly(4), "abcd");
        EXPECT_EQ(co_await server->read_exactly(0), "");
        client->shutdown_write();
        try {
            co_await server->read_exactly(4);
            ADD_FAILURE() << "the stream ended after three bytes";
        } catch (const net::IncompleteReadError& error) {
            EXPECT_EQ(error.partial(), "efg");
            EXPECT_EQ(error.expected(), 4u);
            EXPECT_STREQ(error.what(),
                         "read 4 bytes from memory, which ended after 3: No data available");
        }
    };
    testing::run(body());
}

TEST(Stream, ReadToEndKeepsItsLimit) {
    auto body = []() -> Task<void> {
        auto [client, server] = memory_stream_pair();
        client->write_nowait("0123456789");
        client->shutdown_write();
        EXPECT_EQ(co_await code_of(server->read_to_end(9)), EMSGSIZE);
        auto [first, second] = memory_stream_pair({.read_max = 3});
        first->write_nowait("0123456789");
        first->shutdown_write();
        EXPECT_EQ(co_await second->read_to_end(10), "0123456789");
    };
    testing::run(body());
}

TEST(Stream, InterruptEndsAReadWithAnError) {
    auto body = []() -> Task<void> {
        auto [client, server] = memory_stream_pair();
        MemoryStream& end = *server;
        auto interrupt_later = [](MemoryStream& stream) -> Task<void> {
            co_await sleep(1s);
            stream.readiness().interrupt();
        };
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(interrupt_later, std::ref(end));
            EXPECT_EQ(co_await code_of(end.read()), ECANCELED);
        });
        client->write_nowait("still good");
        EXPECT_EQ(co_await end.read(), "still good");
    };
    testing::run(body());
}

TEST(MemoryListener, AcceptsInOrderAndEndsWithNull) {
    auto body = []() -> Task<void> {
        MemoryListener listener;
        auto first = listener.connect();
        auto second = listener.connect();
        first->write_nowait("1");
        second->write_nowait("2");
        auto one = co_await listener.accept();
        auto two = co_await listener.accept();
        EXPECT_EQ(co_await one->read(), "1");
        EXPECT_EQ(co_await two->read(), "2");

        auto close_later = [](MemoryListener& target) -> Task<void> {
            co_await sleep(1s);
            target.close();
        };
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(close_later, std::ref(listener));
            auto none = co_await listener.accept();
            EXPECT_EQ(none, nullptr);
        });
        auto none = co_await listener.accept();
        EXPECT_EQ(none, nullptr);
        EXPECT_THROW(listener.connect(), net::Error);
    };
    testing::run(body());
}

TEST(MemoryListener, RefusesBeyondItsBacklogAndResetsWhatIsLeft) {
    MemoryListener listener({}, 1);
    auto first = listener.connect();
    EXPECT_THROW(listener.connect(), net::Error);
    listener.close();
    std::string text;
    EXPECT_EQ(read_some(*first, text).error_code(), ECONNRESET);
}

TEST(MemoryListener, CancellingAcceptLosesNothing) {
    auto body = []() -> Task<void> {
        MemoryListener listener;
        EXPECT_FALSE(
            co_await move_on_after(1s, [&]() -> Task<void> { co_await listener.accept(); }));
        auto client = listener.connect();
        auto server = co_await listener.accept();
        EXPECT_NE(server, nullptr);
    };
    testing::run(body());
}

}  // namespace
}  // namespace coracle::testing
