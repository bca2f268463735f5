# SPDX-License-Identifier: Apache-2.0
"""Where things are. Everything the benchmark writes, other than its report, is under build/."""

import os
import pathlib

BENCH = pathlib.Path(__file__).resolve().parent.parent
ROOT = BENCH.parent
BUILD = ROOT / os.environ.get("CORACLE_BENCH_BUILD", "build/release")  # e.g. build/clang
PROGRAMS = BUILD / "bench"           # load, idle, probe, floor, beast, workload, hello
SCRATCH = ROOT / "build/bench"       # results.json, the Go servers, nginx's folder, valgrind's logs
RESULTS = SCRATCH / "results.json"
SHOWCASE = BUILD / "examples/showcase"
PYTHON = "/usr/bin/python3"          # Debian's own: that is where its aiohttp lives


def relative(path) -> str:
    """As one types it at the top of the checkout."""
    return str(path).replace(f"{ROOT}/", "")
