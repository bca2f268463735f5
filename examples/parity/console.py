# SPDX-License-Identifier: Apache-2.0
"""One run of a program that prints and ends: what it said, and when it was done."""

import dataclasses
import itertools
import subprocess
import time

END_SECONDS = 30


@dataclasses.dataclass
class Outcome:
    code: int
    lines: list[str]
    asides: list[str]  # from standard error: shown, not compared
    seconds: float

    @property
    def whole_seconds(self) -> int:
        return int(self.seconds)  # an interpreter's start is not part of the class


def play(run: dict, command: list[str]) -> Outcome:
    began = time.monotonic()
    done = subprocess.run([*command, *run.get("arguments", [])], capture_output=True, text=True,
                          timeout=END_SECONDS)
    return Outcome(done.returncode, done.stdout.splitlines(), done.stderr.splitlines(),
                   time.monotonic() - began)


def differences(run: dict, ours: Outcome, theirs: Outcome):
    """Sentences, one for each thing in which the two runs differ or miss the script."""
    if ours.code != theirs.code:
        yield f"exit code {ours.code} against {theirs.code}"
    if ours.lines != theirs.lines:
        yield f"{ours.lines} against {theirs.lines}"
    for title, outcome in (("C++", ours), ("Python", theirs)):
        if "takes" in run and outcome.whole_seconds != run["takes"]:
            yield f"{title} takes {outcome.seconds:.2f} seconds, the script says {run['takes']}"


def show(run: dict, ours: Outcome, theirs: Outcome):
    print(f"\n  {run['about']}: {ours.seconds:.2f} s and {theirs.seconds:.2f} s")
    sides = [outcome.lines + outcome.asides for outcome in (ours, theirs)]
    for left, right in itertools.zip_longest(*sides, fillvalue=""):
        print(f"    {left:<60}{right}")
