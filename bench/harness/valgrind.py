# SPDX-License-Identifier: Apache-2.0
"""User-space instructions per request: exact, whatever else the machine does.

Valgrind counts a server's whole life, so the count of a short life is taken from that of a long
one; what remains is the requests in between. Only what a server does by the clock rather than by
the request (a fresh Date each second, a sampler) is left in, a fraction of a per cent.
"""

import collections
import contextlib
import os
import pathlib
import re
import subprocess
import tempfile

from . import client, paths
from .contenders import Contender
from .server import Server

CACHEGRIND = ("--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
CALLGRIND = ("--tool=callgrind", "--callgrind-out-file={folder}/%p.out")


def per_request(contender: Contender, requests: int, **options) -> float:
    """Instructions of one request; options as those of load/ask.cc."""
    def life(count: int) -> int:
        with _served(contender, CACHEGRIND, count, options) as folder:
            logs = "".join(log.read_text() for log in folder.glob("*.log"))
        return sum(_number(found) for found in re.findall(r"I +refs: +([\d,]+)", logs))

    return (life(requests + requests // 4) - life(requests // 4)) / requests


def profile(contender: Contender, requests: int, **options) -> list[tuple[float, str]]:
    """Instructions of one request by the function that spends them itself, most expensive first."""
    def life(count: int) -> collections.Counter[str]:
        with _served(contender, CALLGRIND, count, options) as folder:
            return sum(map(_by_function, folder.glob("*.out")), collections.Counter())

    long, short = life(requests + requests // 4), life(requests // 4)
    each = [((long[function] - short[function]) / requests, function) for function in long]
    return sorted(each, reverse=True)


@contextlib.contextmanager
def _served(contender: Contender, tool: tuple[str, ...], requests: int, options: dict):
    """A whole life under valgrind; the folder with what was counted, for as long as it is held."""
    paths.SCRATCH.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=paths.SCRATCH, prefix="valgrind.") as folder:
        os.chmod(folder, 0o777)  # nginx's worker is another user when we are root
        words = ("valgrind", *tool, "--trace-children=yes", "--log-file={folder}/%p.log")
        wrapper = tuple(word.format(folder=folder) for word in words)
        with Server(contender, cores=None, wrapper=wrapper) as server:
            client.ask(server, requests=requests, **options)
        yield pathlib.Path(folder)


def _by_function(out: pathlib.Path) -> collections.Counter[str]:
    """Own instructions by function. A line reads "1,234 (5.67%)  file:function [object]"."""
    listed = subprocess.run(["callgrind_annotate", "--threshold=100", "--auto=no", str(out)],
                            capture_output=True, text=True, check=True).stdout
    counts: collections.Counter[str] = collections.Counter()
    for line in listed.splitlines():
        if found := re.match(r"\s*([\d,]+) \([ \d.]+%\)\s+(\S*?):(.*?)(?: \[.*\])?$", line):
            counts[found[3]] += _number(found[1])
    return counts


def _number(text: str) -> int:
    return int(text.replace(",", ""))
