// SPDX-License-Identifier: Apache-2.0
#include <coracle/testing/memory_stream.h>

#include <coracle/base/assert.h>
#include <coracle/base/buffer.h>
#include <coracle/net/error.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace coracle::testing {

using net::IoResult;

// One direction. The ends take their pointers out when they leave.
struct MemoryStream::Pipe {
    Buffer bytes;
    std::size_t capacity = 0;
    MemoryStream* reader = nullptr;
    MemoryStream* writer = nullptr;
    bool ended = false;  // the writer has said its last byte
    bool reset = false;  // either end aborted

    std::size_t room() const noexcept { return capacity - bytes.size(); }
    void wake_reader() const noexcept {
        if (reader) reader->readiness_.set_readable();
    }
    void wake_writer() const noexcept {
        if (writer) writer->readiness_.set_writable();
    }
};

MemoryStream::MemoryStream(std::shared_ptr<Pipe> inbound, std::shared_ptr<Pipe> outbound,
                           const MemoryStreamOptions& options) noexcept
    : inbound_(std::move(inbound)),
      outbound_(std::move(outbound)),
      read_max_(options.read_max),
      write_max_(options.write_max) {
    inbound_->reader = this;
    outbound_->writer = this;
    readiness_.set_label("memory");
}

MemoryStream::~MemoryStream() { close(); }

std::pair<std::unique_ptr<MemoryStream>, std::unique_ptr<MemoryStream>> memory_stream_pair(
    MemoryStreamOptions options) {
    CORACLE_ASSERT(options.capacity > 0 && options.read_max > 0 && options.write_max > 0);
    auto there = std::make_shared<MemoryStream::Pipe>();
    auto back = std::make_shared<MemoryStream::Pipe>();
    there->capacity = back->capacity = options.capacity;
    std::unique_ptr<MemoryStream> first(new MemoryStream(back, there, options));
    std::unique_ptr<MemoryStream> second(new MemoryStream(there, back, options));
    return {std::move(first), std::move(second)};
}

IoResult MemoryStream::read_nowait(std::span<char> into) noexcept {
    CORACLE_ASSERT(!into.empty());
    if (!open_) return IoResult::failed(EBADF);
    if (reads_stalled_) {
        readiness_.clear_readable();
        return IoResult::blocked();
    }
    if (read_fault_.is_set() && read_fault_.bytes_left == 0) {
        return IoResult::failed(read_fault_.code);
    }
    Pipe& pipe = *inbound_;
    if (pipe.reset) return IoResult::failed(ECONNRESET);
    if (pipe.bytes.empty()) {
        if (pipe.ended) return IoResult::at_end();
        readiness_.clear_readable();
        return IoResult::blocked();
    }
    // The latch stays set: the next piece is there as soon as somebody has waited for it.
    if (std::exchange(at_split_, false)) return IoResult::blocked();

    std::size_t count = std::min({into.size(), read_max_, pipe.bytes.size()});
    if (read_fault_.is_set()) count = std::min(count, read_fault_.bytes_left);
    if (!splits_.empty()) count = std::min(count, splits_.front());
    std::memcpy(into.data(), pipe.bytes.data(), count);
    pipe.bytes.consume(count);
    pipe.wake_writer();
    if (read_fault_.is_set()) read_fault_.bytes_left -= count;
    if (!splits_.empty()) {
        splits_.front() -= count;
        if (splits_.front() == 0) {
            splits_.pop_front();
            at_split_ = true;
        }
    }
    bool fails_next = read_fault_.is_set() && read_fault_.bytes_left == 0;
    if (pipe.bytes.empty() && !pipe.ended && !fails_next) readiness_.clear_readable();
    return IoResult::of_bytes(count);
}

