#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""awaiting_functions.py finds every form in which a header declares something that can be awaited, and tells when the
matrix and the headers differ."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import awaiting_functions as tool  # noqa: E402

CORE = """
namespace coracle {
template <class T = void> class Task { public: class Awaiter; Awaiter operator co_await() && noexcept; };
template <class T> class Task<T>::Awaiter { public: T await_resume(); };
class Park { public: virtual bool withdraw() = 0; };
template <class A, class O> class [[nodiscard]] Operation { public: A operator co_await() && noexcept { return A(); } };
namespace internal {
template <class T, class P> class Scoped { public: int operator co_await() &&; };
Task<void> hidden_function();
auto helper(int n) { return Scoped<int, int>(n); }
template <class T> class Base {
  public:
    class Get;
    class [[nodiscard]] PutBuilder;
    Operation<Get, Base> get() noexcept { return Operation<Get, Base>(*this); }
    PutBuilder put(T item) { return PutBuilder(*this, std::move(item)); }
  private:
    Task<void> secret();
};
template <class T> class Base<T>::PutBuilder { public: int operator co_await() && { return 1; } };
}  // namespace internal
}  // namespace coracle
"""


class Rows(unittest.TestCase):
    def rows(self, **headers):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in {"core__core": CORE, **headers}.items():
                path = root / "coracle" / (name.replace("__", "/") + ".h")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return tool.public_rows(root)

    def expect(self, declarations, *rows):
        self.assertEqual(self.rows(x="namespace coracle {\n" + declarations + "\n}"), sorted(rows))

    def test_free_functions(self):
        self.expect("Task<int> answer(int question, const std::string& why = \"(\");", "answer(question, why)")
        self.expect("template <class... A> requires(sizeof...(A) > 0) Task<std::tuple<A...>> all(A&&... tasks);",
                    "all(tasks...)")
        self.expect("template <class H> requires std::is_constructible_v<int, const H&>\n"
                    "Task<std::vector<H>> wait(std::vector<H> handles, Options o = {}) { return f<H>(handles); }",
                    "wait(handles, o)")
        self.expect("namespace net { Task<std::unique_ptr<Stream>> connect(Address address); }",
                    "net::connect(address)")

    def test_overloads_are_told_apart_by_their_parameters(self):
        self.expect("Task<void> go(int a);\nTask<void> go(int a, int b);", "go(a)", "go(a, b)")

    def test_what_is_deduced(self):
        self.expect("template <class B> auto timeout(int span, B&& body) {\n"
                    "  using T = int; return internal::Scoped<T, B>(1); }\n"
                    "template <class B> auto fail_after(int span, B&& body) { return timeout(span, body); }\n"
                    "inline auto third(int n) { if (n) { n = 1; } return internal::helper(n); }\n"
                    "inline auto number() { return 7; }",
                    "timeout(span, body)", "fail_after(span, body)", "third(n)")

    def test_members(self):
        self.expect("class Lock { public: class Acquire : public Park {};\n"
                    "  Operation<Acquire, int> lock() noexcept { return f(); } };\n"
                    "class Condition { public: Condition(Lock& l) : lock_(l), n_{1} {}\n"
                    "  auto lock() { return lock_.lock(); } Acquire direct(); \n"
                    "  private: Task<void> do_wait(); Lock& lock_; int n_; };",
                    "Lock::lock()", "Condition::lock()", "Condition::direct()")
        self.expect("struct Plain { int count = 0; std::optional<int> n{}; Task<void> run(); };", "Plain::run()")
        self.expect("class Abstract { public: virtual Task<void> serve(Handler& handler) = 0; };",
                    "Abstract::serve(handler)")
        self.expect("class Caller { public: Task<int> operator()(Request& request) const; };",
                    "Caller::operator()(request)")

    def test_an_awaiter_is_one_through_any_base(self):
        self.expect("class A : public Park {};\nclass B final : public A, private Timer {};\n"
                    "B wait_b() noexcept { return B(); }",
                    "wait_b()")

    def test_what_an_internal_base_has_is_the_derived_class_s(self):
        self.expect("template <class T> class Queue : public internal::Base<T> {\n"
                    "  public: explicit Queue(int n); };",
                    "Queue::get()", "Queue::put(item)")

    def test_a_handle_is_awaited_by_name(self):
        self.expect("class Ref { public: class Awaiter; Awaiter operator co_await() const noexcept; };\n"
                    "class Ref::Awaiter final : public Park {};\nRef current();\nstd::vector<Ref> all();",
                    "Ref::operator co_await()")

    def test_a_completion_token_of_asio_s_is_a_constant(self):
        token = ("namespace coracle { class Token { public: constexpr Token() noexcept = default; };\n"
                 "inline constexpr Token token; inline constexpr int number = 1;\n"
                 "namespace internal { inline constexpr Token hidden; } class Has { Token member; }; }\n")
        result = ("namespace boost::asio { template <class R, class... A>\n"
                  "class async_result<coracle::Token, R(A...)> { public: template <class I>\n"
                  "  static auto initiate(I i, coracle::Token) { return coracle::Task<int>(i); } }; }\n")
        self.assertEqual(self.rows(adapt__asio=token + result), ["token"])
        self.assertEqual(self.rows(adapt__asio=token), [])

    def test_what_is_not_listed(self):
        self.expect("class A { Task<void> hidden(); public: Task<void> internal_f(); Task<void> gone() = delete;\n"
                    "  Task<int>& task(); using F = Task<void> (*)(int); F f; friend Task<void> other(); class In;\n"
                    "  private: class Deep { public: Task<void> f(); }; };\n"
                    "// Task<void> in_a_comment();\n#define X Task<void> in_a_macro();\n"
                    "namespace internal { Task<void> mine(); struct S { Task<void> g(); }; }\n"
                    "std::function<Task<void>()> callback();")
        self.assertEqual(self.rows(core__internal__deep="namespace coracle { Task<void> f(); }"), [])

    def test_a_header_that_cannot_be_read_fails(self):
        with self.assertRaises(SystemExit):
            self.expect("Task<void> f(;")

    def test_no_headers_fail(self):
        with tempfile.TemporaryDirectory() as folder, self.assertRaises(SystemExit):
            tool.public_rows(pathlib.Path(folder))


