#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs an example and its aiohttp twin, drives both with one script, prints them side by side.

    examples/parity/parity.py hello_server              one example
    examples/parity/parity.py --all                     every example that has a script
    make compare EXAMPLE=hello_server                   the same, built first

Compared at each step: status, body bytes, the headers the step names, the order of completion,
and the time class (whole seconds). NAME.toml says what to send:

    [[step]]
    about    = "four at once share three workers"
    at_once  = ["/?seconds=1", ...]    targets, each on its own connection
    method   = "GET"                   and an optional body = "..."
    stagger  = 0.1                     seconds between one request and the next, default 0
    takes    = [1, 1, 1, 2]            whole seconds in completion order, for both programs
    headers  = ["Allow"]               to compare besides
    compare  = ["status", "body", "order"]     the default

For a program that prints and ends, instead:

    [[run]]
    about     = "it is given a number"
    arguments = ["7"]                  the default is none
    takes     = 1                      whole seconds from start to end, where that is the point
    in_turn   = true                   not both at once: each has the machine to itself

Compared are lines and exit code; what goes to standard error is only shown.

Exits with 1 when a step differs between the two, or from `takes`.
"""

import argparse
import concurrent.futures
import contextlib
import pathlib
import sys
import tomllib

import console
import exchange
import program

HERE = pathlib.Path(__file__).resolve().parent
EVERYTHING = ["status", "body", "order"]


def differences(step: dict, ours: list[exchange.Answer], theirs: list[exchange.Answer]):
    """Sentences, one for each thing in which the two programs differ or miss the script."""
    compare = step.get("compare", EVERYTHING)
    if "order" in compare and [a.target for a in ours] != [a.target for a in theirs]:
        yield "they answer in another order"
    for left, right in zip(sorted(ours, key=by_target), sorted(theirs, key=by_target)):
        if "status" in compare and left.status != right.status:
            yield f"{left.target}: status {left.status} against {right.status}"
        if "body" in compare and left.body != right.body:
            yield f"{left.target}: body {left.body!r} against {right.body!r}"
        for name in step.get("headers", []):
            if left.headers[name] != right.headers[name]:
                yield f"{left.target}: {name} {left.headers[name]!r} against {right.headers[name]!r}"
    if takes := step.get("takes"):
        for title, answers in (("C++", ours), ("Python", theirs)):
            if (seconds := [a.whole_seconds for a in answers]) != takes:
                yield f"{title} takes {seconds} seconds, the script says {takes}"


def by_target(answer: exchange.Answer):
    return answer.target, answer.whole_seconds


def show(step: dict, ours: list[exchange.Answer], theirs: list[exchange.Answer]):
    print(f"\n  {step['about']}")
    for left, right in zip(ours, theirs):
        print(f"    {cell(left):<60}{cell(right)}")


def cell(answer: exchange.Answer) -> str:
    body = answer.body.decode("utf-8", "backslashreplace").replace("\n", " ")
    body = body if len(body) <= 26 else body[:25] + "…"
    return f"{answer.seconds:5.2f} s  {answer.status}  {answer.target:<16.16} {body}"


def compare(name: str, build: pathlib.Path) -> int:
    """Plays NAME.toml against both programs; returns how many differences there were."""
    script = tomllib.loads((HERE / f"{name}.toml").read_text())
    return compare_runs(name, build, script) if "run" in script else compare_steps(name, build, script)


def compare_runs(name: str, build: pathlib.Path, script: dict) -> int:
    ours, theirs = program.cpp(name, build), program.twin(name)
    print(f"\n{name}\n    {ours.title:<60}{theirs.title}")
    count = 0
    for run in script["run"]:
        at_once = 1 if run.get("in_turn") else 2
        with concurrent.futures.ThreadPoolExecutor(at_once) as both:
            left, right = both.map(lambda side: console.play(run, side.command), (ours, theirs))
        console.show(run, left, right)
        for sentence in console.differences(run, left, right):
            print(f"    DIFFERS: {sentence}")
            count += 1
    return count


def compare_steps(name: str, build: pathlib.Path, script: dict) -> int:
    count = 0
    with contextlib.ExitStack() as running:
        ours = running.enter_context(program.cpp(name, build))
        theirs = running.enter_context(program.twin(name))
        print(f"\n{name}\n    {ours.title:<60}{theirs.title}")
        both = running.enter_context(concurrent.futures.ThreadPoolExecutor(2))
        for step in script["step"]:
            left, right = both.map(lambda side: exchange.play(step, side.port), (ours, theirs))
            show(step, left, right)
            for sentence in differences(step, left, right):
                print(f"    DIFFERS: {sentence}")
                count += 1
    return count


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("names", nargs="*", metavar="NAME")
    options.add_argument("--all", action="store_true", help="every example that has a script")
    options.add_argument("--build", type=pathlib.Path, default=program.ROOT / "build/release")
    chosen = options.parse_args()
    names = chosen.names or sorted(path.stem for path in HERE.glob("*.toml"))
    if not chosen.names and not chosen.all:
        options.error("name an example, or say --all")
    count = sum(compare(name, chosen.build) for name in names)
    print(f"\n{count} differences" if count else "\nthe same in every step")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
