// SPDX-License-Identifier: Apache-2.0
// What the C++ programs here share: how operations are timed, checked and told.
#pragma once

#include <sched.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <string>

#include "../load/options.h"

namespace bench {

// The time of `operations` operations, begun when it is made.
class Stopwatch {
  public:
    explicit Stopwatch(long operations) : operations_(operations) {}

    double ns_each() const {
        std::chrono::duration<double, std::nano> taken = Clock::now() - began_;
        return taken.count() / static_cast<double>(operations_);
    }

  private:
    using Clock = std::chrono::steady_clock;
    Clock::time_point began_ = Clock::now();
    long operations_;
};

// Every operation adds to a sum that is known beforehand: none was left out, by us or by a
// compiler.
inline void require(const char* work, long sum, long expected) {
    if (sum == expected) return;
    std::fprintf(stderr, "%s: the operations gave %ld instead of %ld\n", work, sum, expected);
    std::exit(1);
}

// 1 + 2 + ... + count
inline long sum_to(long count) { return count * (count + 1) / 2; }

inline constexpr long children = 100;        // of one group, in the work spawn_100
inline constexpr int timers_live = 100'000;  // beside those that are set and taken back
inline constexpr long timers_a_turn = 1000;  // set and taken back between two turns of the loop

// How far away timers are: 60 to 120 seconds, scattered, the same sequence in every language.
class Delays {
  public:
    Delays() {
        std::uint32_t state = 1;
        for (auto& delay : all_) {
            state = state * 1664525 + 1013904223;
            delay = std::chrono::seconds(60) + std::chrono::nanoseconds(std::int64_t{14} * state);
        }
    }
    std::chrono::nanoseconds next() { return all_[at_++ % all_.size()]; }

  private:
    std::array<std::chrono::nanoseconds, 4096> all_;
    std::size_t at_ = 0;
};

// Two threads side by side: the first and the last core that this process may use.
class Cores {
  public:
    Cores() {
        if (sched_getaffinity(0, sizeof allowed_, &allowed_) != 0) fail("sched_getaffinity");
    }

    void take_first() const {
        take([](int core, int found) { return found < 0 ? core : found; });
    }
    void take_last() const {
        take([](int core, int) { return core; });
    }

  private:
    template <class Choose>
    void take(Choose choose) const {
        int chosen = -1;
        for (int core = 0; core < CPU_SETSIZE; ++core) {
            if (CPU_ISSET(core, &allowed_)) chosen = choose(core, chosen);
        }
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(chosen, &one);
        if (sched_setaffinity(0, sizeof one, &one) != 0) fail("sched_setaffinity");
    }
    [[noreturn]] static void fail(const char* call) {
        std::perror(call);
        std::exit(1);
    }

    cpu_set_t allowed_;
};

struct Work {
    const char* name;
    long operations;                     // of one full repetition, about a fifth of a second
    double (*measure)(long operations);  // nanoseconds of one
};

// The main() of a program: one repetition of each of `works`, or of the one that is asked for, each
// after a tenth of it that is not counted.
//
//   PROGRAM [--work NAME] [--share 0.01]      prints {"NAME": NANOSECONDS, ...}
inline int repeat(int argc, char** argv, std::initializer_list<Work> works) {
    Options options(argc, argv);
    std::string only = options.text("work");
    double share = options.real("share", 1);
    std::string told;
    for (const Work& work : works) {
        if (!only.empty() && only != work.name) continue;
        auto operations = std::max(1L, static_cast<long>(share * work.operations));
        work.measure(std::max(1L, operations / 10));
        std::array<char, 64> one{};
        std::snprintf(one.data(), one.size(), "\"%s\": %.3f", work.name, work.measure(operations));
        told += (told.empty() ? "" : ", ") + std::string(one.data());
    }
    if (told.empty()) {
        std::fprintf(stderr, "%s: no work '%s' here\n", argv[0], only.c_str());
        return 2;
    }
    std::printf("{%s}\n", told.c_str());
    return 0;
}

}  // namespace bench