class Comparing(unittest.TestCase):
    def test_both_directions_name_the_function(self):
        self.assertEqual(list(tool.compare(["a()"], ["a()"])), [])
        self.assertRegex("".join(tool.compare(["a()", "b()"], ["a()"])), r"^b\(\): the headers have it, the matrix")
        self.assertRegex("".join(tool.compare(["a()"], ["a()", "c()"])), r"^c\(\): the matrix has a row")

    def test_a_row_that_is_missing_fails_the_program(self):
        with tempfile.TemporaryDirectory() as folder:
            matrix = pathlib.Path(folder) / "matrix"
            rows = tool.public_rows(tool.ROOT)
            matrix.write_text("#!/bin/sh\ncat <<'END'\n" + "\n".join(rows[1:]) + "\nEND\n")
            matrix.chmod(0o755)
            done = subprocess.run([sys.executable, tool.__file__, "--against", str(matrix)],
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, 1)
            self.assertEqual(done.stdout.count("\n"), 1)
            self.assertTrue(done.stdout.startswith(rows[0] + ":"), done.stdout)

    def test_this_checkout_has_what_everybody_knows(self):
        rows = tool.public_rows(tool.ROOT)
        for known in ("sleep(span)", "Queue::put(item)", "LifoQueue::get()", "net::Stream::read(limit)",
                      "TaskHandle::operator co_await()", "to_thread(fn, args...)", "web::Request::json()",
                      "gather(tasks, options)", "gather(awaitables...)", "Condition::lock()",
                      "await_callback(start, cancel)", "use_task"):
            self.assertIn(known, rows)
        self.assertFalse([row for row in rows if "internal" in row or "create_task" in row])


if __name__ == "__main__":
    unittest.main()
