// SPDX-License-Identifier: Apache-2.0
// Rows of exec: jobs on a pool's thread, queued and running.
#include "matrix.h"

#include <coracle/exec/run_in_executor.h>
#include <coracle/exec/thread_pool_executor.h>

#include <atomic>
#include <memory>
#include <thread>

namespace coracle::matrix {
namespace {

// What a job on a thread waits at.
class Gate {
  public:
    void pass() { open_.wait(false); }
    void open() {
        open_ = true;
        open_.notify_all();
    }

  private:
    std::atomic<bool> open_{false};
};

enum class Form { pool, pool_pointer, default_pool };

// A pool of one thread.
class OnePool : public Subject {
  public:
    explicit OnePool(Form form) : form_(form) {
        if (form_ == Form::default_pool) previous_ = set_default_executor(pool_);
    }
    ~OnePool() override {
        if (form_ == Form::default_pool) set_default_executor(std::move(previous_));
    }

    void complete() override { gate_.open(); }
    void release() override { gate_.open(); }
    void check(int returned) override {
        require(calls_ == returned, std::to_string(returned) +
                                        " calls returned, but the function "
                                        "ran " +
                                        std::to_string(calls_.load()) + " times");
        auto statistics = pool_->statistics();
        require(statistics.queued + statistics.waiting + statistics.running == 0,
                "a job is left in the pool");
    }

  protected:
    Task<void> offload(int wanted) {
        int result = 0;
        auto call = [this] { return work(); };
        switch (form_) {
        case Form::pool:
            result = co_await run_in_executor(*pool_, call);
            break;
        case Form::pool_pointer:
            result = co_await run_in_executor(pool_.get(), call);
            break;
        case Form::default_pool:
            result = co_await to_thread(call);
            break;
        }
        require(result == wanted, "another result came back");
    }
    virtual int work() = 0;

    std::shared_ptr<ThreadPoolExecutor> pool_ =
        std::make_shared<ThreadPoolExecutor>(ThreadPoolOptions{.max_workers = 1, .name = "matrix"});
    Gate gate_;
    std::atomic<int> calls_{0};

  private:
    Form form_;
    std::shared_ptr<ThreadPoolExecutor> previous_;
};

// Its job stands behind another: cancelled, it never runs.
class QueuedJob final : public OnePool {
  public:
    using OnePool::OnePool;
    Task<void> set_up(TaskGroup& helpers) override {
        helpers.create_task(&QueuedJob::occupy, this);
        co_await testing::wait_all_tasks_blocked();
    }
    Task<void> await() override { co_await offload(1); }

  private:
    Task<void> occupy() {
        co_await run_in_executor(*pool_, [this] { gate_.pass(); });
    }
    int work() override {
        ++calls_;
        return 1;
    }
};

// Its job runs: it is waited for, and its result is delivered.
class RunningJob final : public OnePool {
  public:
    using OnePool::OnePool;
    Task<void> await() override { co_await offload(2); }
    void wait_until_in_flight() override {
        while (begun_ == 0) std::this_thread::yield();
    }

  private:
    int work() override {
        ++begun_;
        gate_.pass();
        ++calls_;
        return 2;
    }
    std::atomic<int> begun_{0};
};

class Shutdown final : public OnePool {
  public:
    Shutdown() : OnePool(Form::pool) {}
    Task<void> set_up(TaskGroup& helpers) override {
        helpers.create_task(&Shutdown::occupy, this);
        co_await testing::wait_all_tasks_blocked();
    }
    Task<void> await() override { co_await pool_->shutdown(); }
    void check(int) override {
        require(pool_->statistics().completed == 1, "the job that ran was lost");
    }

  private:
    Task<void> occupy() { co_await offload(3); }
    int work() override {
        gate_.pass();
        return 3;
    }
};

}  // namespace

void add_exec_rows(Matrix& matrix) {
    const Traits queued = {.result_wins = false};
    const Traits running = {.withdraws = false};
    const char* const executor = "run_in_executor(pool, fn, args...)";
    matrix.add<QueuedJob>(executor, queued, {}, "queued", Form::pool);
    matrix.add<QueuedJob>(executor, queued, {}, "queued, by pointer", Form::pool_pointer);
    matrix.add<QueuedJob>("to_thread(fn, args...)", queued, {}, "queued", Form::default_pool);
    matrix.add<RunningJob>(executor, running, {}, "running", Form::pool);
    matrix.add<RunningJob>("to_thread(fn, args...)", running, {}, "running", Form::default_pool);
    matrix.add<Shutdown>("ThreadPoolExecutor::shutdown(options)", queued);
}

}  // namespace coracle::matrix
