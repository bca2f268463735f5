// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/await_callback.h>

#include <coracle/core/checkpoint.h>
#include <coracle/core/debug.h>
#include <coracle/core/gather.h>
#include <coracle/core/registry.h>
#include <coracle/core/run.h>
#include <coracle/core/scope.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>
#include <coracle/core/wait.h>
#include <coracle/testing/virtual_loop.h>

#include <gtest/gtest.h>

#include <netdb.h>
#include <signal.h>

#include <atomic>
#include <functional>
#include <stdexcept>
#include <thread>
#include <vector>

namespace coracle {
namespace {

using ReadDone = void (*)(void* user, int status, const char* text);

constexpr int aborted = -1;

// A library in the manner of C: one operation at a time, which the test completes.
struct Library {
    ReadDone done = nullptr;
    void* user = nullptr;
    int cancels = 0;

    int start(ReadDone its_done, void* its_user) {
        done = its_done;
        user = its_user;
        return 0;
    }
    void finish(int status, const char* text) {
        auto call = std::exchange(done, nullptr);
        call(user, status, text);
    }
};

// What one await gave.
struct Seen {
    int status = 99;
    std::string text;
    bool cancelled = false;
};

Task<void> read(Library& library, Seen& seen, AfterCancel after = AfterCancel::callback_comes) {
    try {
        auto [status, text] = co_await await_callback<int, std::string>(
            [&](auto done, void* user) { return library.start(done, user); },
            [&]() {
                ++library.cancels;
                return after;
            });
        seen.status = status;
        seen.text = text;
    } catch (const Cancelled&) {
        seen.cancelled = true;
        throw;
    }
}

TEST(AwaitCallback, GivesWhatTheCallbackGot) {
    auto body = []() -> Task<void> {
        Library library;
        Seen seen;
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(read, std::ref(library), std::ref(seen), AfterCancel::callback_comes);
            co_await testing::wait_all_tasks_blocked();
            std::string text = "dies with the call";
            library.finish(7, text.c_str());
            text.assign(text.size(), '-');
        });
        EXPECT_EQ(seen.status, 7);
        EXPECT_EQ(seen.text, "dies with the call");
        EXPECT_EQ(library.cancels, 0);
    };
    testing::run(body());
}

// The shapes that C libraries have.
void user_last(int value, void (*done)(int, void*), void* user) { done(value, user); }
int returns_int(void* user, int (*done)(void* user)) { return done(user); }
void two_pointers(void* value, void (*done)(void*, void*), void* user) { done(value, user); }
void just_user(void (*done)(void*), void* user) { done(user); }
struct Reply {
    int value;
};
void owned(void (*done)(void*, Reply*), void* user) { done(user, new Reply{5}); }

TEST(AwaitCallback, TakesTheUserPointerAtEitherEnd) {
    auto body = []() -> Task<void> {
        int value =
            co_await await_callback<int>([](auto done, void* user) { user_last(3, done, user); });
        EXPECT_EQ(value, 3);
        co_await await_callback([](auto done, void* user) { return returns_int(user, done); });
        co_await await_callback([](auto done, void* user) { just_user(done, user); });
        void* pointer = co_await await_callback<void*>(
            [&](auto done, void* user) { two_pointers(&value, done.user_last(), user); });
        EXPECT_EQ(pointer, &value);
    };
    testing::run(body());
}

TEST(AwaitCallback, MovesResultsThatCannotBeCopied) {
    auto body = []() -> Task<void> {
        auto reply = co_await await_callback<std::unique_ptr<Reply>>(
            [](auto done, void* user) { owned(done, user); });
        EXPECT_EQ(reply->value, 5);
    };
    testing::run(body());
}

TEST(AwaitCallback, TakesFunctionsAndNamedObjectsWhereTheyStand) {
    struct Start {
        explicit Start(int its_value) : value(std::make_unique<int>(its_value)) {}
        void operator()(CallbackFunction<int> done, void* user) const {
            user_last(*value, done, user);
        }
        std::unique_ptr<int> value;
    };
    auto body = []() -> Task<void> {
        Start start(8);
        EXPECT_EQ(co_await await_callback<int>(start), 8);
        EXPECT_NE(start.value, nullptr);
        auto all = co_await gather(await_callback<int>(start), await_callback<int>(start));
        EXPECT_EQ(std::get<1>(all), 8);
        EXPECT_EQ(co_await wait_for(await_callback<int>(start), 1s), 8);
        co_await await_callback(just_user);
    };
    testing::run(body());
}

