# SPDX-License-Identifier: Apache-2.0
"""User-space instructions per request: exact, whatever else the machine does.

Valgrind counts a server's whole life, so the count of a short life is taken from that of a long
one; what remains is the requests in between. Only what a server does by the clock rather than by
the request (a fresh Date each second, a sampler) is left in, a fraction of a per cent.
"""

import collections
import pathlib
import re
import subprocess

from . import client, paths
from .contenders import Contender
from .server import Server

CACHEGRIND = ("--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
CALLGRIND = ("--tool=callgrind", f"--callgrind-out-file={paths.SCRATCH}/valgrind.%p.out")


def per_request(contender: Contender, requests: int, **options) -> float:
    """Instructions of one request; options as those of load/ask.cc."""
    def life(count: int) -> int:
        _serve(contender, CACHEGRIND, count, options)
        logs = "".join(log.read_text() for log in paths.SCRATCH.glob("valgrind.*.log"))
        return sum(_number(found) for found in re.findall(r"I +refs: +([\d,]+)", logs))

    return (life(requests + requests // 4) - life(requests // 4)) / requests


def profile(contender: Contender, requests: int, **options) -> list[tuple[float, str]]:
    """Instructions of one request by the function that spends them itself, most expensive first."""
    def life(count: int) -> collections.Counter[str]:
        _serve(contender, CALLGRIND, count, options)
        return sum(map(_by_function, paths.SCRATCH.glob("valgrind.*.out")), collections.Counter())

    long, short = life(requests + requests // 4), life(requests // 4)
    each = [((long[function] - short[function]) / requests, function) for function in long]
    return sorted(each, reverse=True)


def _serve(contender: Contender, tool: tuple[str, ...], requests: int, options: dict):
    paths.SCRATCH.mkdir(parents=True, exist_ok=True)
    for old in paths.SCRATCH.glob("valgrind.*"):
        old.unlink()
    log = f"--log-file={paths.SCRATCH}/valgrind.%p.log"
    wrapper = ("valgrind", *tool, "--trace-children=yes", log)
    with Server(contender, cores=None, wrapper=wrapper) as server:
        client.ask(server, requests=requests, **options)


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
