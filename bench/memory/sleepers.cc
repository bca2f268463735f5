// SPDX-License-Identifier: Apache-2.0
// What a task costs that does nothing but wait: 100,000 of them in `co_await sleep(1h)`, one group.
//
//   sleepers [COUNT]        prints how many, and the resident bytes before and during, as JSON
#include <coracle/core/checkpoint.h>
#include <coracle/core/run.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace {

using namespace coracle;

// Resident memory of this process, from /proc/self/statm: the second number, in pages.
long resident_bytes() {
    std::FILE* file = std::fopen("/proc/self/statm", "r");
    long size = 0, resident = 0;
    if (!file || std::fscanf(file, "%ld %ld", &size, &resident) != 2) {
        std::perror("sleepers: /proc/self/statm");
        std::exit(1);
    }
    std::fclose(file);
    return resident * sysconf(_SC_PAGESIZE);
}

Task<void> sleeper() { co_await sleep(1h); }

Task<void> measure(int count) {
    co_await task_group([&](TaskGroup& group) -> Task<void> {
        // What the first tasks set up is no task's own cost.
        group.create_task(sleeper);
        co_await sleep(1ms);
        long before = resident_bytes();
        for (int i = 0; i < count; ++i) group.create_task(sleeper);
        co_await sleep(1ms);
        long during = resident_bytes();
        std::printf("{\"tasks\": %d, \"timers\": %zu, \"before\": %ld, \"during\": %ld}\n", count,
                    get_running_loop().statistics().timers, before, during);
        group.cancel("measured");
    });
}

}  // namespace

int main(int argc, char** argv) {
    int count = argc > 1 ? std::atoi(argv[1]) : 100'000;
    if (count <= 0) {
        std::fprintf(stderr, "usage: sleepers [COUNT]\n");
        return 2;
    }
    run(measure(count));
    return 0;
}