TEST(AwaitCallback, ThrowsWhatStartThrowsAndWhatItRefuses) {
    auto body = []() -> Task<void> {
        auto fails = [](auto, void*) { throw std::out_of_range("no such file"); };
        EXPECT_THROW(co_await await_callback<int>(fails), std::out_of_range);
        // Also when the callback had come before.
        auto does_both = [](auto done, void* user) {
            user_last(3, done, user);
            throw std::out_of_range("both");
        };
        EXPECT_THROW(co_await await_callback<int>(does_both), std::out_of_range);
        auto refuses = [](auto, void*) { return -22; };
        int code = 0;
        try {
            co_await await_callback<int>(refuses);
        } catch (const CallbackRefused& refused) {
            code = refused.code();
            EXPECT_STREQ(refused.what(), "await_callback: the library refused to begin: -22");
        }
        EXPECT_EQ(code, -22);
    };
    testing::run(body());
}

struct Picky {
    explicit Picky(int value) {
        if (value < 0) throw std::domain_error("negative");
    }
};

TEST(AwaitCallback, ThrowsInTheTaskWhatMakingAResultThrows) {
    auto body = []() -> Task<void> {
        auto start = [](auto done, void* user) { user_last(-3, done, user); };
        EXPECT_THROW(co_await await_callback<Picky>(start), std::domain_error);
    };
    testing::run(body());
}

TEST(AwaitCallback, DoesNotStartInACancelledScope) {
    auto body = []() -> Task<void> {
        Library library;
        Seen seen;
        bool by_itself = co_await cancel_scope([&](CancelScope& scope) -> Task<void> {
            scope.cancel("before");
            co_await read(library, seen);
        });
        EXPECT_FALSE(by_itself);
        EXPECT_TRUE(seen.cancelled);
        EXPECT_EQ(library.user, nullptr);
        EXPECT_EQ(library.cancels, 0);
    };
    testing::run(body());
}

// Runs `meddle` while a read waits in a scope; what came of it.
Seen read_while(AfterCancel after, const std::function<void(Library&, CancelScope&)>& meddle,
                int cancels_expected) {
    Seen seen;
    auto body = [&]() -> Task<void> {
        Library library;
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            CancelScope* scope = nullptr;
            auto scoped = [&]() -> Task<void> {
                co_await cancel_scope([&](CancelScope& its_scope) -> Task<void> {
                    scope = &its_scope;
                    co_await read(library, seen, after);
                    co_await checkpoint();
                });
            };
            group.create_task([](decltype(scoped)& call) { return call(); }, std::ref(scoped));
            co_await testing::wait_all_tasks_blocked();
            meddle(library, *scope);
        });
        EXPECT_EQ(library.cancels, cancels_expected);
    };
    testing::run(body());
    return seen;
}

TEST(AwaitCallback, CancelledEndsAtOnceWhenTheCallbackNeverComes) {
    auto seen = read_while(
        AfterCancel::callback_never_comes,
        [](Library&, CancelScope& scope) {
            scope.cancel("first");
            scope.cancel("second");
        },
        1);
    EXPECT_TRUE(seen.cancelled);
}

TEST(AwaitCallback, CancelledWaitsForTheCallbackAndDeliversIt) {
    auto seen = read_while(
        AfterCancel::callback_comes,
        [](Library& library, CancelScope& scope) {
            scope.cancel();
            EXPECT_EQ(library.cancels, 1);
            library.finish(aborted, "partly");
        },
        1);
    EXPECT_FALSE(seen.cancelled);
    EXPECT_EQ(seen.status, aborted);
    EXPECT_EQ(seen.text, "partly");
}

TEST(AwaitCallback, AResultOfTheSameInstantWins) {
    auto seen = read_while(
        AfterCancel::callback_never_comes,
        [](Library& library, CancelScope& scope) {
            library.finish(0, "won");
            scope.cancel();
        },
        0);
    EXPECT_FALSE(seen.cancelled);
    EXPECT_EQ(seen.text, "won");
}

