// SPDX-License-Identifier: Apache-2.0
// What the connections of one loop share: options, the Date of this second, and the memory that
// busy ones borrow.
#pragma once

#include <coracle/base/clock.h>
#include <coracle/core/loop.h>
#include <coracle/http/h1/standing_fields.h>
#include <coracle/wire/exchange.h>
#include <coracle/wire/server_options.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace coracle::wire {

// Counts over all loops that share it; read from any thread.
struct ServerCounters {
    std::atomic<std::uint64_t> connections_accepted{0};
    std::atomic<std::uint64_t> connections_refused{0};  // over connections_max
    std::atomic<std::int64_t> connections_open{0};
    std::atomic<std::uint64_t> requests{0};
};

namespace internal {
class H1Exchange;
}

// One per server and loop; outlives its connections.
class ServerLoop {
  public:
    ServerLoop(EventLoop& loop, const ServerOptions& options, ServerCounters& counters);
    ServerLoop(const ServerLoop&) = delete;
    ServerLoop& operator=(const ServerLoop&) = delete;
    ~ServerLoop();

    EventLoop& loop() noexcept { return loop_; }
    const ServerOptions& options() const noexcept { return options_; }
    ServerCounters& counters() noexcept { return counters_; }

    // The Server and Date lines, at most a tenth of a second old.
    const http::h1::StandingFields& standing_fields() {
        if (loop_.turn_time() >= date_due_) refresh_date();
        return standing_;
    }

    // Numbers requests over the whole process; taken from a shared counter a block at a time.
    std::uint64_t next_request_id() noexcept {
        if (next_id_ == last_id_) take_ids();
        return ++next_id_;
    }

    // Buffers, parser and request state for a connection that has something to do. An idle
    // connection holds none.
    internal::H1Exchange& borrow();
    void give_back(internal::H1Exchange& exchange) noexcept;

  private:
    void refresh_date();
    void take_ids() noexcept;

    EventLoop& loop_;
    const ServerOptions options_;
    ServerCounters& counters_;
    http::h1::StandingFields standing_;
    TimePoint date_due_ = TimePoint::min();
    std::uint64_t next_id_ = 0;
    std::uint64_t last_id_ = 0;
    internal::H1Exchange* free_ = nullptr;  // owned, as are those behind it
    std::size_t free_count_ = 0;
};

}  // namespace coracle::wire
