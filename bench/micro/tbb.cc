// SPDX-License-Identifier: Apache-2.0
// The same as coracle.cc in oneTBB, as far as it has it: tasks that are started and joined.
//
//   micro_tbb [--work NAME] [--share 0.01]
#include <tbb/global_control.h>
#include <tbb/task_group.h>

#include "repetition.h"

namespace {

// As a child elsewhere: a function that the compiler does not see through.
[[gnu::noinline]] void add(long& sum, long n) { sum += n; }

double spawn(long count) {
    long sum = 0;
    tbb::task_group group;
    bench::Stopwatch watch(count);
    for (long i = 1; i <= count; ++i) {
        group.run([&sum, i] { add(sum, i); });
        group.wait();
    }
    double each = watch.ns_each();
    bench::require("spawn", sum, bench::sum_to(count));
    return each;
}

double spawn_100(long count) {
    long groups = (count + bench::children - 1) / bench::children;
    long sum = 0;
    bench::Stopwatch watch(groups * bench::children);
    for (long i = 0; i < groups; ++i) {
        tbb::task_group group;
        for (long n = 1; n <= bench::children; ++n) group.run([&sum, n] { add(sum, n); });
        group.wait();
    }
    double each = watch.ns_each();
    bench::require("spawn_100", sum, groups * bench::sum_to(bench::children));
    return each;
}

}  // namespace

int main(int argc, char** argv) {
    tbb::global_control one_thread(tbb::global_control::max_allowed_parallelism, 1);
    return bench::repeat(argc, argv,
                         {{"spawn", 2'000'000, spawn}, {"spawn_100", 4'000'000, spawn_100}});
}
