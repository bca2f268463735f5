// SPDX-License-Identifier: Apache-2.0
// Stream: two-way bytes between this process and a peer, whatever carries them.
#pragma once

#include <coracle/base/bytes.h>
#include <coracle/core/readiness.h>
#include <coracle/core/task.h>
#include <coracle/net/io_result.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace coracle::net {

// Two layers in one class. Below, what a carrier implements (TCP, memory, later TLS): calls that
// never wait, and the readiness to wait on. Above, awaiting functions made of these, for users.
// Belongs to one loop; at most one task reads and one writes at a time.
//
//   while (true) {
//       Bytes bytes = co_await stream.read();
//       if (bytes.empty()) break;                       // the peer has ended
//       co_await stream.write_all(std::move(bytes));
//   }
class Stream {
  public:
    Stream() noexcept = default;
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    // Closes it. No task may be waiting on it.
    virtual ~Stream() = default;

    // What a carrier implements. After close() or abort() both calls give error EBADF.

    // Reads what is there, at most `into`, which is not empty. Clears the readable latch when
    // nothing is left to read now: after done() with latch still set, more may be there.
    virtual IoResult read_nowait(std::span<char> into) noexcept = 0;

    // Writes the pieces in order, as much as fits, in one call to the kernel. done() with fewer
    // bytes than given: keep the rest, and try again once writable (the latch has been cleared if
    // there is no more room). Nothing to write is done() with zero bytes. Never end().
    virtual IoResult write_nowait(std::span<const std::string_view> pieces) noexcept = 0;
    IoResult write_nowait(std::string_view bytes) noexcept {
        return write_nowait(std::span<const std::string_view>(&bytes, 1));
    }

    // Pieces that one write_nowait() takes; the rest is for the next call.
    static constexpr std::size_t pieces_max = 64;

    // Bytes that were written and that the peer has not acknowledged yet; 0 where the carrier
    // cannot tell.
    virtual std::size_t unacknowledged() const noexcept { return 0; }

    // Latches and waits for both directions; its interrupt() ends the waits of a connection whose
    // deadline passed.
    virtual Readiness& readiness() noexcept = 0;

    // No more bytes will be written; the peer reads the end after what was sent. Reading goes on.
    virtual void shutdown_write() noexcept = 0;

    // Ends both directions; bytes already written are still delivered. Waits in progress end, and
    // their owners then see EBADF. Harmless twice.
    virtual void close() noexcept = 0;
    // The same without delivering what is left: the peer sees a reset.
    virtual void abort() noexcept = 0;

    // "127.0.0.1:40312", "[::1]:40312", "memory". After close() the peer stays
    // known, the local end may be "unknown".
    virtual std::string local() const = 0;
    virtual std::string peer() const = 0;

    // What users call. All throw net::Error when the peer resets, the stream was closed here, or
    // readiness().interrupt() was called (ECANCELED).

    static constexpr std::size_t read_default = 64 * 1024;

    // The next bytes, as soon as there are any, at most `limit` (at least 1) and at most 64 KiB;
    // empty at the end, and ever after. Holds no buffer while it waits. Cancelling loses nothing.
    Task<Bytes> read(std::size_t limit = read_default);
    // The same into memory of the caller's; 0 at the end.
    Task<std::size_t> read_into(std::span<char> into);

    // Exactly `count` bytes. Throws IncompleteReadError when the stream ends before; it holds what
    // came. Cancelling drops the bytes read so far.
    Task<Bytes> read_exactly(std::size_t count);
    // Everything up to the end. Throws net::Error (EMSGSIZE) beyond `limit` bytes. Cancelling drops
    // the bytes read so far.
    Task<Bytes> read_to_end(std::size_t limit);

    // Writes all the bytes; returns when the carrier has taken the last. Cancelling may leave a
    // part of them sent, so the stream is then good for closing only.
    Task<void> write_all(Bytes bytes);

  private:
    Task<Bytes> do_read(std::size_t limit);
    Task<std::size_t> do_read_into(std::span<char> into);
    Task<Bytes> do_read_exactly(std::size_t count);
    Task<Bytes> do_read_to_end(std::size_t limit);
    Task<void> do_write_all(Bytes bytes);
};

}  // namespace coracle::net
