# SPDX-License-Identifier: Apache-2.0
"""A contender, running on a core of its own."""

import os
import pathlib
import random
import re
import resource
import signal
import socket
import subprocess
import time

from . import paths
from .contenders import Contender

SERVER_CORE, CLIENT_CORE = "0", "1"
START_SECONDS = 60  # a Python server under valgrind
STOP_SECONDS = 10


class ServerFailed(RuntimeError):
    """It did not start, or ended on its own; the message carries its last words."""


class Server:
    """Starts on entering and listens by then; stops on leaving.

    The server is pinned to `cores`, or free to move. `wrapper` is a command in front of it
    (valgrind). `patient` is off where a server is left with jobs that it would wait for.
    """

    def __init__(self, contender: Contender, *, cores: str | None = SERVER_CORE,
                 wrapper: tuple[str, ...] = (), patient: bool = True):
        self.contender = contender
        self.port = free_port()
        self._pinned = ["taskset", "-c", cores] if cores is not None else []
        self._wrapper = wrapper
        self._stop_seconds = STOP_SECONDS if patient else 0

    def __enter__(self) -> "Server":
        allow_descriptors()
        name = self.contender.name
        self._words = paths.SCRATCH / f"{name}.log"
        self._words.parent.mkdir(parents=True, exist_ok=True)
        values = {"port": self.port, "conf": self._render_conf()}
        command = [part.format_map(values) for part in self.contender.command]
        with self._words.open("w") as words:
            self._process = subprocess.Popen(
                [*self._pinned, *self._wrapper, *command],
                env=os.environ | dict(self.contender.environment),
                stdin=subprocess.DEVNULL, stdout=words, stderr=subprocess.STDOUT)
        self._wait_until_listening()
        return self

    def __exit__(self, *_):
        """SIGTERM to the process itself, then SIGKILL to whatever of its tree is left."""
        pids = self.pids()
        self._process.terminate()
        try:
            self._process.wait(self._stop_seconds)
        except subprocess.TimeoutExpired:
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self._process.wait()

    def pids(self) -> list[int]:
        """The process and its descendants, parents first."""
        found = [self._process.pid]
        for pid in found:
            for children in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
                try:
                    found += map(int, children.read_text().split())
                except OSError:  # the thread ended meanwhile
                    pass
        return found

    def memory_kib(self) -> int:
        """Resident user memory of the whole tree (smaps_rollup counts exactly, VmRSS does not)."""
        total = 0
        for pid in self.pids():
            text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += int(re.search(r"^Rss:\s+(\d+)", text, re.M)[1])
        return total

    def threads(self) -> list["Thread"]:
        return [Thread(folder) for pid in self.pids()
                for folder in pathlib.Path(f"/proc/{pid}/task").iterdir()]

    def last_words(self) -> str:
        return self._words.read_text()[-300:].strip()

    def _render_conf(self) -> str:
        if not self.contender.conf:
            return ""
        folder = paths.SCRATCH / self.contender.name
        folder.mkdir(parents=True, exist_ok=True)
        text = (paths.BENCH / "servers" / self.contender.conf).read_text()
        conf = folder / self.contender.conf
        conf.write_text(text.replace("@PORT@", str(self.port)).replace("@FOLDER@", str(folder)))
        return str(conf)

    def _wait_until_listening(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise ServerFailed(f"{self.contender.name} ended: {self.last_words()}")
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        self.__exit__()
        raise ServerFailed(f"{self.contender.name} never listened: {self.last_words()}")


class Thread:
    """What /proc says of one thread at this moment."""

    def __init__(self, folder: pathlib.Path):
        self._stat = (folder / "stat").read_text().rsplit(")", 1)[1].split()

    @property
    def cpu_ticks(self) -> int:
        return int(self._stat[11]) + int(self._stat[12])

    @property
    def nice(self) -> int:
        return int(self._stat[16])


def free_port() -> int:
    """Below the ports that the kernel gives to clients: whoever asks for one of those before its
    server listens may be connected to itself."""
    for port in random.sample(range(20_000, 30_000), 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
    raise ServerFailed("no free port between 20000 and 30000")


def allow_descriptors():
    """10,000 connections need more than the usual 1,024; children inherit the raised limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
