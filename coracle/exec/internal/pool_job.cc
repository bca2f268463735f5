// SPDX-License-Identifier: Apache-2.0
#include <coracle/exec/internal/pool_job.h>

#include <coracle/base/assert.h>
#include <coracle/core/loop.h>
#include <coracle/exec/internal/thread_pool.h>

namespace coracle::internal {

PoolJob::~PoolJob() = default;

void PoolJob::run_on_worker() noexcept {
    try {
        context.run([this] { call(); });
    } catch (...) {  // tidy: kept, and thrown by take() on the loop
        error = std::current_exception();
    }
    drop_call();
    context = Context();
}

JobWait::JobWait(std::shared_ptr<ThreadPool> pool, std::unique_ptr<PoolJob> job) noexcept
    : pool_(std::move(pool)), job_(std::move(job)) {}

JobWait::~JobWait() {
    // A frame is destroyed while it waits only with its loop; a thread still inside would write to
    // it.
    if (is_waiting()) CORACLE_ASSERT(pool_->withdraw(*job_));
}

bool JobWait::begin() {
    job_->loop = &task()->loop;
    job_->done = this;
    job_->context = copy_context();
    if (!pool_->submit(*job_)) return ready();
    task()->loop.external_begin();
    return wait();
}

bool JobWait::withdraw() noexcept {
    if (!pool_->withdraw(*job_)) return false;
    task()->loop.external_end();
    return true;
}

void JobWait::run() {
    task()->loop.external_end();
    complete();
}

std::string JobWait::describe() const { return pool_->describe(*job_); }

}  // namespace coracle::internal
