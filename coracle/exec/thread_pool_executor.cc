// SPDX-License-Identifier: Apache-2.0
#include <coracle/exec/thread_pool_executor.h>

#include <coracle/base/assert.h>
#include <coracle/core/loop.h>
#include <coracle/exec/internal/thread_pool.h>

#include <utility>
#include <vector>

namespace coracle {
namespace {

double seconds(Duration span) { return std::chrono::duration<double>(span).count(); }

std::vector<Statistic> numbers(internal::ThreadPool& pool) {
    ThreadPoolStatistics now = pool.statistics();
    return {
        {"workers", static_cast<double>(now.workers)},
        {"running", static_cast<double>(now.running)},
        {"queued", static_cast<double>(now.queued)},
        {"waiting", static_cast<double>(now.waiting)},
        {"submitted", static_cast<double>(now.submitted)},
        {"completed", static_cast<double>(now.completed)},
        {"rejected", static_cast<double>(now.rejected)},
        {"cancelled", static_cast<double>(now.cancelled)},
        {"oldest_wait_seconds", seconds(now.oldest_wait)},
        {"wait_seconds", seconds(now.wait_time)},
        {"run_seconds", seconds(now.run_time)},
        {"max_workers", static_cast<double>(pool.max_workers)},
        {"max_queue", static_cast<double>(pool.max_queue)},
    };
}

}  // namespace

ThreadPoolExecutor::ThreadPoolExecutor(ThreadPoolOptions options)
    : pool_(std::make_shared<internal::ThreadPool>(options)),
      registration_(
          register_source("pool " + pool_->name, [pool = pool_] { return numbers(*pool); })) {}

ThreadPoolExecutor::~ThreadPoolExecutor() {
    pool_->close({.cancel_pending = true});
    pool_->join();
}

PoolShutdown ThreadPoolExecutor::shutdown(ShutdownOptions options) noexcept {
    return PoolShutdown(pool_, options);
}

ThreadPoolStatistics ThreadPoolExecutor::statistics() const { return pool_->statistics(); }

Duration ThreadPoolExecutor::retry_after() const { return pool_->retry_after(); }

const std::string& ThreadPoolExecutor::name() const noexcept { return pool_->name; }

std::size_t ThreadPoolExecutor::max_workers() const noexcept { return pool_->max_workers; }

std::size_t ThreadPoolExecutor::max_queue() const noexcept { return pool_->max_queue; }

PoolShutdown::PoolShutdown(std::shared_ptr<internal::ThreadPool> pool,
                           ShutdownOptions options) noexcept
    : pool_(std::move(pool)), options_(options) {}

PoolShutdown::Awaiter::Awaiter(std::shared_ptr<internal::ThreadPool> pool,
                               ShutdownOptions options) noexcept
    : pool_(std::move(pool)), options_(options) {}

PoolShutdown::Awaiter::~Awaiter() {
    if (is_waiting()) CORACLE_ASSERT(withdraw());
}

bool PoolShutdown::Awaiter::begin() {
    pool_->close(options_);
    if (!pool_->wait_for_end(*this)) return ready();
    task()->loop.external_begin();
    return wait();
}

bool PoolShutdown::Awaiter::withdraw() noexcept {
    if (!pool_->withdraw(*this)) return false;
    task()->loop.external_end();
    return true;
}

void PoolShutdown::Awaiter::run() {
    task()->loop.external_end();
    complete();
}

std::string PoolShutdown::Awaiter::describe() const {
    return "pool " + pool_->name + ": the end of its jobs";
}

}  // namespace coracle
