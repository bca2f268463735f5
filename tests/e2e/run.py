#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the end-to-end tests against the programs of a build.

    tests/e2e/run.py                                       all of them, build/release
    tests/e2e/run.py --build build/debug blocking page     some

Every program listens on a free port of 127.0.0.1 and is stopped by its process id.
"""

import argparse
import pathlib
import sys
import unittest

import server

HERE = pathlib.Path(__file__).resolve().parent


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", type=pathlib.Path, default=HERE.parent.parent / "build/release")
    options.add_argument("names", nargs="*", metavar="NAME", help="NAME_test.py")
    chosen = options.parse_args()
    server.build = chosen.build.resolve()
    names = chosen.names or sorted(path.name.removesuffix("_test.py") for path in HERE.glob("*_test.py"))
    suite = unittest.TestLoader().loadTestsFromNames([f"{name}_test" for name in names])
    return 0 if unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
