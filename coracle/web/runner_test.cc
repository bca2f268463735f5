// SPDX-License-Identifier: Apache-2.0
#include <coracle/web/runner.h>

#include <coracle/base/log.h>
#include <coracle/core/scope.h>
#include <coracle/core/sleep.h>
#include <coracle/core/task_group.h>
#include <coracle/testing/memory_stream.h>
#include <coracle/testing/virtual_loop.h>
#include <coracle/web/request.h>
#include <coracle/web/response.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace coracle::web {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// What happened, in order.
using Events = std::vector<std::string>;

Application::Callback note(Events& events, std::string what) {
    return [&events, what](Application&) -> Task<void> {
        events.push_back(what);
        co_return;
    };
}

// A context that notes its halves; the second takes `cleanup` of time.
auto context(Events& events, std::string name, Duration cleanup = {}) {
    return [&events, name, cleanup](Application&, Started started) -> Task<void> {
        events.push_back(name + " up");
        co_await started();
        co_await sleep(cleanup);
        events.push_back(name + " down");
    };
}

Task<void> in_background(Application&, Events& events) {
    events.push_back("background begins");
    try {
        co_await sleep(1h);
    } catch (const Cancelled& cancelled) {
        events.push_back("background cancelled: " + cancelled.reason());
        throw;
    }
}

class Logged {
  public:
    Logged() {
        log::set_sink([this](log::Level, std::string_view, std::string_view text) {
            text_ += std::string(text) + "\n";
        });
    }
    ~Logged() { log::set_sink({}); }
    const std::string& text() const { return text_; }

  private:
    std::string text_;
};

// An application that is served in memory, and ended when the body is done.
struct Served {
    AppRunner& runner;
    testing::MemoryListener& listener;
    std::size_t cut = 0;

    std::unique_ptr<testing::MemoryStream> connect() { return listener.connect(); }
};

