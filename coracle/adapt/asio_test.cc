// SPDX-License-Identifier: Apache-2.0
#include <coracle/adapt/asio.h>

#include <coracle/core/checkpoint.h>
#include <coracle/core/gather.h>
#include <coracle/core/loop.h>
#include <coracle/core/registry.h>
#include <coracle/core/run.h>
#include <coracle/core/scope.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>
#include <coracle/core/wait.h>

#include <gtest/gtest.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace coracle {
namespace {

namespace asio = boost::asio;
using Socket = asio::local::stream_protocol::socket;

using Body = Task<void> (*)(asio::io_context&);

// The loop is a guest in the io_context.
void run_on_same_thread(Body body) {
    asio::io_context host;
    EventLoop loop;
    asio::posix::stream_descriptor descriptor(host, loop.fd());
    asio::steady_timer deadline(host);
    auto task = loop.create_task(body, std::ref(host));
    std::function<void()> step = [&] {
        loop.poll();
        if (task.done()) {
            descriptor.cancel();
            deadline.cancel();
            return;
        }
        deadline.expires_at(loop.next_deadline());
        deadline.async_wait([&](const boost::system::error_code& error) {
            if (!error) step();
        });
    };
    std::function<void()> wait_for_events = [&] {
        descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                              [&](const boost::system::error_code& error) {
                                  if (error || task.done()) return;
                                  step();
                                  if (!task.done()) wait_for_events();
                              });
    };
    wait_for_events();
    step();
    host.run();
    descriptor.release();
    task.result();
}

// The io_context has a thread of its own.
void run_on_other_thread(Body body) {
    asio::io_context context;
    auto work = asio::make_work_guard(context);
    std::thread thread([&] { context.run(); });
    try {
        run(body(context));
    } catch (const std::exception& error) {
        ADD_FAILURE() << error.what();
    }
    work.reset();
    thread.join();
}

void run_on_both(Body body) {
    long frames = live_frames();
    run_on_same_thread(body);
    run_on_other_thread(body);
    EXPECT_EQ(live_frames(), frames);
}

struct Pair {
    explicit Pair(asio::io_context& context) : here(context), there(context) {
        asio::local::connect_pair(here, there);
    }
    Socket here;
    Socket there;
};

TEST(UseTask, AwaitsTimersAndSockets) {
    run_on_both([](asio::io_context& context) -> Task<void> {
        asio::steady_timer timer(context, std::chrono::milliseconds(1));
        co_await timer.async_wait(use_task);

        Pair pair(context);
        std::array<char, 16> data{};
        std::size_t sent = co_await pair.there.async_write_some(asio::buffer("hello", 5), use_task);
        EXPECT_EQ(sent, 5U);
        std::size_t count = co_await pair.here.async_read_some(asio::buffer(data), use_task);
        EXPECT_EQ(std::string(data.data(), count), "hello");

        auto both =
            co_await gather(asio::async_read(pair.here, asio::buffer(data, 3), use_task),
                            asio::async_write(pair.there, asio::buffer("abc", 3), use_task));
        EXPECT_EQ(std::get<0>(both), 3U);
        EXPECT_EQ(std::string(data.data(), 3), "abc");
    });
}

TEST(UseTask, ThrowsTheErrorCode) {
    run_on_both([](asio::io_context& context) -> Task<void> {
        Pair pair(context);
        pair.there.close();
        std::array<char, 16> data{};
        std::string what;
        boost::system::error_code code;
        try {
            co_await pair.here.async_read_some(asio::buffer(data), use_task);
        } catch (const AsioError& error) {
            what = error.what();
            code = error.code();
        }
        EXPECT_EQ(code, asio::error::eof);
        EXPECT_EQ(what, "asio: End of file (asio.misc 2)");
    });
}

TEST(UseTask, LeavesTheErrorCodeToAsTuple) {
    run_on_both([](asio::io_context& context) -> Task<void> {
        Pair pair(context);
        std::array<char, 16> data{};
        co_await asio::async_write(pair.there, asio::buffer("ab", 2), use_task);
        pair.there.close();
        auto [error, count] =
            co_await asio::async_read(pair.here, asio::buffer(data), asio::as_tuple(use_task));
        EXPECT_EQ(error, asio::error::eof);
        EXPECT_EQ(count, 2U);
    });
}

