# SPDX-License-Identifier: Apache-2.0
"""One example, running on a port of its own choosing."""

import pathlib
import re
import subprocess
import sys
import threading

EXAMPLES = pathlib.Path(__file__).resolve().parent.parent
ROOT = EXAMPLES.parent
START_SECONDS = 20  # a debug build on a busy machine
STOP_SECONDS = 10


class Program:
    """Starts on entering, stops on leaving. `port` is what its "listening" line says."""

    def __init__(self, title: str, command: list[str]):
        self.title, self.command, self.port = title, command, 0

    def __enter__(self) -> "Program":
        self._process = subprocess.Popen(
            [*self.command, "--host", "127.0.0.1", "--port", "0"],
            stdout=subprocess.PIPE, text=True)
        # readline has no deadline of its own; ending the silent program is what ends the read.
        deadline = threading.Timer(START_SECONDS, self._process.kill)
        deadline.start()
        try:
            for line in self._process.stdout:
                if found := re.search(r"listening on \S+:(\d+)", line):
                    self.port = int(found[1])
                    break
        finally:
            deadline.cancel()
        if not self.port:
            self.__exit__()
            raise SystemExit(f"{self.title}: it ended or stayed silent instead of listening")
        # What it says from here on is read and dropped, so that a full pipe never stops it.
        threading.Thread(target=self._process.stdout.read, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def cpp(name: str, build: pathlib.Path) -> Program:
    program = build / "examples" / name
    if not program.exists():
        raise SystemExit(f"{program} is not built: ./dev build")
    return Program(f"{name}.cc", [str(program)])


def twin(name: str) -> Program:
    # Debian's own interpreter: that is where its aiohttp lives.
    python = "/usr/bin/python3" if pathlib.Path("/usr/bin/python3").exists() else sys.executable
    return Program(f"{name}.py", [python, str(EXAMPLES / f"{name}.py")])