Task<std::string> ask(std::unique_ptr<testing::MemoryStream> stream, std::string path) {
    co_await stream->write_all("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    co_return co_await stream->read_to_end(1000);
}

using Body = std::function<Task<void>(Served&)>;

// Returns how many requests were cut.
std::size_t serve(Application app, const Body& body, RunnerOptions options = {}) {
    std::size_t cut = 0;
    auto main = [&]() -> Task<void> {
        AppRunner runner(std::move(app), options);
        co_await runner.setup();
        auto listener = std::make_unique<testing::MemoryListener>();
        Served served{runner, *listener};
        runner.serve(std::move(listener));
        co_await testing::wait_all_tasks_blocked();
        co_await body(served);
        cut = co_await runner.cleanup();
        EXPECT_EQ(co_await runner.cleanup(), cut);
    };
    testing::run(main());
    return cut;
}

Task<Response> slow(Request& request) {
    co_await sleep(std::chrono::milliseconds(request.match_info<int>("ms")));
    co_return text("slow");
}

TEST(AppRunner, CallsEverythingInItsOrder) {
    Events events;
    Application app;
    app.on_startup().append(note(events, "startup 1"));
    app.on_startup().append(note(events, "startup 2"));
    app.on_shutdown().append(note(events, "shutdown"));
    app.on_cleanup().append(note(events, "cleanup"));
    app.cleanup_ctx(context(events, "first"));
    app.cleanup_ctx(context(events, "second"));
    app.background(in_background, std::ref(events));
    serve(std::move(app), [&](Served&) -> Task<void> {
        events.push_back("served");
        co_return;
    });
    EXPECT_THAT(events,
                ElementsAre("startup 1", "startup 2", "first up", "second up", "background begins",
                            "served", "shutdown", "background cancelled: shutdown", "cleanup",
                            "second down", "first down"));
}

struct Service {
    Events& events;
    Task<void> start(Application&) {
        events.push_back("member");
        co_return;
    }
};

Task<void> without_app(int number, std::string text, Events& events) {
    events.push_back(text + std::to_string(number));
    co_return;
}

TEST(AppRunner, CallbacksMayBeMembersAndBackgroundTasksNeedNoApplication) {
    Events events;
    Service service{events};
    Application app;
    app.on_startup().append(&Service::start, service);
    app.background(without_app, 7, "an argument that is kept for the task ", std::ref(events));
    serve(std::move(app), [](Served&) -> Task<void> { co_return; });
    EXPECT_THAT(events, ElementsAre("member", "an argument that is kept for the task 7"));
}

TEST(AppRunner, AFailedStartEndsWhatHadStartedAndIsThrown) {
    Events events;
    Application app;
    app.cleanup_ctx(context(events, "first"));
    app.cleanup_ctx([](Application&, Started) -> Task<void> {
        co_await sleep(1s);
        throw std::runtime_error("no database");
    });
    app.cleanup_ctx(context(events, "never"));
    app.on_cleanup().append(note(events, "cleanup"));
    auto main = [&]() -> Task<void> {
        AppRunner runner(std::move(app));
        co_await runner.setup();
    };
    EXPECT_THROW(testing::run(main()), std::runtime_error);
    EXPECT_THAT(events, ElementsAre("first up", "cleanup", "first down"));
}

TEST(AppRunner, ACancelledStartBreaksOffTheContextThatIsStarting) {
    Events events;
    Application app;
    app.cleanup_ctx(context(events, "first"));
    app.cleanup_ctx([&](Application&, Started started) -> Task<void> {
        co_await sleep(1h);
        events.push_back("too late");
        co_await started();
    });
    auto main = [&]() -> Task<void> {
        AppRunner runner(std::move(app));
        bool started = co_await move_on_after(5s, [&]() -> Task<void> { co_await runner.setup(); });
        EXPECT_FALSE(started);
        EXPECT_EQ(testing::elapsed(), 5s);
    };
    testing::run(main());
    EXPECT_THAT(events, ElementsAre("first up", "first down"));
}

TEST(AppRunner, AContextMayEndEarlyOrFailInItsSecondHalf) {
    Logged logged;
    Events events;
    Application app;
    app.cleanup_ctx([&](Application&, Started) -> Task<void> {
        events.push_back("only up");
        co_return;
    });
    app.cleanup_ctx(context(events, "last"));
    app.cleanup_ctx([](Application&, Started started) -> Task<void> {
        co_await started();
        throw std::runtime_error("lost the lock file");
    });
    serve(std::move(app), [](Served&) -> Task<void> { co_return; });
    EXPECT_THAT(events, ElementsAre("only up", "last up", "last down"));
    EXPECT_THAT(logged.text(), HasSubstr("std::runtime_error: lost the lock file"));
}

TEST(AppRunner, OneCallbacksExceptionDoesNotKeepTheOthersFromBeingCalled) {
    Logged logged;
    Events events;
    Application app;
    app.on_shutdown().append([](Application&) -> Task<void> {
        co_await sleep(1s);
        throw std::runtime_error("first");
    });
    app.on_shutdown().append(note(events, "second"));
    serve(std::move(app), [](Served&) -> Task<void> { co_return; });
    EXPECT_THAT(events, ElementsAre("second"));
    EXPECT_THAT(logged.text(), HasSubstr("on_shutdown threw std::runtime_error: first"));
}

TEST(AppRunner, ABackgroundTasksExceptionIsLoggedAndTheServerGoesOn) {
    Logged logged;
    Application app;
    app.router().add_get("/{ms}", slow);
    app.background([]() -> Task<void> {
        co_await sleep(1s);
        throw std::runtime_error("ran dry");
    });
    serve(std::move(app), [](Served& served) -> Task<void> {
        auto answer = co_await ask(served.connect(), "/2000");
        EXPECT_THAT(answer, HasSubstr("slow"));
    });
    EXPECT_THAT(logged.text(),
                HasSubstr("background task 1 ended with std::runtime_error: ran dry"));
    EXPECT_THAT(logged.text(), HasSubstr("runner_test.cc"));
}

TEST(AppRunner, FreezesTheApplicationAndItsStorage) {
    Application app;
    app.on_startup().append([](Application& starting) -> Task<void> {
        EXPECT_TRUE(starting.is_frozen());
        starting.set(5);  // the storage is open until the start is over
        EXPECT_THROW(starting.router().add_get("/late", slow), Error);
        EXPECT_THROW(starting.on_cleanup().append(Application::Callback()), Error);
        EXPECT_THROW(starting.background([]() -> Task<void> { co_return; }), Error);
        co_return;
    });
    serve(std::move(app), [](Served& served) -> Task<void> {
        EXPECT_EQ(served.runner.app().get<int>(), 5);
        EXPECT_THROW(served.runner.app().set(6), Error);
        co_return;
    });
}

TEST(AppRunner, AHandlerThatEndsInTimeIsNotCut) {  // C176, C178
    Application app;
    app.router().add_get("/{ms}", slow);
    std::size_t cut = serve(std::move(app),
                            [](Served& served) -> Task<void> {
                                co_await task_group([&](TaskGroup& group) -> Task<void> {
                                    auto answer = group.create_task(ask, served.connect(), "/500");
                                    co_await sleep(1ms);
                                    EXPECT_EQ(co_await served.runner.cleanup(), 0U);
                                    EXPECT_EQ(testing::elapsed(), 500ms);
                                    std::string text = co_await answer;
                                    EXPECT_THAT(text, HasSubstr("200 OK"));
                                    EXPECT_THAT(text, HasSubstr("Connection: close"));
                                });
                            },
                            {.shutdown_timeout = 3s});
    EXPECT_EQ(cut, 0U);
}

TEST(AppRunner, AnIdleConnectionDoesNotHoldTheEndUp) {  // C179
    Application app;
    app.router().add_get("/{ms}", slow);
    std::unique_ptr<testing::MemoryStream> idle;
    serve(std::move(app),
          [&](Served& served) -> Task<void> {
              idle = served.connect();
              co_await sleep(1s);
              co_await served.runner.cleanup();
              EXPECT_EQ(testing::elapsed(), 1s);
              EXPECT_EQ(co_await idle->read(), "");
              EXPECT_THROW(served.connect(), Error);
              idle.reset();
          },
          {.shutdown_timeout = 10s});
}

TEST(AppRunner, WhatLastsLongerThanTheDeadlineIsCutAndCounted) {
    Logged logged;
    Events events;
    Application app;
    app.router().add_get("/{ms}", slow);
    app.cleanup_ctx(context(events, "quick", 100ms));
    std::size_t cut = serve(std::move(app),
                            [](Served& served) -> Task<void> {
                                co_await task_group([&](TaskGroup& group) -> Task<void> {
                                    auto first = group.create_task(ask, served.connect(), "/60000");
                                    auto second =
                                        group.create_task(ask, served.connect(), "/60000");
                                    auto third = group.create_task(ask, served.connect(), "/1000");
                                    co_await sleep(1ms);
                                    co_await served.runner.cleanup();
                                    EXPECT_LE(testing::elapsed(), 3s + 1ms);
                                    EXPECT_GT(testing::elapsed(), 2500ms);
                                    EXPECT_EQ(co_await first, "");
                                    EXPECT_EQ(co_await second, "");
                                    EXPECT_THAT(co_await third, HasSubstr("slow"));
                                });
                            },
                            {.shutdown_timeout = 3s});
    EXPECT_EQ(cut, 2U);
    EXPECT_THAT(logged.text(), HasSubstr("shutdown: 2 requests were cut at the deadline"));
    EXPECT_THAT(events, ElementsAre("quick up", "quick down"));
}

TEST(AppRunner, HurryEndsItNow) {
    Logged logged;
    Application app;
    app.router().add_get("/{ms}", slow);
    std::size_t cut = serve(std::move(app), [](Served& served) -> Task<void> {
        co_await task_group([&](TaskGroup& group) -> Task<void> {
            group.create_task(ask, served.connect(), "/50000");
            co_await sleep(1s);
            auto cleanup = group.create_task(&AppRunner::cleanup, std::ref(served.runner));
            co_await sleep(1s);
            served.runner.hurry();
            EXPECT_EQ(co_await cleanup, 1U);
            EXPECT_EQ(testing::elapsed(), 2s);
        });
    });
    EXPECT_EQ(cut, 1U);
}

TEST(AppRunner, AContextsSecondHalfIsShieldedUntilTheDeadline) {
    Logged logged;
    Events events;
    Application app;
    app.cleanup_ctx(context(events, "starved", 4s));
    app.cleanup_ctx([&](Application&, Started started) -> Task<void> {
        co_await started();
        try {
            co_await sleep(1h);
        } catch (const Cancelled& cancelled) {
            events.push_back("cut: " + cancelled.reason());
            throw;
        }
    });
    serve(std::move(app), [](Served&) -> Task<void> { co_return; }, {.shutdown_timeout = 10s});
    EXPECT_THAT(logged.text(), HasSubstr("a cleanup context was cancelled at the deadline"));
    EXPECT_THAT(events, ElementsAre("starved up", "cut: shutdown deadline"));
}

TEST(AppRunner, CancellingTheCallerDoesNotBreakTheCleanup) {
    Events events;
    Application app;
    app.cleanup_ctx(context(events, "slow", 2s));
    serve(std::move(app),
          [&](Served& served) -> Task<void> {
              co_await move_on_after(1s, [&]() -> Task<void> { co_await served.runner.cleanup(); });
              EXPECT_EQ(testing::elapsed(), 2s);
          },
          {.shutdown_timeout = 60s});
    EXPECT_THAT(events, ElementsAre("slow up", "slow down"));
}

}  // namespace
}  // namespace coracle::web
