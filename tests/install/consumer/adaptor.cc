// SPDX-License-Identifier: Apache-2.0
// What Coracle::adapt takes from outside: a timer of Asio's, awaited in a task.
#include <coracle/adapt/asio.h>
#include <coracle/coracle.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdio>
#include <thread>
using namespace coracle;

Task<void> wait(boost::asio::io_context& context) {
    boost::asio::steady_timer timer(context, std::chrono::milliseconds(1));
    co_await timer.async_wait(use_task);
}

int main() {
    boost::asio::io_context context;
    auto work = boost::asio::make_work_guard(context);
    std::thread thread([&] { context.run(); });
    run(wait(context));
    work.reset();
    thread.join();
    std::puts("adapted");
}
