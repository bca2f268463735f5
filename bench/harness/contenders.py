# SPDX-License-Identifier: Apache-2.0
"""The servers that are compared, and how each is started."""

import dataclasses
import shutil

from . import paths

FLOOR = "floor"
AGAIN = "floor_again"  # the floor as its own contender: what is not 1.00 in its row is noise
CORACLE = "coracle"


@dataclasses.dataclass(frozen=True)
class Contender:
    name: str
    title: str
    command: tuple[str, ...]      # "{port}" stands for the port, "{conf}" for the rendered `conf`
    conf: str | None = None       # a file in servers/ with @PORT@ and @FOLDER@ in it
    environment: tuple[tuple[str, str], ...] = ()
    counted: int = 2000           # requests to count instructions over; 0: valgrind cannot run it


def _python(*arguments: str) -> tuple[str, ...]:
    return (paths.PYTHON, str(paths.BENCH / "servers/aiohttp_app.py"), "{port}", *arguments)


def floor(spinners: int = 0, nice: int = 0) -> Contender:
    """The floor, beside threads that burn CPU when asked for."""
    command = (str(paths.PROGRAMS / "floor"), "--port", "{port}")
    beside = ("--spinners", str(spinners), "--nice", str(nice)) if spinners else ()
    return Contender(FLOOR, "floor (bare epoll)", command + beside)


def again() -> Contender:
    return dataclasses.replace(floor(), name=AGAIN, title="floor, as if another")


def workload(workers: int = 1) -> Contender:
    """Our own server with the CPU-bound routes the showcase does not have."""
    return Contender(CORACLE, "Coracle", (
        str(paths.PROGRAMS / "workload"), "--port", "{port}", "--workers", str(workers)))


def _nginx() -> str:
    # /usr/sbin is on no ordinary user's PATH.
    return shutil.which("nginx") or "/usr/sbin/nginx"


ALL = {contender.name: contender for contender in [
    floor(),
    again(),
    Contender(CORACLE, "Coracle showcase", (
        str(paths.SHOWCASE), "--host", "127.0.0.1", "--port", "{port}", "--workers", "1")),
    Contender("nginx", "nginx, fixed body", (
        _nginx(), "-p", str(paths.SCRATCH / "nginx"), "-c", "{conf}"), conf="nginx.conf"),
    Contender("beast", "Boost.Beast", (str(paths.PROGRAMS / "beast"), "--port", "{port}")),
    Contender("go", "Go net/http", (str(paths.SCRATCH / "nethttp"), "{port}"),
              environment=(("GOMAXPROCS", "1"),), counted=0),
    Contender("aiohttp_uvloop", "aiohttp + uvloop", _python("uvloop"), counted=200),
    Contender("aiohttp", "aiohttp", _python("asyncio"), counted=200),
]}


def chosen(names: list[str] | None) -> list[Contender]:
    """All but the floor, which everybody is measured against anyway, or those named."""
    rivals = [contender for name, contender in ALL.items() if name not in (FLOOR, AGAIN)]
    unknown = set(names or ()) - {rival.name for rival in rivals}
    if unknown:
        raise SystemExit(f"no server {', '.join(sorted(unknown))}; there are: {known()}")
    return [rival for rival in rivals if not names or rival.name in names]


def known() -> str:
    return ", ".join(name for name in ALL if name not in (FLOOR, AGAIN))
