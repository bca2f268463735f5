// SPDX-License-Identifier: Apache-2.0
#include <coracle/exec/run_in_executor.h>

#include <mutex>
#include <utility>

namespace coracle {
namespace {

struct DefaultExecutor {
    std::mutex mutex;
    std::shared_ptr<ThreadPoolExecutor> pool;
};

// Never destroyed: exit() must not wait for a function that blocks.
DefaultExecutor& holder() {
    static DefaultExecutor* instance = new DefaultExecutor;
    return *instance;
}

}  // namespace

std::shared_ptr<ThreadPoolExecutor> default_executor() {
    std::lock_guard lock(holder().mutex);
    if (!holder().pool) {
        holder().pool = std::make_shared<ThreadPoolExecutor>(ThreadPoolOptions{.name = "default"});
    }
    return holder().pool;
}

std::shared_ptr<ThreadPoolExecutor> set_default_executor(std::shared_ptr<ThreadPoolExecutor> pool) {
    std::lock_guard lock(holder().mutex);
    return std::exchange(holder().pool, std::move(pool));
}

namespace internal {

std::shared_ptr<ThreadPool> pool_of(ThreadPoolExecutor* pool) {
    return pool ? pool->internal_pool() : default_executor()->internal_pool();
}

}  // namespace internal
}  // namespace coracle
