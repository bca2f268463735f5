// SPDX-License-Identifier: Apache-2.0
// What GCC 12 miscompiles around co_await: lint_await.sh must find the marked lines and no other.
#include <coroutine>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

template <class T>
struct Task {
    struct promise_type {
        Task get_return_object() { return {}; }
        std::suspend_always initial_suspend() { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        void unhandled_exception() {}
        template <class U = T>
        void return_value(U&&) {}
    };
    bool await_ready() { return true; }
    void await_suspend(std::coroutine_handle<>) {}
    T await_resume() { return T(); }
};

struct Options {
    std::string host;
    int port = 0;
};
struct Limits {
    int bytes_max = 0;
};
struct Pair {
    std::string first, second;
};

Task<std::string> name();
Task<int> connect(Options options, Limits limits = {});
Task<int> limited(Limits limits);
Task<int> sum(std::initializer_list<int> numbers);
Task<int> greet(std::string who);
template <class F>
Task<int> call(F function);

Task<int> found(bool flag, std::string text, std::shared_ptr<int> shared) {
    int total = 0;
    total += co_await call(
        [shared] { return *shared; });  // finds: capturing lambda in co_await expression
    total += co_await call(
        [text = std::move(text)] { return 1; });  // finds: capturing lambda in co_await expression
    total += co_await connect(
        {.host = "localhost"});  // finds: aggregate temporary in co_await expression
    total += co_await connect(
        Options{"localhost", 80});     // finds: aggregate temporary in co_await expression
    total += co_await sum({1, 2, 3});  // finds: braced list in co_await expression
    total +=
        co_await greet(flag ? text + "!" : text);  // finds: class-typed ?: in co_await expression
    Pair pair{co_await name(), "second"};          // finds: co_await inside aggregate braces
    if (flag) throw std::runtime_error(co_await name());  // finds: co_await inside throw
    std::unique_ptr<std::string> owned(
        new std::string(co_await name()));  // finds: co_await inside new
    co_return total + static_cast<int>(pair.first.size() + owned->size());
}

int counter = 0;
Task<int> bare_if() {
    if (co_await limited({}) > 0) ++counter;  // finds: awaiting condition where nothing is declared
    co_return counter;
}
Task<int> bare_while(int limit) {
    try {
        while (counter < limit &&  // finds: awaiting condition where nothing is declared
               co_await limited({}) > 0) {
            ++counter;
        }
    } catch (const std::exception&) {
        counter = 0;
    }
    co_return counter;
}
Task<int> not_bare() {
    int result = 0;
    if (co_await limited({}) > 0) ++result;
    while (co_await limited({}) > 0) ++result;
    auto lambda = []() -> Task<int> {
        if (co_await limited({}) > 0) ++counter;
        co_return counter;
    };
    co_return result + co_await lambda();
}
Task<int> declared_in_the_condition() {
    if (int more = co_await limited({})) counter += more;
    co_return co_await limited({}) > 0 ? counter : 0;
}

Task<int> not_found(bool flag, std::string text, std::shared_ptr<int> shared) {
    int total = 0;
    auto named = [shared] { return *shared; };
    total += co_await call(named);
    total += co_await call([&] { return *shared; });
    total += co_await call([total] { return total; });
    total += co_await limited({.bytes_max = 5});
    Options options{"localhost", 80};
    total += co_await connect(std::move(options));
    std::initializer_list<int> numbers = {1, 2, 3};
    total += co_await sum(numbers);
    total += co_await greet("a" + text);
    total += flag ? co_await greet(text) : 0;
    total += co_await call([&]() -> Task<int> {
        std::string either = flag ? text + "!" : text;
        std::vector<int> list = {1, 2, 3};
        co_return co_await greet(either) + list[0];
    });
    Pair later{[&]() -> Task<std::string> { co_return co_await name(); }().await_resume(), ""};
    std::string first = co_await name();
    Pair pair{first, "second"};
    co_return total + static_cast<int>(pair.first.size());
}

}  // namespace

int main() {
    (void)&found;
    (void)&bare_if;
    (void)&bare_while;
    (void)&not_bare;
    (void)&declared_in_the_condition;
    (void)&not_found;
}
