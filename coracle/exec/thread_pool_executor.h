// SPDX-License-Identifier: Apache-2.0
// ThreadPoolExecutor: a bounded number of threads for work that would block the loop.
#pragma once

#include <coracle/base/clock.h>
#include <coracle/base/intrusive_list.h>
#include <coracle/core/park.h>
#include <coracle/core/registry.h>
#include <coracle/exec/executor_error.h>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

namespace coracle {

namespace internal {
class ThreadPool;
}

// What happens to a job that finds every worker busy and the queue full.
enum class QueuePolicy : std::uint8_t {
    wait,    // its caller waits for a place, first come first served, under the caller's deadline
    reject,  // its caller gets QueueFull at once
};

struct ThreadPoolOptions {
    // Threads at most; zero means min(32, processors + 4). Each starts when a job first needs it,
    // and stays: a new one starts only when no worker is idle.
    std::size_t max_workers = 0;
    // Jobs that have been taken in and wait for a worker, at most. Zero: a job is taken in only if
    // a worker is free for it.
    std::size_t max_queue = 1024;
    QueuePolicy on_full = QueuePolicy::wait;
    // Shown in messages, statistics ("pool NAME") and, cut to 15 bytes, as the threads' name.
    // Copied. Empty means "pool-1", "pool-2", ...
    std::string_view name = {};
};
static_assert(std::is_trivially_copyable_v<ThreadPoolOptions>);

struct ShutdownOptions {
    // false: what is queued, or waits for a place, still runs. true: it fails with
    // ExecutorShutdown, and running functions that take a std::stop_token are asked to stop.
    bool cancel_pending = false;
};
static_assert(std::is_trivially_copyable_v<ShutdownOptions>);

// A moment's view of a pool. Counts are since it was made; every accepted job ends in exactly one
// of completed and cancelled.
struct ThreadPoolStatistics {
    std::size_t workers = 0;      // threads started
    std::size_t running = 0;      // jobs that a worker runs now
    std::size_t queued = 0;       // jobs taken in that no worker has begun
    std::size_t waiting = 0;      // jobs whose callers wait for a place
    std::uint64_t submitted = 0;  // jobs accepted: begun, queued or waiting at first
    std::uint64_t completed = 0;  // functions that returned or threw
    std::uint64_t rejected = 0;   // jobs refused with QueueFull
    std::uint64_t cancelled =
        0;                   // jobs that left, or were dropped by a shutdown, before they began
    Duration oldest_wait{};  // how long the oldest job not begun has been here
    Duration wait_time{};    // sum over begun jobs: from submission to a worker
    Duration run_time{};     // sum over completed jobs: inside the function
};

// Waits for a pool to end; see ThreadPoolExecutor::shutdown().
class [[nodiscard]] PoolShutdown {
  public:
    PoolShutdown(std::shared_ptr<internal::ThreadPool> pool, ShutdownOptions options) noexcept;

    class Awaiter;
    Awaiter operator co_await() && noexcept;

  private:
    std::shared_ptr<internal::ThreadPool> pool_;
    ShutdownOptions options_;
};

// A pool of threads with a bounded queue, for functions that block or compute:
//
//   ThreadPoolExecutor pool({.max_workers = 3, .max_queue = 64});
//   auto thumbnail = co_await run_in_executor(pool, shrink, std::move(image), 128);
//
// Bounded: at most max_workers functions run and at most max_queue jobs are queued, over all
// callers together. Beyond that `on_full` decides. Jobs begin in the order in which they were
// accepted.
//
// Any number of loops may use one pool at once; its members may be called from any thread.
//
// Cancelling the caller: a job that has not begun never runs; one that runs is waited for, and is
// asked to stop if it takes a std::stop_token (see run_in_executor.h).
class ThreadPoolExecutor {
  public:
    explicit ThreadPoolExecutor(ThreadPoolOptions options = {});
    ThreadPoolExecutor(const ThreadPoolExecutor&) = delete;
    ThreadPoolExecutor& operator=(const ThreadPoolExecutor&) = delete;
    // Shuts down with cancel_pending, and blocks until the running functions have returned: await
    // shutdown() first where a loop must stay free.
    ~ThreadPoolExecutor();

    // Refuses new jobs with ExecutorShutdown from the moment it is awaited, and returns when every
    // job has ended. Cancelling the wait leaves the pool shut down. May be awaited several times.
    //
    //   co_await pool.shutdown();
    //   co_await wait_for(pool.shutdown({.cancel_pending = true}), 5s);
    PoolShutdown shutdown(ShutdownOptions options = {}) noexcept;

    ThreadPoolStatistics statistics() const;

    // How long a job refused now should stay away; see QueueFull::retry_after().
    Duration retry_after() const;

    const std::string& name() const noexcept;
    std::size_t max_workers() const noexcept;
    std::size_t max_queue() const noexcept;

    // For the library.
    const std::shared_ptr<internal::ThreadPool>& internal_pool() const noexcept { return pool_; }

  private:
    std::shared_ptr<internal::ThreadPool> pool_;  // jobs and threads keep it beyond our end
    SourceRegistration registration_;
};

// The pool of to_thread() and of run_in_executor(nullptr, ...): named "default" and made with
// default options when first needed, unless one was set. One per process; for all loops.
std::shared_ptr<ThreadPoolExecutor> default_executor();

// Replaces it and returns the one before, which may be null. Jobs already given to that one stay
// there. Null: the next use makes a new one.
//
//   set_default_executor(std::make_shared<ThreadPoolExecutor>(ThreadPoolOptions{.max_workers =
//   8}));
std::shared_ptr<ThreadPoolExecutor> set_default_executor(std::shared_ptr<ThreadPoolExecutor> pool);

// Implementation

class PoolShutdown::Awaiter final : public Park, private internal::Runnable, public ListLink<> {
  public:
    Awaiter(std::shared_ptr<internal::ThreadPool> pool, ShutdownOptions options) noexcept;
    ~Awaiter();

    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> frame) {
        return checkpoint(frame) && begin();
    }
    void await_resume() const { finish(); }

    bool withdraw() noexcept override;
    std::string describe() const override;

  private:
    friend class internal::ThreadPool;
    bool begin();
    void run() override;

    std::shared_ptr<internal::ThreadPool> pool_;
    ShutdownOptions options_;
};

inline PoolShutdown::Awaiter PoolShutdown::operator co_await() && noexcept {
    return Awaiter(std::move(pool_), options_);
}

}  // namespace coracle
