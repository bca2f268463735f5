#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a suite with every loop on one backend.

    tests/backends/run.py BUILD BACKEND SUITE      tests/backends/run.py build/release io_uring net

Exit code 0 when they passed on that backend and nowhere else, 77 when this kernel refuses io_uring to everybody.
"""

import ctypes
import os
import pathlib
import re
import subprocess
import sys

REFUSED = 77  # ctest shows it as skipped
SYS_IO_URING_SETUP = 425  # the same number on every architecture


def why_refused() -> str:
    """What the kernel says to a program that asks for a ring by itself, without our code; empty if it gives one."""
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.syscall(SYS_IO_URING_SETUP, 4, ctypes.create_string_buffer(120))
    if fd < 0:
        return os.strerror(ctypes.get_errno())
    os.close(fd)
    return ""


def test_program(path: pathlib.Path, backend: str) -> bool:
    """The program itself refuses to run on anything else, see coracle/core/internal/backend_report_test.cc."""
    done = subprocess.run([path, "--gtest_brief=1"], stdout=subprocess.PIPE, text=True)
    print(done.stdout, end="")
    report = re.search(rf"^loops on {backend}: \d+ tests, of which.* (\d+) on {backend},", done.stdout, re.M)
    if done.returncode == 0 and not (report and int(report[1]) > 0):
        print(f"no test of {path.name} ran on {backend}")
        return False
    return done.returncode == 0


def end_to_end(build: pathlib.Path, backend: str, names: list[str]) -> bool:
    """The tests ask the showcase what it runs on, see tests/e2e/server.py."""
    done = subprocess.run(["/usr/bin/python3", "tests/e2e/run.py", "--build", build, *names],
                          stderr=subprocess.PIPE, text=True)
    print(done.stderr, end="")
    if count := re.search(r"^Ran (\d+) tests", done.stderr, re.M):
        print(f"programs on {backend}: {count[1]} tests")
    return done.returncode == 0


def main() -> int:
    build, backend, suite = sys.argv[1:]
    build = pathlib.Path(build)
    if backend == "io_uring" and (reason := why_refused()):
        print(f"NOT RUN: this kernel refuses io_uring ({reason}), so the suite {suite} did not run on it")
        return REFUSED
    os.environ["CORACLE_LOOP"] = backend
    if suite == "e2e":
        passed = end_to_end(build, backend, ["curl", "bad_input", "aiohttp", "shutdown"])
    elif suite == "allocations":
        passed = test_program(build / "tests/allocations_test", backend)
    else:
        passed = test_program(build / f"coracle_{suite}_test", backend)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
