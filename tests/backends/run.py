#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the tests of a module with every loop on one backend.

    tests/backends/run.py BUILD BACKEND MODULE      tests/backends/run.py build/release io_uring net

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


def main() -> int:
    build, backend, module = sys.argv[1:]
    if backend == "io_uring" and (reason := why_refused()):
        print(f"NOT RUN: this kernel refuses io_uring ({reason}), so the tests of {module} did not run on it")
        return REFUSED
    program = pathlib.Path(build) / f"coracle_{module}_test"
    done = subprocess.run([program, "--gtest_brief=1"], env=os.environ | {"CORACLE_LOOP": backend},
                          stdout=subprocess.PIPE, text=True)
    print(done.stdout, end="")
    if done.returncode != 0:
        return 1
    report = re.search(rf"^loops on {backend}: \d+ tests, of which.* (\d+) on {backend},", done.stdout, re.M)
    if not report or int(report[1]) == 0:
        print(f"no test of {module} ran on {backend}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
