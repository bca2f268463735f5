// SPDX-License-Identifier: Apache-2.0
#include <coracle/net/stream.h>

#include <coracle/base/assert.h>
#include <coracle/net/error.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>

namespace coracle::net {
namespace {

// One buffer for all streams of a thread, so that an idle one holds none. Never used across a
// suspension.
std::span<char> scratch() {
    thread_local const std::unique_ptr<char[]> memory(new char[Stream::read_default]);
    return {memory.get(), Stream::read_default};
}

[[noreturn]] void throw_read_error(const Stream& stream, int code) {
    throw Error("read from " + stream.peer(), code);
}

[[noreturn]] void throw_write_error(const Stream& stream, int code) {
    throw Error("write to " + stream.peer(), code);
}

}  // namespace

Task<Bytes> Stream::read(std::size_t limit) {
    CORACLE_ASSERT(limit > 0);
    return do_read(std::min(limit, read_default));
}

Task<std::size_t> Stream::read_into(std::span<char> into) {
    CORACLE_ASSERT(!into.empty());
    return do_read_into(into);
}

Task<Bytes> Stream::read_exactly(std::size_t count) { return do_read_exactly(count); }

Task<Bytes> Stream::read_to_end(std::size_t limit) { return do_read_to_end(limit); }

Task<void> Stream::write_all(Bytes bytes) { return do_write_all(std::move(bytes)); }

Task<Bytes> Stream::do_read(std::size_t limit) {
    for (;;) {
        if (!co_await readiness().wait_readable()) throw_read_error(*this, ECANCELED);
        std::span<char> buffer = scratch().first(limit);
        IoResult result = read_nowait(buffer);
        if (result.error()) throw_read_error(*this, result.error_code());
        if (!result.would_block()) co_return Bytes(buffer.data(), result.bytes());
    }
}

Task<std::size_t> Stream::do_read_into(std::span<char> into) {
    for (;;) {
        if (!co_await readiness().wait_readable()) throw_read_error(*this, ECANCELED);
        IoResult result = read_nowait(into);
        if (result.error()) throw_read_error(*this, result.error_code());
        if (!result.would_block()) co_return result.bytes();
    }
}

Task<Bytes> Stream::do_read_exactly(std::size_t count) {
    Bytes bytes;
    while (bytes.size() < count) {
        Bytes more = co_await do_read(std::min(count - bytes.size(), read_default));
        if (more.empty()) throw IncompleteReadError(peer(), std::move(bytes), count);
        bytes += more;
    }
    co_return bytes;
}

Task<Bytes> Stream::do_read_to_end(std::size_t limit) {
    Bytes bytes;
    for (;;) {
        Bytes more = co_await do_read(read_default);
        if (more.empty()) co_return bytes;
        if (more.size() > limit - bytes.size()) {
            throw Error("read at most " + std::to_string(limit) + " bytes from " + peer(),
                        EMSGSIZE);
        }
        bytes += more;
    }
}

Task<void> Stream::do_write_all(Bytes bytes) {
    std::string_view rest = bytes;
    do {
        if (!co_await readiness().wait_writable()) throw_write_error(*this, ECANCELED);
        IoResult result = write_nowait(rest);
        if (result.error()) throw_write_error(*this, result.error_code());
        rest.remove_prefix(result.bytes());
    } while (!rest.empty());
}

}  // namespace coracle::net
