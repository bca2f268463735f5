# SPDX-License-Identifier: Apache-2.0
"""Builds what is measured and what measures it."""

import os
import shutil
import subprocess
import sys

from . import paths


def build():
    """The showcase, the programs of load/ and servers/, and the Go servers."""
    _step([str(paths.ROOT / "dev"), "build", "release", "examples/showcase", "bench_programs"])
    build_go("servers/nethttp.go", "nethttp")
    build_go("servers/echo.go", "echo_go")


def build_gate():
    """What bench/instr_gate runs."""
    _step([str(paths.ROOT / "dev"), "build", "release", "examples/showcase", "bench/ask"])


def build_one(preset: str, program: str):
    """A program of bench/, by another compiler than the rest perhaps."""
    _step([str(paths.ROOT / "dev"), "build", preset, f"bench/{program}"])


def build_go(source: str, program: str):
    """A Go program of bench/, into build/bench."""
    paths.SCRATCH.mkdir(parents=True, exist_ok=True)
    _step(["go", "build", "-o", str(paths.SCRATCH / program), str(paths.BENCH / source)],
          GO111MODULE="off")


def build_examples(names: list[str]):
    _step([str(paths.ROOT / "dev"), "build", "release", *(f"examples/{name}" for name in names)])


def require(*programs: str):
    """Ends with one sentence when a program of the distribution is missing."""
    missing = [p for p in programs if not shutil.which(p) and not os.path.exists(f"/usr/sbin/{p}")]
    if missing:
        sys.exit(f"missing: {', '.join(missing)}; ./dev setup bench installs it")


def require_header(header: str, package: str):
    """Ends with one sentence when a library of the distribution is missing."""
    if not os.path.exists(f"/usr/include/{header}"):
        sys.exit(f"missing: {package}; ./dev setup bench installs it")


def _step(command: list[str], **environment: str):
    if subprocess.run(command, env=os.environ | environment).returncode != 0:
        sys.exit(f"failed: {' '.join(command)}")
