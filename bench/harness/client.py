# SPDX-License-Identifier: Apache-2.0
"""The programs of load/, run against a server from the other core."""

import json
import subprocess

from . import paths
from .server import CLIENT_CORE, Server


class ClientFailed(RuntimeError):
    """A client program ended with an error; the message is its own."""


def command(program: str, core: str | None, **options) -> list[str]:
    """The command line: connections=64 becomes --connections 64."""
    pinned = ["taskset", "-c", core] if core is not None else []
    words = [str(paths.PROGRAMS / program)]
    for name, value in options.items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    return pinned + words


def load(server: Server, seconds: float, core: str | None = CLIENT_CORE, **options) -> dict:
    """One window of closed-loop load; see load/load.cc for the options and the answer."""
    pids = ",".join(map(str, server.pids()))
    return _run(command("load", core, port=server.port, seconds=seconds, pids=pids, **options))


def echo_load(server: Server, seconds: float, core: str | None = CLIENT_CORE, **options) -> dict:
    """One window of messages sent and echoed; see load/echo_load.cc."""
    pids = ",".join(map(str, server.pids()))
    return _run(command("echo_load", core, port=server.port, seconds=seconds, pids=pids, **options))


def probe(server: Server, seconds: float, **options) -> dict:
    """Latency of the fast endpoint beside jobs; see load/probe.cc."""
    return _run(command("probe", CLIENT_CORE, port=server.port, seconds=seconds, **options))


def ask(server: Server, **options):
    """A fixed number of requests on one connection, from any core; see load/ask.cc."""
    _said(command("ask", None, port=server.port, **options))


class IdleConnections:
    """Opens `count` connections on entering, each answered once; closes them on leaving."""

    def __init__(self, server: Server, count: int):
        self._command = command("idle", CLIENT_CORE, port=server.port, connections=count)

    def __enter__(self):
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True)
        if not self._process.stdout.readline().startswith("ready"):
            error = self._process.stderr.read().strip()
            self.__exit__()
            raise ClientFailed(error)
        return self

    def __exit__(self, *_):
        self._process.communicate()


def _run(words: list[str]) -> dict:
    return json.loads(_said(words))


def _said(words: list[str]) -> str:
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        raise ClientFailed(done.stderr.strip().splitlines()[0] if done.stderr else "no word of why")
    return done.stdout
