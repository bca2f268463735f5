// SPDX-License-Identifier: Apache-2.0
// The state that a ThreadPoolExecutor shares with its threads and with the jobs given to it.
#pragma once

#include <coracle/base/clock.h>
#include <coracle/base/intrusive_list.h>
#include <coracle/exec/internal/pool_job.h>
#include <coracle/exec/thread_pool_executor.h>

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace coracle::internal {

// Thread-safe. One mutex guards everything, jobs' stages included; no function of a user and no
// stop callback is called under it.
//
// Jobs stand in line twice: `queued_` are taken in and bounded, `waiting_` are those whose callers
// wait for a place. Whoever makes room moves the oldest of the second line to the first, so a place
// passes from loop to loop without waking one for it.
class ThreadPool : public std::enable_shared_from_this<ThreadPool> {
  public:
    explicit ThreadPool(const ThreadPoolOptions& options);

    // Takes the job; it will be posted back once, unless withdrawn. False: refused, and job.error
    // says why.
    bool submit(PoolJob& job);

    // True: the job has left and will not run. False: it runs, and was asked to stop, or it ended.
    bool withdraw(PoolJob& job) noexcept;

    // No more jobs.
    void close(ShutdownOptions options);
    // False: every thread has left already. True: the awaiter is posted once they have.
    bool wait_for_end(PoolShutdown::Awaiter& awaiter) noexcept;
    // True: the awaiter has been taken off the list. False: it is being posted.
    bool withdraw(PoolShutdown::Awaiter& awaiter) noexcept;
    // After close(): blocks until every thread has left.
    void join();

    ThreadPoolStatistics statistics();
    Duration retry_after() const;
    // "pool images: queued".
    std::string describe(const PoolJob& job) const;

    const std::string name;
    const std::size_t max_workers;
    const std::size_t max_queue;

  private:
    void work();
    PoolJob* wait_for_job();
    PoolJob* take() noexcept;
    void finished(PoolJob& job) noexcept;
    void refill() noexcept;
    void drop(PoolJob& job) noexcept;
    bool has_place() const noexcept;
    bool start_worker() noexcept;
    void last_worker_left() noexcept;
    Duration drain_time() const noexcept;
    void refuse_full(PoolJob& job);

    const QueuePolicy on_full_;

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    IntrusiveList<PoolJob> queued_;
    IntrusiveList<PoolJob> waiting_;
    IntrusiveList<PoolJob> running_;
    IntrusiveList<PoolShutdown::Awaiter> shutdowns_;
    std::vector<std::thread> threads_;
    std::size_t asleep_ = 0;  // threads in wake_
    bool closed_ = false;
    ThreadPoolStatistics counts_;  // oldest_wait apart
    Duration run_mean_{};          // of late, over completed jobs
};

}  // namespace coracle::internal
