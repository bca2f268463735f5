// SPDX-License-Identifier: Apache-2.0
#include <coracle/web/router.h>

#include <coracle/web/response.h>

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace coracle::web {
namespace {

Task<Response> nothing(Request&) { co_return Response(204); }

// "pattern name=value ..." of the route that answers; "404", or "405 Allow".
std::string route(const Router& router, std::string_view method, std::string_view raw_path) {
    std::string path = Router::normalize(raw_path);
    RouteMatch match;
    router.find(http::parse_method(method), method, path, match);
    if (!match.route) return match.path_found ? "405 " + router.allowed(path) : "404";
    std::string text = match.route->path();
    for (std::uint32_t i = 0; i < match.count; ++i) {
        text += " " + match.route->variables()[i] + "=" +
                path.substr(match.values[i].offset, match.values[i].size);
    }
    return text;
}

Router router_of(const std::vector<std::string>& patterns) {
    Router router;
    for (const std::string& pattern : patterns) router.add_get(pattern, nothing);
    return router;
}

TEST(Router, MatchesPatterns) {
    Router router = router_of({
        "/",
        "/plain",
        "/slash/",
        "/users/{id}",
        "/users/{id}/posts/{post}",
        "/n/{id:[0-9]+}",
        "/d/{year:\\d{4}}",
        "/files/{path:.+}",
        "/maybe/{tail:.*}",
        "/page/{name}.html",
        "/two/{a}-{b}",
        "/alt/{kind:cat|dog}/x",
        "/nest/{x:(a(b)c)+}/{y}",
        "/greet[/{name}]",
        "/list[/all]",
        "/caf\xC3\xA9",
        "/esc%20aped",
        "/hex/{id:[0-9a-f]{2,4}}",
        "//two",
    });
    struct Case {
        const char* path;
        const char* expected;
    };
    for (auto [path, expected] : std::vector<Case>{
             {"/", "/"},
             {"/plain", "/plain"},
             {"/plain/", "404"},
             {"/slash", "404"},
             {"/slash/", "/slash/"},
             {"/users/7", "/users/{id} id=7"},
             {"/users/", "404"},
             {"/users/7/", "404"},
             {"/users/7/posts/8", "/users/{id}/posts/{post} id=7 post=8"},
             {"/n/12", "/n/{id:[0-9]+} id=12"},
             {"/n/12x", "404"},
             {"/d/1990", "/d/{year:\\d{4}} year=1990"},
             {"/d/19901", "404"},
             {"/files/a/b/c", "/files/{path:.+} path=a/b/c"},
             {"/files/", "404"},
             {"/maybe/", "/maybe/{tail:.*} tail="},
             {"/page/a.b.html", "/page/{name}.html name=a.b"},
             {"/page/.html", "404"},
             {"/two/a-b-c", "/two/{a}-{b} a=a-b b=c"},
             {"/alt/dog/x", "/alt/{kind:cat|dog}/x kind=dog"},
             {"/alt/cow/x", "404"},
             {"/nest/abcabc/z", "/nest/{x:(a(b)c)+}/{y} x=abcabc y=z"},
             {"/greet", "/greet[/{name}]"},
             {"/greet/Ada", "/greet[/{name}] name=Ada"},
             {"/greet/", "404"},
             {"/list", "/list[/all]"},
             {"/list/all", "/list[/all]"},
             {"/caf%C3%A9", "/caf\xC3\xA9"},
             {"/esc%20aped", "/esc%20aped"},
             {"/pl%61in", "/plain"},
             {"/hex/1f", "/hex/{id:[0-9a-f]{2,4}} id=1f"},
             {"/hex/1", "404"},
             {"/hex/12345", "404"},
             {"//two", "//two"},
             {"/two", "404"},
             {"*", "404"},
             {"", "404"},
             {"/users/1+2", "/users/{id} id=1+2"},          // C127
             {"/users/a%2Fb", "/users/{id} id=a%2Fb"},      // C128: never a separator
             {"/users/a%252Fb", "/users/{id} id=a%252Fb"},  // C040: decoded once, later
             {"/users/50%", "/users/{id} id=50%25"},
             {"/users/%7Bx%7D", "/users/{id} id={x}"},
         }) {
        EXPECT_EQ(route(router, "GET", path), expected) << path;
    }
}

// C124, and the order of a look-up.
TEST(Router, FixedBeatsVariableLongerBeginningsBeatShorterAndTheFirstBeatsTheRest) {
    Router router =
        router_of({"/{a}", "/{b}", "/x/{any:.*}", "/x/y/{z}", "/x/fixed", "/{a}/fixed"});
    EXPECT_EQ(route(router, "GET", "/1"), "/{a} a=1");
    EXPECT_EQ(route(router, "GET", "/x/fixed"), "/x/fixed");
    EXPECT_EQ(route(router, "GET", "/x/y/1"), "/x/y/{z} z=1");
    EXPECT_EQ(route(router, "GET", "/x/y/1/2"), "/x/{any:.*} any=y/1/2");
    EXPECT_EQ(route(router, "GET", "/q/fixed"), "/{a}/fixed a=q");
}

// C125.
TEST(Router, ListsAllowedMethodsOfEveryPatternThatMatches) {
    Router router;
    router.add_get("/a", nothing);
    router.add_post("/a", nothing);
    router.add_put("/{x}", nothing);
    router.add_get("/b", nothing, {.allow_head = false});
    EXPECT_EQ(route(router, "DELETE", "/a"), "405 GET,HEAD,POST,PUT");
    EXPECT_EQ(route(router, "PUT", "/a"), "/{x} x=a");
    EXPECT_EQ(route(router, "HEAD", "/a"), "/a");
    EXPECT_EQ(route(router, "HEAD", "/b"), "405 GET,PUT");
    EXPECT_EQ(route(router, "PUT", "/a/b"), "404");
}

TEST(Router, AnswersOtherMethodsAndTheWildcard) {
    Router router;
    router.add_route("PROPFIND", "/dav", nothing);
    router.add_route("*", "/any", nothing);
    auto& own = router.add_get("/any", nothing);
    EXPECT_EQ(route(router, "PROPFIND", "/dav"), "/dav");
    EXPECT_EQ(route(router, "PROPPATCH", "/dav"), "405 PROPFIND");
    EXPECT_EQ(route(router, "MKCOL", "/any"), "/any");
    RouteMatch match;
    router.find(http::Method::GET, "GET", "/any", match);
    EXPECT_EQ(match.route, &own);
    router.find(http::Method::DELETE, "DELETE", "/any", match);
    EXPECT_EQ(match.route->method(), "*");
}

TEST(Router, AHeadRouteOfItsOwnReplacesTheImpliedOne) {
    for (bool head_first : {true, false}) {
        Router router;
        if (head_first) router.add_head("/", nothing);
        router.add_get("/", nothing);
        if (!head_first) router.add_head("/", nothing);
        RouteMatch match;
        router.find(http::Method::HEAD, "HEAD", "/", match);
        EXPECT_EQ(match.route->method(), "HEAD");
        EXPECT_THROW(router.add_head("/", nothing), RouteError);
    }
}

TEST(Router, RefusesBadPatternsWithASentence) {
    struct Case {
        const char* pattern;
        const char* sentence;
    };
    for (auto [pattern, sentence] : std::vector<Case>{
             {"", "does not begin with '/'"},
             {"x", "does not begin with '/'"},
             {"/{", "has '{' without '}'"},
             {"/{a", "has '{' without '}'"},
             {"/a}", "has '}' without '{'"},
             {"/{}", "has a variable named ''"},
             {"/{1a}", "has a variable named '1a'"},
             {"/{a-b}", "has a variable named 'a-b'"},
             {"/{a}/{a}", "has two variables named 'a'"},
             {"/{a:}", "has an empty regular expression for 'a'"},
             {"/{a:[}", "has a regular expression that cannot be used"},
             {"/{a:(b}", "has a regular expression that cannot be used"},
             {"/{a:(b)\\1}", "has a regular expression that cannot be used"},
             {"/a[/b", "only the last segment can be optional"},
             {"/a[/b]/c", "only the last segment can be optional"},
             {"/a]", "has '[' or ']' without its other half"},
             {"/a[b]", "must hold '/' and one segment"},
             {"/a[/]", "must hold '/' and one segment"},
             {"/a[/b/c]", "must hold '/' and one segment"},
             {"/a?b", "only paths are matched"},
             {"/a\nb", "holds a control byte"},
             {"/{a}{b}{c}{d}{e}{f}{g}{h}{i}{j}{k}{l}{m}{n}{o}{p}{q}", "variables_count_max, 16"},
         }) {
        Router router;
        try {
            router.add_get(pattern, nothing);
            ADD_FAILURE() << pattern << " was accepted";
        } catch (const RouteError& error) {
            EXPECT_NE(std::string(error.what()).find(sentence), std::string::npos) << error.what();
        }
        EXPECT_EQ(router.size(), 0U) << pattern;
    }
    Router router;
    EXPECT_THROW(router.add_get("/" + std::string(RouterLimits::pattern_bytes_max, 'a'), nothing),
                 RouteError);
    std::string deep;
    for (int i = 0; i < 33; ++i) deep += "/a";
    EXPECT_THROW(router.add_get(deep + "/{x}", nothing), RouteError);
    router.add_get(deep, nothing);
    EXPECT_EQ(route(router, "GET", deep), deep);
}

TEST(Router, RefusesTheSameRouteTwiceAndUnusableMethods) {
    Router router;
    router.add_get("/a", nothing);
    router.add_get("/greet[/{name}]", nothing);
    router.add_route("LOCK", "/a", nothing);
    EXPECT_THROW(router.add_get("/a", nothing), RouteError);
    EXPECT_THROW(router.add_get("/%61", nothing), RouteError);
    EXPECT_THROW(router.add_get("/greet", nothing), RouteError);
    EXPECT_THROW(router.add_route("LOCK", "/a", nothing), RouteError);
    EXPECT_THROW(router.add_route("get", "/b", nothing), RouteError);
    EXPECT_THROW(router.add_route("BAD METHOD", "/b", nothing), RouteError);
    EXPECT_THROW(router.add_get("/b", Handler()), RouteError);
    // What was refused has left nothing behind.
    EXPECT_EQ(route(router, "GET", "/b"), "404");
    EXPECT_EQ(router.size(), 3U);
}

TEST(Router, IsFrozenOnceTheApplicationHasStarted) {
    Router router;
    router.internal_freeze();
    EXPECT_THROW(router.add_get("/a", nothing), Error);
}

TEST(Router, ALongPathMeetsNoRegularExpression) {
    Router router = router_of({"/r/{x:(a|b)+}", "/s/{x:.+}"});
    std::string longest = "/r/" + std::string(RouterLimits::regex_path_bytes_max - 3, 'a');
    EXPECT_NE(route(router, "GET", longest), "404");
    EXPECT_EQ(route(router, "GET", longest + "a"), "404");
    EXPECT_NE(route(router, "GET", "/s/" + std::string(8000, 'a')), "404");
}

// (a+)+b takes exponential time where backtracking is used.
TEST(Router, AnExponentialExpressionTakesPolynomialTime) {
    Router router = router_of({"/{x:(a+)+b}"});
    EXPECT_EQ(route(router, "GET", "/" + std::string(200, 'a')), "404");
    EXPECT_EQ(route(router, "GET", "/" + std::string(20, 'a') + "b"),
              "/{x:(a+)+b} x=" + std::string(20, 'a') + "b");
}

TEST(Router, FindsEachOfManyRoutes) {
    Router router;
    for (int i = 0; i < 500; ++i) {
        router.add_get("/fixed/" + std::to_string(i), nothing);
        router.add_get("/var" + std::to_string(i) + "/{x}", nothing);
    }
    for (int i = 0; i < 500; ++i) {
        std::string number = std::to_string(i);
        EXPECT_EQ(route(router, "GET", "/fixed/" + number), "/fixed/" + number);
        EXPECT_EQ(route(router, "GET", "/var" + number + "/q"), "/var" + number + "/{x} x=q");
    }
    EXPECT_EQ(router.size(), 1000U);
    EXPECT_EQ(router[0].label(), "GET /fixed/0");
}

}  // namespace
}  // namespace coracle::web