TEST(AwaitCallback, ACallbackInsideCancelWinsOverItsAnswer) {
    auto body = []() -> Task<void> {
        Library library;
        int status = 0;
        co_await cancel_scope([&](CancelScope& scope) -> Task<void> {
            auto kick = EventLoop::current().call_later(1s, [&] { scope.cancel(); });
            auto [its_status, text] = co_await await_callback<int, std::string>(
                [&](auto done, void* user) { library.start(done, user); },
                [&] {
                    library.finish(aborted, "");
                    return AfterCancel::callback_never_comes;
                });
            status = its_status;
        });
        EXPECT_EQ(status, aborted);
    };
    testing::run(body());
}

TEST(AwaitCallback, WithoutCancelTheCallbackIsWaitedFor) {
    auto body = []() -> Task<void> {
        Library library;
        int status = 0;
        auto& loop = EventLoop::current();
        co_await cancel_scope([&](CancelScope& scope) -> Task<void> {
            loop.call_later(1s, [&] { scope.cancel(); });
            loop.call_later(2s, [&] { library.finish(4, ""); });
            auto [its_status, text] = co_await await_callback<int, std::string>(
                [&](auto done, void* user) { library.start(done, user); });
            status = its_status;
            EXPECT_TRUE(scope.is_cancelled());
        });
        EXPECT_EQ(status, 4);
    };
    testing::run(body());
}

// A library with a thread of its own per operation.
struct Threaded {
    std::vector<std::thread> threads;
    ~Threaded() {
        for (auto& thread : threads) thread.join();
    }
    void start(void (*done)(int, void*), void* user, int value) {
        threads.emplace_back([done, user, value] { done(value, user); });
    }
};

TEST(AwaitCallback, TakesResultsFromOtherThreads) {
    auto body = []() -> Task<void> {
        Threaded library;
        long sum = 0;
        for (int i = 0; i < 200; ++i) {
            sum += co_await await_callback<int>(
                [&](auto done, void* user) { library.start(done, user, i); });
        }
        EXPECT_EQ(sum, 199 * 200 / 2);
    };
    run(body());
}

// Either cancel gets hold of the operation, and the callback never comes, or it was too late.
struct Contested {
    ~Contested() { thread.join(); }

    std::atomic<bool> taken{false};
    int calls = 0;
    int results = 0;
    int cancelled = 0;
    std::thread thread;
};

Task<void> contest(Contested& it) {
    try {
        it.results += co_await await_callback<int>(
            [&](CallbackFunction<int> done, void* user) {
                void (*function)(int, void*) = done;
                it.thread = std::thread([&it, function, user] {
                    if (it.taken.exchange(true)) return;
                    ++it.calls;
                    function(1, user);
                });
            },
            [&] {
                return it.taken.exchange(true) ? AfterCancel::callback_comes
                                               : AfterCancel::callback_never_comes;
            });
    } catch (const Cancelled&) {
        ++it.cancelled;
        throw;
    }
}

TEST(AwaitCallback, LosesNothingWhenCancellationMeetsAnotherThread) {
    auto body = []() -> Task<void> {
        for (int i = 0; i < 300; ++i) {
            Contested it;
            co_await task_group([&](TaskGroup& group) -> Task<void> {
                group.create_task(contest, std::ref(it));
                co_await sleep(0s);
                for (int turns = i % 3; turns > 0; --turns) co_await sleep(0s);
                group.cancel();
            });
            EXPECT_EQ(it.results + it.cancelled, 1);
            EXPECT_EQ(it.results, it.calls);
        }
    };
    run(body());
}

// TSan dies in a callback on a thread that it has not seen begin, and libc makes these inside.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CORACLE_TEST_NEEDS_KNOWN_THREADS
#endif
#endif
#ifndef CORACLE_TEST_NEEDS_KNOWN_THREADS

