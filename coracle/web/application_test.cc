// SPDX-License-Identifier: Apache-2.0
#include <coracle/web/application.h>

#include <coracle/core/event.h>
#include <coracle/web/request.h>
#include <coracle/web/response.h>
#include <coracle/web/worker_context.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace coracle::web {
namespace {

Task<Response> nothing(Request&) { co_return Response(204); }

TEST(Application, KeepsObjectsByTypeAndByKey) {
    constexpr AppKey<std::string> first("first");
    constexpr AppKey<std::string> second("second");
    Application app;
    app.emplace<Event>().set();  // neither copied nor moved
    app.emplace(first, "one");
    app.set(second, "two");
    app.set(std::string("by type"));
    app.set(std::make_shared<int>(7));
    EXPECT_TRUE(app.get<Event>().is_set());
    EXPECT_EQ(app.get(first), "one");
    EXPECT_EQ(app.get(AppKey<std::string>("second")), "two");
    EXPECT_EQ(app.get<std::string>(), "by type");
    EXPECT_EQ(app.get<int>(), 7);
    app.set(std::string("replaced"));
    EXPECT_EQ(app.get<std::string>(), "replaced");
    EXPECT_EQ(app.find<double>(), nullptr);
    try {
        app.get(AppKey<double>("rate"));
        ADD_FAILURE();
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), ::testing::HasSubstr("holds no double under the key 'rate'"));
    }
}

TEST(Application, DestroysWhatItKeepsInReverse) {
    std::vector<int> order;
    struct Mark {
        std::vector<int>& order;
        int number;
        ~Mark() { order.push_back(number); }
    };
    struct Other : Mark {};
    {
        Application app;
        app.set(std::shared_ptr<Mark>(new Mark{order, 1}));
        app.set(std::shared_ptr<Other>(new Other{{order, 2}}));
        Application moved = std::move(app);
        EXPECT_EQ(moved.get<Mark>().number, 1);
    }
    EXPECT_EQ(order, (std::vector<int>{2, 1}));
}

TEST(Application, ReferencesToWhatItHoldsSurviveAMove) {
    Application app;
    auto& value = app.emplace<std::string>("stays");
    auto& router = app.router();
    Application moved = std::move(app);
    EXPECT_EQ(&moved.get<std::string>(), &value);
    EXPECT_EQ(&moved.router(), &router);
}

TEST(Application, AddsRoutesFromAListAndAVector) {
    Application app;
    app.add_routes({get("/a", nothing), post("/a", nothing)});
    std::vector<RouteDef> more;
    more.push_back(route("PROPFIND", "/a", nothing));
    app.add_routes(std::move(more));
    EXPECT_EQ(app.router().size(), 3U);
    EXPECT_EQ(app.router()[2].label(), "PROPFIND /a");
}

TEST(WorkerContext, SharesOneObjectPerTypeAndName) {
    auto registry = WorkerContext::make_registry();
    WorkerContext first(0, 2, registry);
    WorkerContext second(1, 2, registry);
    EXPECT_EQ(second.index(), 1U);
    EXPECT_EQ(second.count(), 2U);
    int made = 0;
    auto make = [&made] {
        ++made;
        return std::string("shared");
    };
    auto one = first.shared<std::string>(make);
    auto two = second.shared<std::string>(make);
    auto named = second.shared<std::string>(make, "other");
    EXPECT_EQ(one, two);
    EXPECT_NE(one, named);
    EXPECT_EQ(made, 2);
    // A type that cannot be moved, a pointer, and a factory that asks for another.
    EXPECT_NE(first.shared<Event>([] { return Event(); }), nullptr);
    EXPECT_EQ(*first.shared<int>([] { return std::make_unique<int>(3); }), 3);
    EXPECT_EQ(*first.shared<long>([&] { return long{*first.shared<int>([] { return 0; })}; }), 3);
}

TEST(WorkerContext, MakesAnObjectOnceHoweverManyThreadsAsk) {
    auto registry = WorkerContext::make_registry();
    std::atomic<int> made{0};
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < 8; ++i) {
        threads.emplace_back([&, i] {
            WorkerContext worker(i, 8, registry);
            auto value = worker.shared<int>([&] { return ++made; });
            EXPECT_EQ(*value, 1);
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(made, 1);
}

}  // namespace
}  // namespace coracle::web
