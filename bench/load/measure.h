// SPDX-License-Identifier: Apache-2.0
// One window of closed-loop load, and the line that tells of it.
#pragma once

#include <chrono>
#include <cstdio>

#include "cpu_time.h"
#include "latencies.h"
#include "options.h"

namespace bench {

// Warms up for --warmup seconds, measures for --seconds, prints one JSON object: requests answered
// within the window, its seconds, the CPU nanoseconds that --pids spent in it, latency percentiles.
//
// A Load has run_until(time), which counts from zero, answered() and latencies().
template <class Load>
void measure(Load& load, const Options& options) {
    using Seconds = std::chrono::duration<double>;
    auto pids = split_pids(options.text("pids"));
    auto warmup = std::chrono::duration_cast<Clock::duration>(Seconds(options.real("warmup", 0.2)));
    auto window = std::chrono::duration_cast<Clock::duration>(Seconds(options.real("seconds", 2)));
    load.run_until(Clock::now() + warmup);

    auto cpu = cpu_ns(pids);
    auto begin = Clock::now();
    load.run_until(begin + window);
    auto seconds = Seconds(Clock::now() - begin).count();
    cpu = cpu_ns(pids) - cpu;
    std::printf(
        "{\"requests\": %zu, \"seconds\": %.6f, \"cpu_ns\": %llu, \"p50_us\": %.1f, \"p99_us\": "
        "%.1f}\n",
        load.answered(), seconds, static_cast<unsigned long long>(cpu),
        load.latencies().percentile_us(0.50), load.latencies().percentile_us(0.99));
}

}  // namespace bench