// A real library: a lookup of glibc's getaddrinfo_a(). It has the user pointer in a union, and
// calls back on a thread that it makes for the purpose. A lookup that it still could cancel it
// forgets.
class Lookup {
  public:
    explicit Lookup(const char* host) noexcept {
        hints_.ai_flags = AI_NUMERICHOST;
        request_.ar_name = host;
        request_.ar_request = &hints_;
    }
    ~Lookup() {
        if (request_.ar_result) ::freeaddrinfo(request_.ar_result);
    }
    Lookup(const Lookup&) = delete;
    Lookup& operator=(const Lookup&) = delete;

    int start(void (*done)(void*), void* user) noexcept {
        done_ = done;
        user_ = user;
        sigevent event{};
        event.sigev_notify = SIGEV_THREAD;
        event.sigev_value.sival_ptr = this;
        event.sigev_notify_function = [](sigval value) {
            auto& lookup = *static_cast<Lookup*>(value.sival_ptr);
            lookup.done_(lookup.user_);
        };
        gaicb* requests[] = {&request_};
        return ::getaddrinfo_a(GAI_NOWAIT, requests, 1, &event);
    }
    AfterCancel cancel() noexcept {
        return ::gai_cancel(&request_) == EAI_CANCELED ? AfterCancel::callback_never_comes
                                                       : AfterCancel::callback_comes;
    }
    int status() noexcept { return ::gai_error(&request_); }

  private:
    addrinfo hints_{};
    gaicb request_{};
    void (*done_)(void*) = nullptr;
    void* user_ = nullptr;
};

Task<int> look_up(const char* host, int& cancels) {
    Lookup lookup(host);
    co_await await_callback([&](auto done, void* user) { return lookup.start(done, user); },
                            [&] {
                                ++cancels;
                                return lookup.cancel();
                            });
    co_return lookup.status();
}

TEST(AwaitCallback, AwaitsGetaddrinfoA) {
    auto body = []() -> Task<void> {
        int cancels = 0;
        auto both = co_await gather(look_up("127.0.0.1", cancels), look_up("no number", cancels));
        EXPECT_EQ(std::get<0>(both), 0);
        EXPECT_EQ(std::get<1>(both), EAI_NONAME);
        EXPECT_EQ(cancels, 0);
    };
    run(body());
}

TEST(AwaitCallback, CancelsGetaddrinfoA) {
    auto body = []() -> Task<void> {
        constexpr int lookups = 100;
        int cancels = 0;
        int answered = 0;
        int cancelled = 0;
        auto count = [&]() -> Task<void> {
            try {
                EXPECT_EQ(co_await look_up("127.0.0.1", cancels), 0);
                ++answered;
            } catch (const Cancelled&) {
                ++cancelled;
                throw;
            }
        };
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            for (int i = 0; i < lookups; ++i) {
                group.create_task([](decltype(count)& call) { return call(); }, std::ref(count));
            }
            co_await sleep(0s);
            group.cancel();
        });
        EXPECT_EQ(answered + cancelled, lookups);
        EXPECT_GE(cancels, cancelled);
    };
    long frames = live_frames();
    run(body());
    EXPECT_EQ(live_frames(), frames);
}

#endif  // CORACLE_TEST_NEEDS_KNOWN_THREADS

TEST(AwaitCallbackDeathTest, ASecondCallbackAborts) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    auto within = []() -> Task<void> {
        co_await await_callback<int>([](auto done, void* user) {
            user_last(1, done, user);
            user_last(2, done, user);
        });
    };
    EXPECT_DEATH(testing::run(within()), "called the callback a second time");
    auto after_the_end = []() -> Task<void> {
        set_debug(true);
        void* kept = nullptr;
        void (*function)(int, void*) = nullptr;
        co_await await_callback<int>([&](auto done, void* user) {
            kept = user;
            function = done;
            user_last(1, done, user);
        });
        function(2, kept);
    };
    EXPECT_DEATH(testing::run(after_the_end()), "called the callback a second time");
    auto after_never = []() -> Task<void> {
        set_debug(true);
        Library library;
        Seen seen;
        co_await move_on_after(1s, [&]() -> Task<void> {
            co_await read(library, seen, AfterCancel::callback_never_comes);
        });
        library.finish(0, "");
    };
    EXPECT_DEATH(testing::run(after_never()), "or after it was given up");
}

}  // namespace
}  // namespace coracle