TEST(UseTask, AnAbortByOthersIsAnError) {
    run_on_both([](asio::io_context& context) -> Task<void> {
        asio::steady_timer timer(context, std::chrono::hours(1));
        boost::system::error_code code;
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(
                [](asio::steady_timer& its_timer,
                   boost::system::error_code& its_code) -> Task<void> {
                    try {
                        co_await its_timer.async_wait(use_task);
                    } catch (const AsioError& error) {
                        its_code = error.code();
                    }
                },
                std::ref(timer), std::ref(code));
            // On the timer's executor, until there is something to cancel.
            auto cancel = [&]() -> asio::awaitable<std::size_t> { co_return timer.cancel(); };
            std::size_t cancelled = 0;
            while (cancelled == 0) {
                cancelled = co_await asio::co_spawn(timer.get_executor(), cancel, use_task);
            }
        });
        EXPECT_EQ(code, asio::error::operation_aborted);
    });
}

// What a scope that was cancelled saw.
struct Seen {
    bool by_itself = true;
    bool threw = false;
    bool began = false;
};

TEST(UseTask, BeginsNothingInACancelledScope) {
    run_on_both([](asio::io_context& context) -> Task<void> {
        Pair pair(context);
        co_await asio::async_write(pair.there, asio::buffer("x", 1), use_task);
        std::array<char, 16> data{};
        Seen seen;
        seen.by_itself = co_await cancel_scope([&](CancelScope& scope) -> Task<void> {
            scope.cancel("before");
            try {
                co_await pair.here.async_read_some(asio::buffer(data), use_task);
            } catch (const Cancelled&) {
                seen.threw = true;
                throw;
            }
        });
        EXPECT_FALSE(seen.by_itself);
        EXPECT_TRUE(seen.threw);
        std::size_t count = co_await pair.here.async_read_some(asio::buffer(data), use_task);
        EXPECT_EQ(count, 1U);
    });
}

TEST(UseTask, ACancelledOperationHasEndedWhenTheTaskGoesOn) {
    run_on_both([](asio::io_context& context) -> Task<void> {
        {
            asio::steady_timer timer(context, std::chrono::hours(1));
            bool in_time = co_await move_on_after(
                1ms, [&]() -> Task<void> { co_await timer.async_wait(use_task); });
            EXPECT_FALSE(in_time);
        }  // its timer and buffers may go
        Pair pair(context);
        {
            std::vector<char> data(16);
            EXPECT_THROW(
                co_await wait_for(pair.here.async_read_some(asio::buffer(data), use_task), 1ms),
                TimeoutError);
        }
        // The object is as before.
        std::array<char, 4> data{};
        co_await asio::async_write(pair.there, asio::buffer("next", 4), use_task);
        std::size_t count = co_await asio::async_read(pair.here, asio::buffer(data), use_task);
        EXPECT_EQ(count, 4U);
    });
}

TEST(UseTask, AsTupleSaysHowFarACancelledOperationCame) {
    struct Read {
        std::array<char, 16> data{};
        boost::system::error_code code;
        std::size_t got = 0;
        bool threw_next = false;
    };
    run_on_both([](asio::io_context& context) -> Task<void> {
        Pair pair(context);
        Read read;
        co_await asio::async_write(pair.there, asio::buffer("part", 4), use_task);
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(
                [](Pair& its_pair, Read& its_read) -> Task<void> {
                    auto [error, count] = co_await asio::async_read(
                        its_pair.here, asio::buffer(its_read.data), asio::as_tuple(use_task));
                    its_read.code = error;
                    its_read.got = count;
                    try {
                        co_await checkpoint();
                    } catch (const Cancelled&) {
                        its_read.threw_next = true;
                        throw;
                    }
                },
                std::ref(pair), std::ref(read));
            // Looked at where the read runs, until it has taken what there is.
            auto left = [&]() -> asio::awaitable<std::size_t> { co_return pair.here.available(); };
            while (co_await asio::co_spawn(context, left, use_task) > 0) {
            }
            group.cancel();
        });
        EXPECT_EQ(read.code, asio::error::operation_aborted);
        EXPECT_EQ(read.got, 4U);
        EXPECT_TRUE(read.threw_next);
    });
}

