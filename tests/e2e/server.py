# SPDX-License-Identifier: Apache-2.0
"""A program of the build, started on a port of its own choosing."""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
import time
import urllib.request

START_SECONDS = 60  # an instrumented build on a busy machine
STOP_SECONDS = 60

build: pathlib.Path  # set by run.py


def program(path: str) -> pathlib.Path:
    found = build / path
    if not found.exists():
        raise SystemExit(f"{found} is not built: ./dev build")
    return found


class Server:
    """Started on entering; on leaving it has ended. `port` is what its "listening" line says."""

    def __init__(self, path: str, *arguments: str):
        self._command = [str(program(path)), *arguments]

    def __enter__(self) -> "Server":
        self._log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=self._log, text=True)
        self.port = 0
        deadline = threading.Timer(START_SECONDS, self.process.kill)  # ends the read below
        deadline.start()
        try:
            for line in self.process.stdout:
                if found := re.search(r"listening on http://\S+:(\d+)", line):
                    self.port = int(found[1])
                    break
        finally:
            deadline.cancel()
        if not self.port:
            self.__exit__(AssertionError)
            raise AssertionError(f"{self._command}: it ended or stayed silent instead of listening\n{self.said}")
        if (wanted := os.environ.get("CORACLE_LOOP")) and self._command[0].endswith("/showcase"):
            if (got := self.stats()["backend"]) != wanted:
                self.__exit__(AssertionError)
                raise AssertionError(f"{self._command}: CORACLE_LOOP is {wanted}, but it runs on {got}")
        return self

    def __exit__(self, failure=None, *_):
        # Not a kill at first: after that a sanitizer could not say what leaked. A second signal means now.
        for number, seconds in ((signal.SIGTERM, 3), (signal.SIGINT, STOP_SECONDS), (signal.SIGKILL, None)):
            if self.process.poll() is not None:
                break
            self.process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
        self.process.stdout.close()
        self.said = self.log()
        self._log.close()
        if self.process.returncode != 0 and not failure:
            raise AssertionError(f"{self._command} ended with {self.process.returncode}:\n{self.said}")

    def url(self, target: str) -> str:
        return f"http://127.0.0.1:{self.port}{target}"

    def log(self) -> str:
        """Its stderr so far."""
        # A position of our own: the program writes through the same file description.
        return pathlib.Path(f"/proc/self/fd/{self._log.fileno()}").read_text()

    def wait_for_log(self, pattern: str, seconds: float = 30) -> str:
        """The log as soon as the pattern is in it."""
        deadline = time.monotonic() + seconds
        while not re.search(pattern, log := self.log()):
            if time.monotonic() > deadline:
                raise AssertionError(f"the log does not say {pattern!r} after {seconds} s:\n{log}")
            time.sleep(0.05)
        return log

    def get(self, target: str, seconds: float = 30) -> bytes:
        """The body of a 200, on a connection of its own."""
        with urllib.request.urlopen(self.url(target), timeout=seconds) as response:
            return response.read()

    def stats(self) -> dict:
        return json.loads(self.get("/stats"))

    def stop(self, number: int = signal.SIGINT) -> tuple[int, float]:
        """Sends the signal; the exit code and the seconds it took to end."""
        began = time.monotonic()
        self.process.send_signal(number)
        return self.wait(began)

    def wait(self, began: float) -> tuple[int, float]:
        code = self.process.wait(STOP_SECONDS)
        return code, time.monotonic() - began


def showcase(*arguments: str) -> Server:
    return Server("examples/showcase", "--port", "0", *arguments)


def impatient(shutdown_seconds: int = 2) -> Server:
    return Server("tests/e2e/impatient_server", str(shutdown_seconds))
