// SPDX-License-Identifier: Apache-2.0
#include <coracle/wire/server_loop.h>

#include <coracle/wire/internal/h1_exchange.h>

#include <utility>

namespace coracle::wire {
namespace {

// Exchanges kept for reuse: as many connections as are usually busy in one turn.
constexpr std::size_t free_max = 256;
constexpr std::uint64_t ids_per_block = 1024;

std::atomic<std::uint64_t> ids_taken{0};

}  // namespace

ServerLoop::ServerLoop(EventLoop& loop, const ServerOptions& options, ServerCounters& counters)
    : loop_(loop), options_(options), counters_(counters), standing_(options.server_name) {}

ServerLoop::~ServerLoop() {
    while (free_) delete std::exchange(free_, free_->next_free);
}

void ServerLoop::refresh_date() {
    date_due_ = saturating_add(loop_.turn_time(), 100ms);
    standing_.set_time(std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()));
}

void ServerLoop::take_ids() noexcept {
    next_id_ = ids_taken.fetch_add(ids_per_block, std::memory_order_relaxed);
    last_id_ = next_id_ + ids_per_block;
}

internal::H1Exchange& ServerLoop::borrow() {
    if (!free_) return *new internal::H1Exchange(*this);
    --free_count_;
    return *std::exchange(free_, free_->next_free);
}

void ServerLoop::give_back(internal::H1Exchange& exchange) noexcept {
    if (free_count_ >= free_max) {
        delete &exchange;
        return;
    }
    ++free_count_;
    exchange.next_free = std::exchange(free_, &exchange);
}

}  // namespace coracle::wire
