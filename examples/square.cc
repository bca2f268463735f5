// SPDX-License-Identifier: Apache-2.0
// Shows: a coroutine that waits, and run(), which drives it from main.
//
//   build/release/examples/square 7         7 squared is 49, after a second
//
// Beside it: square.py.
#include <coracle/coracle.h>

#include <cstdio>
#include <cstdlib>

using namespace coracle;

Task<int> square(int number) {
    co_await sleep(1s);
    co_return number* number;
}

int main(int argc, char** argv) {
    int number = argc > 1 ? std::atoi(argv[1]) : 5;
    std::printf("%d squared is %d\n", number, run(square(number)));
}
