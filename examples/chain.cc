// SPDX-License-Identifier: Apache-2.0
// Shows: coroutines that await each other; each step needs what the one before it found, so they
// take as long as all of them together.
//
//   build/release/examples/chain            three lines, a second apart
//
// Beside it: chain.py.
#include <coracle/coracle.h>

#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

using namespace coracle;

Task<std::string> find_customer(int number) {
    co_await sleep(1s);
    co_return "Ada-" + std::to_string(number);
}

Task<std::vector<int>> find_orders(std::string customer) {
    std::printf("orders of %s\n", customer.c_str());
    co_await sleep(1s);
    co_return std::vector<int>{20, 12, 10};
}

Task<int> amount_due(int number) {
    std::string customer = co_await find_customer(number);
    std::vector<int> orders = co_await find_orders(customer);
    std::printf("%zu orders\n", orders.size());
    co_return std::accumulate(orders.begin(), orders.end(), 0);
}

int main() { std::printf("%d due\n", run(amount_due(7))); }