IoResult MemoryStream::write_nowait(std::span<const std::string_view> pieces) noexcept {
    if (!open_) return IoResult::failed(EBADF);
    Pipe& pipe = *outbound_;
    std::size_t asked = 0;
    for (std::string_view piece : pieces.first(std::min(pieces.size(), pieces_max))) {
        asked += piece.size();
    }
    if (asked == 0) return IoResult::of_bytes(0);
    if (writes_stalled_) {
        readiness_.clear_writable();
        return IoResult::blocked();
    }
    if (write_fault_.is_set() && write_fault_.bytes_left == 0) {
        return IoResult::failed(write_fault_.code);
    }
    if (pipe.reset) return IoResult::failed(ECONNRESET);
    if (!pipe.reader || pipe.ended) return IoResult::failed(EPIPE);
    if (pipe.room() == 0) {
        readiness_.clear_writable();
        return IoResult::blocked();
    }

    std::size_t count = std::min({asked, write_max_, pipe.room()});
    if (write_fault_.is_set()) count = std::min(count, write_fault_.bytes_left);
    std::size_t left = count;
    for (std::string_view piece : pieces) {
        std::string_view part = piece.substr(0, left);
        pipe.bytes.append(part);
        left -= part.size();
        if (left == 0) break;
    }
    if (write_fault_.is_set()) write_fault_.bytes_left -= count;
    if (count < asked && pipe.room() == 0) readiness_.clear_writable();
    pipe.wake_reader();
    return IoResult::of_bytes(count);
}

void MemoryStream::shutdown_write() noexcept {
    if (!open_) return;
    outbound_->ended = true;
    outbound_->wake_reader();
}

void MemoryStream::close() noexcept { leave(false); }

void MemoryStream::abort() noexcept { leave(true); }

void MemoryStream::leave(bool reset) noexcept {
    if (!std::exchange(open_, false)) return;
    outbound_->ended = true;
    if (reset) {
        outbound_->reset = inbound_->reset = true;
        outbound_->bytes.clear();
    }
    // What nobody will read is dropped, and the peer's writes fail from now on.
    inbound_->bytes.release();
    inbound_->reader = nullptr;
    outbound_->writer = nullptr;
    outbound_->wake_reader();
    inbound_->wake_writer();
    // Whoever waits here tries again and finds it closed.
    readiness_.set_readable();
    readiness_.set_writable();
}

void MemoryStream::split_reads(std::vector<std::size_t> sizes) {
    CORACLE_ASSERT(std::find(sizes.begin(), sizes.end(), 0u) == sizes.end());
    splits_.assign(sizes.begin(), sizes.end());
    at_split_ = false;
}

void MemoryStream::fail_reads_after(std::size_t bytes, int code) noexcept {
    CORACLE_ASSERT(code != 0);
    read_fault_ = {bytes, code};
    readiness_.set_readable();
}

void MemoryStream::fail_writes_after(std::size_t bytes, int code) noexcept {
    CORACLE_ASSERT(code != 0);
    write_fault_ = {bytes, code};
    readiness_.set_writable();
}

void MemoryStream::stall_reads(bool stalled) noexcept {
    reads_stalled_ = stalled;
    if (!stalled) readiness_.set_readable();
}

void MemoryStream::stall_writes(bool stalled) noexcept {
    writes_stalled_ = stalled;
    if (!stalled) readiness_.set_writable();
}

std::size_t MemoryStream::unread() const noexcept { return inbound_->bytes.size(); }

MemoryListener::~MemoryListener() { close(); }

std::unique_ptr<MemoryStream> MemoryListener::connect() {
    if (!open_ || waiting_.size() >= backlog_) throw net::Error("connect memory", ECONNREFUSED);
    auto [client, server] = memory_stream_pair(options_);
    waiting_.push_back(std::move(server));
    readiness_.set_readable();
    return std::move(client);
}

Task<std::unique_ptr<net::Stream>> MemoryListener::accept() { return do_accept(); }

Task<std::unique_ptr<net::Stream>> MemoryListener::do_accept() {
    for (;;) {
        co_await readiness_.wait_readable();
        if (!open_) co_return nullptr;
        if (!waiting_.empty()) {
            std::unique_ptr<net::Stream> stream = std::move(waiting_.front());
            waiting_.pop_front();
            co_return stream;
        }
        readiness_.clear_readable();
    }
}

void MemoryListener::close() noexcept {
    if (!std::exchange(open_, false)) return;
    for (auto& stream : waiting_) stream->abort();
    waiting_.clear();
    readiness_.set_readable();
}

}  // namespace coracle::testing