// Every byte that was sent is read, whatever cancellation did in between.
TEST(UseTask, LosesNoByteWhenCancellationMeetsCompletion) {
    run_on_both([](asio::io_context& context) -> Task<void> {
        constexpr std::size_t rounds = 200;
        Pair pair(context);
        std::array<char, 1> data{};
        std::size_t received = 0;
        for (std::size_t i = 0; i < rounds; ++i) {
            co_await cancel_scope([&](CancelScope& scope) -> Task<void> {
                co_await task_group([&](TaskGroup& group) -> Task<void> {
                    group.create_task(
                        [](Pair& its_pair, std::array<char, 1>& its_data,
                           std::size_t& its_received) -> Task<void> {
                            its_received += co_await its_pair.here.async_read_some(
                                asio::buffer(its_data), use_task);
                        },
                        std::ref(pair), std::ref(data), std::ref(received));
                    co_await sleep(0s);
                    co_await shield(asio::async_write(pair.there, asio::buffer("x", 1), use_task));
                    scope.cancel();
                });
            });
        }
        while (received < rounds) {
            received += co_await pair.here.async_read_some(asio::buffer(data), use_task);
        }
        EXPECT_EQ(received, rounds);
        EXPECT_EQ(pair.here.available(), 0U);
    });
}

// Operations of our own, which do what Asio's do not.
template <class Signature, class Initiation>
auto operation(Initiation initiation) {
    return asio::async_initiate<const UseTask, Signature>(std::move(initiation), use_task);
}

TEST(UseTask, TakesEverySignature) {
    run([]() -> Task<void> {
        auto nothing = [](auto handler) { std::move(handler)(); };
        co_await operation<void()>(nothing);
        auto move_only = [](auto handler) { std::move(handler)(std::make_unique<int>(4)); };
        auto pointer = co_await operation<void(std::unique_ptr<int>)>(move_only);
        EXPECT_EQ(*pointer, 4);
        auto two = [](auto handler) { std::move(handler)(boost::system::error_code(), 1, "b"); };
        auto [number, text] =
            co_await operation<void(boost::system::error_code, int, std::string)>(two);
        EXPECT_EQ(number, 1);
        EXPECT_EQ(text, "b");
        auto fails = [](auto handler) {
            std::move(handler)(std::make_exception_ptr(std::out_of_range("no")));
        };
        EXPECT_THROW(co_await operation<void(std::exception_ptr)>(fails), std::out_of_range);
    }());
}

TEST(UseTask, ThrowsWhatTheInitiationThrows) {
    run_on_both([](asio::io_context& context) -> Task<void> {
        struct Throws {
            explicit Throws(asio::io_context& its_context) : context(its_context) {}
            asio::io_context::executor_type get_executor() const noexcept {
                return context.get_executor();
            }
            void operator()(internal::AsioHandler<internal::AsioWait<int>::State>) const {
                throw std::length_error("too much");
            }
            asio::io_context& context;
        };
        Throws throws(context);
        EXPECT_THROW(co_await operation<void(int)>(throws), std::length_error);
        auto inline_throws = [](auto) { throw std::length_error("too much"); };
        EXPECT_THROW(co_await operation<void(int)>(inline_throws), std::length_error);
    });
}

TEST(UseTask, ADroppedHandlerIsAnAbort) {
    run([]() -> Task<void> {
        auto drops = [](auto) {};
        boost::system::error_code code;
        try {
            co_await operation<void(int)>(drops);
        } catch (const AsioError& error) {
            code = error.code();
        }
        EXPECT_EQ(code, asio::error::operation_aborted);
    }());
    // An io_context that ends before its operations do, or before they have begun.
    run([]() -> Task<void> {
        for (bool begins : {false, true}) {
            auto context = std::make_unique<asio::io_context>();
            auto waits = [&]() -> asio::awaitable<void> {
                asio::steady_timer timer(*context, std::chrono::hours(1));
                co_await timer.async_wait(asio::use_awaitable);
            };
            EventLoop::current().call_later(1ms, [&] {
                if (begins) context->poll();
                context.reset();
            });
            EXPECT_THROW(co_await asio::co_spawn(*context, waits, use_task), AsioError);
        }
    }());
}

