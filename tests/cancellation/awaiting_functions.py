#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every public function that can be awaited, read from the headers: the rows of the cancellation matrix.

    tests/cancellation/awaiting_functions.py                    one function a line
    tests/cancellation/awaiting_functions.py --against PROGRAM  compares them with what `PROGRAM --rows` prints, and
                                                                names each function that only one side has
    tests/cancellation/awaiting_functions.py --root ROOT        other headers than this checkout's

A function is listed when it returns a Task, a builder (a class with `operator co_await() &&`) or an awaiter (a class
that derives from Park), or `auto` for one of these. Something awaited by name, such as a TaskHandle, is not made to be
awaited at once: its `operator co_await` is listed, not the functions that return it. Of a class that derives from one
in an internal header the inherited functions count as its own. Names that begin with internal_ are the library's.
A completion token of Asio's makes functions of others awaitable: the constant is listed whose type has an async_result.

A line reads `net::Stream::read(limit)`: the name below coracle, and the names of the parameters, which tell overloads
apart.
"""

import argparse
import dataclasses
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TOKEN = re.compile(r"[A-Za-z_]\w*|::|->|\.\.\.|&&|\[\[|\]\]|\d[\w.']*|\S")
LITERAL = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?<!\w)\'(?:\\.|[^\'\\\n])\'', re.S)
DIRECTIVE = re.compile(r"^[ \t]*#(?:.*\\\n)*.*$", re.M)
OPEN, CLOSE = {"(": ")", "{": "}", "[": "]", "[[": "]]"}, {")", "}", "]", "]]"}
SPECIFIERS = {"virtual", "static", "inline", "constexpr", "explicit", "consteval", "const", "typename", "extern"}
NOT_NAMES = {"requires", "noexcept", "decltype", "alignas", "sizeof", "static_assert", "explicit", "if", "return"}


class Unreadable(Exception):
    pass


@dataclasses.dataclass
class Class:
    name: str  # below coracle, joined by ::
    public: bool
    bases: list
    open_at_first: bool = True  # a struct's members are public before any label
    co_await: str = ""  # "&&" for a builder, "const" for what is awaited by name
    is_awaiter: bool = False


@dataclasses.dataclass
class Function:
    scope: str
    name: str
    parameters: list
    returns: list  # tokens of the type at the end of what stands before the name
    body: list
    public: bool  # in a public header, and reachable
    member_access: bool  # public inside its own class, whatever that class is

    def key(self, scope=None):
        scope = self.scope if scope is None else scope
        return (scope + "::" if scope else "") + f"{self.name}({', '.join(self.parameters)})"


def plain(text):
    """Without comments, literals and directives."""
    text = LITERAL.sub(lambda match: '""' if match[0][0] in "\"'" else " ", text)
    return DIRECTIVE.sub("", text)


def matching(tokens, start):
    """The index of what closes the bracket at `start`."""
    depth = 0
    for index in range(start, len(tokens)):
        if tokens[index] in OPEN:
            depth += 1
        elif tokens[index] in CLOSE:
            depth -= 1
            if depth == 0:
                return index
    raise Unreadable("a bracket is not closed")


def angle_end(tokens, start):
    """The index of the > for the < at `start`; None if it is an operator."""
    depth, index = 0, start
    while index < len(tokens):
        token = tokens[index]
        if token in ("(", "[", "{"):
            index = matching(tokens, index)
        elif token == "<":
            depth += 1
        elif token == ">":
            depth -= 1
            if depth == 0:
                return index
        elif token in (";", ")", "}"):
            return None
        index += 1
    return None


def split(tokens):
    """At the commas outside of all brackets."""
    parts, current, index = [], [], 0
    while index < len(tokens):
        token = tokens[index]
        end = None
        if token in OPEN:
            end = matching(tokens, index)
        elif token == "<":
            end = angle_end(tokens, index)
        if end is not None:
            current += tokens[index:end + 1]
            index = end
        elif token == ",":
            parts.append(current)
            current = []
        else:
            current.append(token)
        index += 1
    return parts + [current] if current or parts else []


def is_name(token):
    return re.fullmatch(r"[A-Za-z_]\w*", token) is not None


def parameter_name(tokens):
    if "=" in tokens:
        tokens = tokens[:tokens.index("=")]
    names = [token for token in tokens if is_name(token)]
    return (names[-1] if names else "?") + ("..." if "..." in tokens else "")


def last_type(tokens):
    """The type that a sequence such as `requires (...) const ns::Name<A, B>&` ends with."""
    tokens = [token for token in tokens if token not in SPECIFIERS]
    while tokens and tokens[-1] in ("&", "&&", "*"):
        tokens = tokens[:-1]
    if not tokens:
        return []
    start = len(tokens) - 1
    if tokens[start] == ">":
        depth = 0
        while start >= 0:
            depth += (tokens[start] == ">") - (tokens[start] == "<")
            start -= 1
            if depth == 0:
                break
    while start > 1 and tokens[start - 1] == "::" and is_name(tokens[start - 2]):
        start -= 2
    return tokens[max(start, 0):]


def head_of(type_tokens):
    """`ns::Name` of `ns::Name<A>`."""
    name = []
    for token in type_tokens:
        if token != "::" and not is_name(token):
            break
        name.append(token)
    return "".join(name).removeprefix("coracle::")


class Headers:
    def __init__(self):
        self.classes = {}
        self.functions = []
        self.members = {}  # (class or namespace, data member or constant) -> the tokens of its type
        self.tokens = set()  # the types that async_result is specialized for

    def read(self, path, text):
        self._hidden = set()  # nested classes declared in a private part, defined below
        self._internal_file = "internal" in path.parts
        tokens = TOKEN.findall(plain(text))
        try:
            self._scope(tokens, "", not self._internal_file, None)
        except (Unreadable, IndexError) as error:
            raise SystemExit(f"{path}: cannot be read as a header: {error}")

    def _scope(self, tokens, scope, public, current_class):
        """The declarations of a namespace or class."""
        access = current_class is None or current_class.open_at_first
        index, statement = 0, []
        while index < len(tokens):
            token = tokens[index]
            if token in ("public", "private", "protected") and not statement and tokens[index + 1] == ":":
                access = token == "public"
                index += 2
                continue
            if token == "{":
                end = matching(tokens, index)
                if self._braces(statement, tokens[index + 1:end], scope, public, access, current_class):
                    statement = []
                elif tokens[end + 1:end + 2] and tokens[end + 1] in (",", "{"):
                    statement += ["{", "}"]  # an initializer of a constructor's member
                index = end
            elif token == ";":
                self._declaration(statement, [], scope, public, access, current_class)
                statement = []
            elif token in ("(", "[", "[["):
                end = matching(tokens, index)
                statement += tokens[index:end + 1]
                index = end
            else:
                statement.append(token)
            index += 1

    def _braces(self, statement, body, scope, public, access, current_class):
        """What a { after `statement` begins. True when its } ends the statement."""
        statement = self._without_template(statement)
        if "namespace" in statement[:2]:
            names = [token for token in statement if is_name(token) and token not in ("namespace", "inline")]
            inner = [name for name in names if name != "coracle"]
            self._scope(body, "::".join(filter(None, [scope, *inner])),
                        not self._internal_file and "internal" not in (scope.split("::") + inner) and bool(names), None)
            return True
        if statement and statement[0] == "enum":
            return True
        if statement and statement[0] in ("class", "struct", "union"):
            self._class(statement, body, scope, public and access)
            return False  # up to the ;
        if self._declarator(statement) is not None:
            # A member initializer in braces: the body is still to come.
            if self._is_member_initializer(statement):
                return False
            self._declaration(statement, body, scope, public, access, current_class)
            return True
        return False

    @staticmethod
    def _is_member_initializer(statement):
        """`Name(int a) : a_` before a brace."""
        for index, token in enumerate(statement):
            if token == ":" and ")" in statement[:index]:
                return is_name(statement[-1])
        return False

    def _class(self, statement, body, scope, public):
        header, bases = statement[1:], []
        if ":" in header:
            colon = header.index(":")
            for base in split(header[colon + 1:]):
                kept = [t for t in base if t not in ("public", "virtual", "protected", "private")]
                bases.append((head_of(kept), "private" not in base and "protected" not in base
                              and (statement[0] == "struct" or "public" in base)))
            header = header[:colon]
        while header and header[0] == "[[":
            header = header[matching(header, 0) + 1:]
        name = []
        while header and header[0] != "final":
            if header[0] != "<":
                name.append(header[0])
                header = header[1:]
            elif header[angle_end(header, 0) + 1:][:1] == ["::"]:
                header = header[angle_end(header, 0) + 1:]  # a member of a template
            else:
                if name == ["async_result"]:
                    self.tokens.add(head_of(split(header[1:])[0]))
                return  # a specialization: the primary template speaks for it
        name = "".join(name)
        if not name:
            return
        full = "::".join(filter(None, [scope, name]))
        info = Class(full, public and full not in self._hidden, bases, statement[0] != "class")
        self.classes[full] = info
        self._scope(body, full, info.public, info)

    @staticmethod
    def _without_template(statement):
        while statement and statement[0] == "template":
            end = angle_end(statement, 1)
            statement = statement[end + 1:]
        while statement and statement[0] == "[[":
            statement = statement[matching(statement, 0) + 1:]
        return statement

    @staticmethod
    def _declarator(statement):
        """Where the function's name begins, and the ( of its parameters; None if it is no function."""
        index = 0
        while index < len(statement):
            token = statement[index]
            if token == "operator":
                call = statement[index + 1:index + 3] == ["(", ")"]
                start = index + 3 if call else index + 1
                while start < len(statement) and statement[start] != "(":
                    start += 1
                return (index, start) if start < len(statement) else None
            if token == "=":
                return None
            if token == "(" and index > 0:
                name = statement[index - 1]
                if is_name(name) and name not in NOT_NAMES:
                    begin = index - 1
                    while begin > 1 and statement[begin - 1] == "::" and is_name(statement[begin - 2]):
                        begin -= 2
                    return begin, index
                index = matching(statement, index)
            elif token == "<":
                end = angle_end(statement, index)
                if end is not None:
                    index = end
            index += 1
        return None

    def _declaration(self, statement, body, scope, public, access, current_class):
        statement = self._without_template(statement)
        if not statement or statement[0] in ("using", "friend", "typedef", "static_assert", "concept"):
            return
        if statement[0] in ("class", "struct") and len(statement) == 2 and not access:
            self._hidden.add("::".join(filter(None, [scope, statement[1]])))
            return
        found = self._declarator(statement)
        if found is None:
            declared = statement[:statement.index("=")] if "=" in statement else statement
            if len(declared) > 1 and is_name(declared[-1]):
                self.members[scope, declared[-1]] = last_type(declared[:-1])
            return
        begin, paren = found
        name_tokens = statement[begin:paren]
        close = matching(statement, paren)
        tail = statement[close + 1:]
        if tail[-2:] == ["=", "delete"] or "~" in statement[max(begin - 1, 0):paren]:
            return
        words = "".join(name_tokens) if name_tokens[0] != "operator" else "operator " + "".join(name_tokens[1:])
        words = words.replace("operator ()", "operator()")
        if "::" in words and name_tokens[0] != "operator":
            return  # the definition of what a class has declared
        if current_class is not None:
            if words == "operator co_await":
                current_class.co_await = "const" if "const" in tail else "&&"
            if words == "await_resume":
                current_class.is_awaiter = True
        before = statement[:begin]
        returns = last_type(before)
        if before[-1:] in (["&"], ["*"]) or words == "operator =":
            return  # refers to something that is there already
        if "->" in tail:
            returns = last_type(tail[tail.index("->") + 1:])
        if not returns:
            return  # a constructor
        parameters = [parameter_name(p) for p in split(statement[paren + 1:close])]
        self.functions.append(Function(scope, words, parameters, returns, body, public and access, access))

    # What things are, once all headers are read.

    def find_class(self, name, scope):
        parts = scope.split("::") if scope else []
        for length in range(len(parts), -1, -1):
            info = self.classes.get("::".join(parts[:length] + [name]))
            if info:
                return info
        ends = [c for full, c in self.classes.items() if full.endswith("::" + name)]
        return ends[0] if len(ends) == 1 else None

    def kind_of_class(self, info, seen=()):
        """"builder", "awaiter", "handle" or ""."""
        if info is None or info.name in seen:
            return ""
        if info.name == "Task" or info.co_await == "&&":
            return "builder"
        if info.co_await == "const":
            return "handle"
        if info.is_awaiter or info.name == "Park":
            return "awaiter"
        for base, _ in info.bases:
            kind = self.kind_of_class(self.find_class(base, info.name), (*seen, info.name))
            if kind:
                return kind
        return ""

    def kind_of(self, function, seen=()):
        if id(function) in seen:
            return ""
        head = head_of(function.returns)
        if head != "auto":
            return self.kind_of_class(self.find_class(head, function.scope))
        for index, token in enumerate(function.body):
            if token in ("co_return", "co_await"):
                return "builder"
            if token == "return":
                kind = self._kind_of_expression(function, index + 1, (*seen, id(function)))
                if kind:
                    return kind
        return ""

    def _kind_of_expression(self, function, start, seen):
        body = function.body
        name = head_of(body[start:])
        end = start + len(re.findall(r"\w+|::", name))
        if body[end:end + 1] in (["."], ["->"]):  # a member's member function
            member = self.members.get((function.scope, name), [])
            owner = self.find_class(head_of(member), function.scope)
            called = head_of(body[end + 1:])
            calls = [f for f in self.functions if owner and f.scope == owner.name and f.name == called]
            return next(filter(None, (self.kind_of(call, seen) for call in calls)), "")
        if body[end:end + 1] == [";"]:  # a local variable: its type stands before its name
            for place in range(1, start):
                if body[place] == name and body[place + 1] in ("(", "=", "{"):
                    kind = self.kind_of_class(self.find_class(head_of(last_type(body[:place])), function.scope))
                    if kind:
                        return kind
            return ""
        info = self.find_class(name, function.scope)
        if info:
            return self.kind_of_class(info)
        # The functions of that name that are nearest: those of its class, else those outside of classes.
        last = name.split("::")[-1]
        named = [f for f in self.functions if f.name == last and f is not function]
        nearest = [f for f in named if f.scope == function.scope]
        others = [f for f in named if f.scope not in self.classes]
        for other in nearest or others:
            kind = self.kind_of(other, seen)
            if kind:
                return kind
        return ""

    def rows(self):
        rows, of_class = set(), {}
        for function in self.functions:
            kind = self.kind_of(function)
            if function.name.startswith("internal_"):
                continue
            owner = self.classes.get(function.scope)
            if function.name == "operator co_await":
                listed = owner is not None and owner.co_await == "const" and kind == "awaiter"
            else:
                listed = kind in ("builder", "awaiter")
            if not listed:
                continue
            of_class.setdefault(function.scope, []).append(function)
            if function.public and (owner is None or owner.public):
                rows.add(function.key())
        for (scope, name), type_tokens in self.members.items():
            inside = scope in self.classes or "internal" in scope.split("::")
            if not inside and head_of(type_tokens) in self.tokens:
                rows.add("::".join(filter(None, [scope, name])))
        for info in self.classes.values():
            if info.public:
                for function in self._inherited(info, of_class):
                    rows.add(function.key(info.name))
        return sorted(rows)

    def _inherited(self, info, of_class):
        for base, is_public in info.bases:
            found = self.find_class(base, info.name)
            if not found or not is_public or "internal" not in found.name.split("::"):
                continue
            yield from (f for f in of_class.get(found.name, []) if f.member_access)
            yield from self._inherited(found, of_class)


def public_rows(root):
    headers = Headers()
    paths = sorted((root / "coracle").rglob("*.h"))
    if not paths:
        raise SystemExit(f"there are no headers below {root / 'coracle'}")
    for path in paths:
        headers.read(path.relative_to(root), path.read_text())
    return headers.rows()


def compare(ours, theirs):
    """One sentence for each function that only one side has."""
    for name in sorted(set(ours) - set(theirs)):
        yield f"{name}: the headers have it, the matrix has no row for it (tests/cancellation/README.md)"
    for name in sorted(set(theirs) - set(ours)):
        yield f"{name}: the matrix has a row for it, the headers do not have it"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=pathlib.Path, default=ROOT)
    parser.add_argument("--against", metavar="PROGRAM")
    arguments = parser.parse_args()
    rows = public_rows(arguments.root)
    if not arguments.against:
        print("\n".join(rows))
        return 0
    listed = subprocess.run([arguments.against, "--rows"], check=True, capture_output=True, text=True)
    differences = list(compare(rows, listed.stdout.splitlines()))
    print("\n".join(differences or [f"{len(rows)} functions, each has its row"]))
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
