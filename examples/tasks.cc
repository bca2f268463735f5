// SPDX-License-Identifier: Apache-2.0
// Shows: tasks that run beside their creator and beside each other. They take as long as the
// longest, and their results come in the order they were asked for, whichever was ready first.
//
//   build/release/examples/tasks            two seconds for work of one, two and one
//
// Beside it: tasks.py.
#include <coracle/coracle.h>

#include <cstdio>
#include <string>

using namespace coracle;

Task<std::string> prepare(std::string dish, Duration time) {
    co_await sleep(time);
    std::printf("%s is ready\n", dish.c_str());
    co_return dish;
}

Task<void> dinner() {
    co_await task_group([](TaskGroup& kitchen) -> Task<void> {
        auto soup = kitchen.create_task(prepare, std::string("soup"), 1s);  // begins by itself ...
        std::printf("the table is laid\n");                                 // ... while we carry on
        auto [rice, fish] = co_await gather(prepare("rice", 2s), prepare("fish", 500ms));
        std::string first = co_await soup;  // has long been ready
        std::printf("%s, %s and %s\n", first.c_str(), rice.c_str(), fish.c_str());
    });
}

int main() { run(dinner()); }