TEST(UseTask, IsWithdrawnWhileItsExecutorHasNotBegunIt) {
    run([]() -> Task<void> {
        asio::io_context idle;
        asio::steady_timer timer(idle, std::chrono::hours(1));
        bool in_time = co_await move_on_after(
            1ms, [&]() -> Task<void> { co_await timer.async_wait(use_task); });
        EXPECT_FALSE(in_time);
        EXPECT_EQ(idle.poll(), 1U);  // what was to begin it
        EXPECT_EQ(timer.cancel(), 0U);
    }());
}

TEST(UseTask, WaitsForAnOperationThatCannotBeCancelled) {
    run([]() -> Task<void> {
        std::function<void()> finish;
        int result = 0;
        auto& loop = EventLoop::current();
        bool by_itself = co_await cancel_scope([&](CancelScope& scope) -> Task<void> {
            loop.call_later(1ms, [&] { scope.cancel(); });
            loop.call_later(2ms, [&] {
                EXPECT_TRUE(scope.is_cancelled());
                finish();
            });
            auto deaf = [&](auto handler) {
                auto kept = std::make_shared<decltype(handler)>(std::move(handler));
                finish = [kept] { std::move (*kept)(6); };
            };
            result = co_await operation<void(int)>(deaf);
            co_await checkpoint();
        });
        EXPECT_EQ(result, 6);
        EXPECT_FALSE(by_itself);
    }());
}

// Cancellation reaches into Asio's own coroutines.
TEST(UseTask, AwaitsAnAsioCoroutine) {
    run_on_both([](asio::io_context& context) -> Task<void> {
        auto answers = []() -> asio::awaitable<int> { co_return 42; };
        int answer = co_await asio::co_spawn(context, answers, use_task);
        EXPECT_EQ(answer, 42);
        auto fails = []() -> asio::awaitable<void> {
            throw std::out_of_range("in there");
            co_return;
        };
        EXPECT_THROW(co_await asio::co_spawn(context, fails, use_task), std::out_of_range);
        auto waits = [&context]() -> asio::awaitable<void> {
            asio::steady_timer timer(context, std::chrono::hours(1));
            co_await timer.async_wait(asio::use_awaitable);
        };
        bool in_time = co_await move_on_after(
            1ms, [&]() -> Task<void> { co_await asio::co_spawn(context, waits, use_task); });
        EXPECT_FALSE(in_time);
    });
}

// One object, several threads, a strand: everything about it happens on the strand.
TEST(UseTask, KeepsToTheStrandOfTheObject) {
    asio::io_context context;
    auto work = asio::make_work_guard(context);
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i) threads.emplace_back([&] { context.run(); });
    run([](asio::io_context& its_context) -> Task<void> {
        auto strand = asio::make_strand(its_context);
        asio::basic_stream_socket<asio::local::stream_protocol, decltype(strand)> here(strand);
        asio::basic_stream_socket<asio::local::stream_protocol, decltype(strand)> there(strand);
        asio::local::connect_pair(here, there);
        std::vector<char> inbound(1 << 20);
        std::vector<char> outbound(1 << 20, 'x');
        auto both = co_await gather(asio::async_read(here, asio::buffer(inbound), use_task),
                                    asio::async_write(there, asio::buffer(outbound), use_task));
        EXPECT_EQ(std::get<0>(both), inbound.size());
        EXPECT_EQ(inbound, outbound);
        for (int i = 0; i < 50; ++i) {
            auto cancelled =
                co_await move_on_after(std::chrono::microseconds(i), [&]() -> Task<void> {
                    co_await asio::async_read(here, asio::buffer(inbound), use_task);
                });
            EXPECT_FALSE(cancelled);
        }
    }(context));
    work.reset();
    for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace coracle
