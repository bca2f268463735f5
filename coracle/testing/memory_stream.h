// SPDX-License-Identifier: Apache-2.0
// Streams and listeners in memory, with chosen chunking and faults.
#pragma once

#include <coracle/core/readiness.h>
#include <coracle/core/task.h>
#include <coracle/net/listener.h>
#include <coracle/net/stream.h>

#include <cstddef>
#include <deque>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace coracle::testing {

struct MemoryStreamOptions {
    // Bytes that each direction holds before its writer has to wait; at least 1.
    std::size_t capacity = 64 * 1024;
    // Most bytes that one read, one write takes. 1 feeds a parser byte by byte.
    std::size_t read_max = std::numeric_limits<std::size_t>::max();
    std::size_t write_max = std::numeric_limits<std::size_t>::max();
};
static_assert(std::is_trivially_copyable_v<MemoryStreamOptions>);

// One end of a pair. Behaves as a TcpStream does, and misbehaves as told: the settings below affect
// this end's own calls only, so set them on the end that the code under test gets, before or while
// it runs. Both ends belong to one loop; either may be destroyed first.
class MemoryStream final : public net::Stream {
  public:
    ~MemoryStream() override;

    using Stream::write_nowait;
    net::IoResult read_nowait(std::span<char> into) noexcept override;
    net::IoResult write_nowait(std::span<const std::string_view> pieces) noexcept override;
    Readiness& readiness() noexcept override { return readiness_; }
    void shutdown_write() noexcept override;
    void close() noexcept override;
    // The peer's next read or write fails with ECONNRESET; bytes on their way are lost.
    void abort() noexcept override;
    std::string local() const override { return "memory"; }
    std::string peer() const override { return "memory"; }

    // Chunking: reads (writes) take at most so many bytes each.
    void set_read_max(std::size_t bytes) noexcept { read_max_ = bytes; }
    void set_write_max(std::size_t bytes) noexcept { write_max_ = bytes; }
    // Splits what comes at chosen places: the next reads give at most these many bytes, one after
    // the other, and would_block once between two of them, as if the pieces had come apart. {3, 5}
    // makes pieces of 3, 5 and the rest.
    void split_reads(std::vector<std::size_t> sizes);

    // Faults. After `bytes` more bytes, reads (writes) fail with `code`, for ever.
    void fail_reads_after(std::size_t bytes, int code) noexcept;
    void fail_writes_after(std::size_t bytes, int code) noexcept;
    // The line goes dead: reads (writes) would block, whatever is there, until it recovers.
    void stall_reads(bool stalled = true) noexcept;
    void stall_writes(bool stalled = true) noexcept;

    bool is_open() const noexcept { return open_; }
    // Bytes that the peer has written and this end has not read yet.
    std::size_t unread() const noexcept;

  private:
    struct Pipe;
    struct Fault {
        std::size_t bytes_left = std::numeric_limits<std::size_t>::max();
        int code = 0;
        bool is_set() const noexcept { return code != 0; }
    };
    friend std::pair<std::unique_ptr<MemoryStream>, std::unique_ptr<MemoryStream>>
    memory_stream_pair(MemoryStreamOptions options);

    MemoryStream(std::shared_ptr<Pipe> inbound, std::shared_ptr<Pipe> outbound,
                 const MemoryStreamOptions& options) noexcept;
    void leave(bool reset) noexcept;

    std::shared_ptr<Pipe> inbound_;
    std::shared_ptr<Pipe> outbound_;
    Readiness readiness_;
    std::size_t read_max_;
    std::size_t write_max_;
    std::deque<std::size_t> splits_;
    Fault read_fault_;
    Fault write_fault_;
    bool at_split_ = false;
    bool reads_stalled_ = false;
    bool writes_stalled_ = false;
    bool open_ = true;
};

// Two connected ends.
//
//   auto [client, server] = memory_stream_pair({.read_max = 1});
std::pair<std::unique_ptr<MemoryStream>, std::unique_ptr<MemoryStream>> memory_stream_pair(
    MemoryStreamOptions options = {});

// A listener whose peers are in the same test.
//
//   MemoryListener listener;
//   auto client = listener.connect();
//   auto server = co_await listener.accept();
class MemoryListener final : public net::Listener {
  public:
    // Holds at most `backlog` connections that were not accepted yet.
    explicit MemoryListener(MemoryStreamOptions options = {}, std::size_t backlog = 1024) noexcept
        : options_(options), backlog_(backlog) {}
    ~MemoryListener() override;

    // The client's end of a new connection. Throws net::Error (ECONNREFUSED) when the listener is
    // closed or its backlog full.
    std::unique_ptr<MemoryStream> connect();

    Task<std::unique_ptr<net::Stream>> accept() override;
    std::string address() const override { return "memory"; }
    void close() noexcept override;

  private:
    Task<std::unique_ptr<net::Stream>> do_accept();

    MemoryStreamOptions options_;
    std::size_t backlog_;
    std::deque<std::unique_ptr<MemoryStream>> waiting_;
    Readiness readiness_;
    bool open_ = true;
};

}  // namespace coracle::testing
