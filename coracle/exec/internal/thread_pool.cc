// SPDX-License-Identifier: Apache-2.0
#include <coracle/exec/internal/thread_pool.h>

#include <coracle/core/loop.h>

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <exception>
#include <system_error>
#include <utility>

namespace coracle::internal {
namespace {

constexpr std::size_t default_workers_max = 32;
constexpr std::size_t thread_name_max = 15;  // of Linux
constexpr Duration retry_unknown = 1s;
constexpr Duration retry_min = 1ms;
constexpr Duration retry_max = 1h;

TimePoint now() noexcept { return TimePoint(std::chrono::steady_clock::now()); }

std::size_t default_workers() noexcept {
    return std::min<std::size_t>(default_workers_max, std::thread::hardware_concurrency() + 4);
}

std::string name_or_number(std::string_view name) {
    static std::atomic<int> pools{0};
    if (!name.empty()) return std::string(name);
    return "pool-" + std::to_string(++pools);
}

}  // namespace

ThreadPool::ThreadPool(const ThreadPoolOptions& options)
    : name(name_or_number(options.name)),
      max_workers(options.max_workers ? options.max_workers : default_workers()),
      max_queue(options.max_queue),
      on_full_(options.on_full) {}

bool ThreadPool::submit(PoolJob& job) {
    bool wake = false;
    {
        std::lock_guard lock(mutex_);
        if (closed_) {
            job.error = std::make_exception_ptr(
                ExecutorShutdown("pool " + name + " is shut down and takes no more jobs"));
            return false;
        }
        bool placed = has_place();
        if (!placed && on_full_ == QueuePolicy::reject) {
            refuse_full(job);
            return false;
        }
        job.since = now();
        ++counts_.submitted;
        if (placed) {
            job.stage = PoolJob::Stage::queued;
            queued_.push_back(job);
            ++counts_.queued;
        } else {
            job.stage = PoolJob::Stage::waiting;
            waiting_.push_back(job);
            ++counts_.waiting;
        }
        std::size_t idle = counts_.workers - counts_.running;
        bool started = counts_.queued > idle && counts_.workers < max_workers && start_worker();
        if (counts_.workers == 0) {
            drop(job);
            --counts_.submitted;
            --counts_.cancelled;
            job.error =
                std::make_exception_ptr(SystemError("start a thread of pool " + name, EAGAIN));
            return false;
        }
        wake = !started && asleep_ > 0;
    }
    if (wake) wake_.notify_one();
    return true;
}

// Running jobs have their places with the workers, whether or not a thread has picked them up yet.
bool ThreadPool::has_place() const noexcept {
    std::size_t taken = counts_.running + counts_.queued;
    return taken < max_workers || taken - max_workers < max_queue;
}

void ThreadPool::refuse_full(PoolJob& job) {
    ++counts_.rejected;
    std::size_t queued = counts_.running + counts_.queued - max_workers;
    std::string message = "pool " + name + " is full: " + std::to_string(max_workers) +
                          (max_workers == 1 ? " worker is" : " workers are") + " busy and " +
                          std::to_string(queued) + (queued == 1 ? " job is" : " jobs are") +
                          " queued (max_queue " + std::to_string(max_queue) + ")";
    job.error = std::make_exception_ptr(QueueFull(message, drain_time()));
}

bool ThreadPool::start_worker() noexcept {
    try {
        threads_.emplace_back([self = shared_from_this()] { self->work(); });
    } catch (const std::exception&) {
        return false;  // fewer threads than wished for; those there are serve the queue
    }
    ++counts_.workers;
    return true;
}

void ThreadPool::work() {
    pthread_setname_np(pthread_self(), name.substr(0, thread_name_max).c_str());
    PoolJob* job = nullptr;
    while (job || (job = wait_for_job())) {
        job->run_on_worker();
        EventLoop& loop = *job->loop;
        Runnable& done = *job->done;
        {
            std::lock_guard lock(mutex_);
            finished(*job);
            job = take();
        }
        // Counted as ended before its caller knows, so the caller finds the place free. From here
        // on the job is the caller's.
        loop.internal_post(done);
    }
}

// Null when the pool is closed and nothing is left to do: the thread is to leave.
PoolJob* ThreadPool::wait_for_job() {
    std::unique_lock lock(mutex_);
    for (;;) {
        if (PoolJob* job = take()) return job;
        if (closed_) break;
        ++asleep_;
        wake_.wait(lock);
        --asleep_;
    }
    if (--counts_.workers == 0) last_worker_left();
    return nullptr;
}

PoolJob* ThreadPool::take() noexcept {
    PoolJob* job = queued_.pop_front();
    if (!job) return nullptr;
    --counts_.queued;
    ++counts_.running;
    running_.push_back(*job);
    job->stage = PoolJob::Stage::running;
    TimePoint began = now();
    counts_.wait_time += began - job->since;
    job->since = began;
    return job;
}

void ThreadPool::finished(PoolJob& job) noexcept {
    job.unlink();
    job.stage = PoolJob::Stage::ended;
    --counts_.running;
    Duration took = now() - job.since;
    run_mean_ = counts_.completed == 0 ? took : run_mean_ + (took - run_mean_) / 8;
    ++counts_.completed;
    counts_.run_time += took;
    refill();
}

// Gives free places to those who wait for one, oldest first.
void ThreadPool::refill() noexcept {
    while (has_place()) {
        PoolJob* job = waiting_.pop_front();
        if (!job) return;
        --counts_.waiting;
        ++counts_.queued;
        job->stage = PoolJob::Stage::queued;
        queued_.push_back(*job);
    }
}

// Takes a job that has not begun out of its line.
void ThreadPool::drop(PoolJob& job) noexcept {
    job.unlink();
    --(job.stage == PoolJob::Stage::queued ? counts_.queued : counts_.waiting);
    ++counts_.cancelled;
    job.stage = PoolJob::Stage::ended;
}

bool ThreadPool::withdraw(PoolJob& job) noexcept {
    std::stop_source stop{std::nostopstate};
    {
        std::lock_guard lock(mutex_);
        if (job.stage == PoolJob::Stage::queued || job.stage == PoolJob::Stage::waiting) {
            drop(job);
            refill();
            return true;
        }
        if (job.stage == PoolJob::Stage::running) stop = job.stop;
    }
    stop.request_stop();
    return false;
}

void ThreadPool::close(ShutdownOptions options) {
    std::vector<std::stop_source> stops;
    {
        std::lock_guard lock(mutex_);
        closed_ = true;
        if (options.cancel_pending) {
            for (IntrusiveList<PoolJob>* line : {&queued_, &waiting_}) {
                while (!line->empty()) {
                    PoolJob& job = line->front();
                    drop(job);
                    job.error = std::make_exception_ptr(ExecutorShutdown(
                        "pool " + name + " was shut down before the job's turn came"));
                    job.loop->internal_post(*job.done);
                }
            }
            for (PoolJob& job : running_) {
                if (job.stop.stop_possible()) stops.push_back(job.stop);
            }
        }
    }
    wake_.notify_all();
    for (std::stop_source& stop : stops) stop.request_stop();
}

bool ThreadPool::wait_for_end(PoolShutdown::Awaiter& awaiter) noexcept {
    std::lock_guard lock(mutex_);
    if (counts_.workers == 0) return false;
    shutdowns_.push_back(awaiter);
    return true;
}

bool ThreadPool::withdraw(PoolShutdown::Awaiter& awaiter) noexcept {
    std::lock_guard lock(mutex_);
    if (!awaiter.is_linked()) return false;
    awaiter.unlink();
    return true;
}

void ThreadPool::last_worker_left() noexcept {
    while (PoolShutdown::Awaiter* awaiter = shutdowns_.pop_front()) {
        awaiter->task()->loop.internal_post(*awaiter);
    }
}

void ThreadPool::join() {
    std::vector<std::thread> threads;
    {
        std::lock_guard lock(mutex_);
        threads.swap(threads_);
    }
    for (std::thread& thread : threads) {
        // A job that owns the pool's last reference ends it from inside.
        if (thread.get_id() == std::this_thread::get_id()) {
            thread.detach();
        } else {
            thread.join();
        }
    }
}

ThreadPoolStatistics ThreadPool::statistics() {
    std::lock_guard lock(mutex_);
    ThreadPoolStatistics statistics = counts_;
    for (IntrusiveList<PoolJob>* line : {&queued_, &waiting_}) {
        if (line->empty()) continue;
        statistics.oldest_wait = now() - line->front().since;
        break;
    }
    return statistics;
}

Duration ThreadPool::retry_after() const {
    std::lock_guard lock(mutex_);
    return drain_time();
}

Duration ThreadPool::drain_time() const noexcept {
    if (counts_.completed == 0) return retry_unknown;
    std::size_t ahead = std::max<std::size_t>(counts_.queued + counts_.waiting, 1);
    std::size_t workers = std::max<std::size_t>(counts_.workers, 1);
    // In floating point: a long queue of long jobs overflows nanoseconds.
    double each = static_cast<double>(run_mean_.count()) / static_cast<double>(workers);
    double total = std::min(each * static_cast<double>(ahead),
                            static_cast<double>(Duration(retry_max).count()));
    return std::max(Duration(static_cast<Duration::rep>(total)), retry_min);
}

std::string ThreadPool::describe(const PoolJob& job) const {
    std::lock_guard lock(mutex_);
    switch (job.stage) {
    case PoolJob::Stage::waiting:
        return "pool " + name + ": a place in the queue";
    case PoolJob::Stage::queued:
        return "pool " + name + ": queued";
    case PoolJob::Stage::running:
        return "pool " + name + ": running";
    case PoolJob::Stage::created:
    case PoolJob::Stage::ended:
        break;
    }
    return "pool " + name + ": ended";
}

}  // namespace coracle::internal
