# SPDX-License-Identifier: Apache-2.0
"""Adjacent A/B pairs: the floor and one contender, measured within the same few seconds.

A shared machine drifts: another tenant, a warmer clock. So nobody is compared with a figure taken
minutes ago. One pair is four half windows, floor-server-server-floor or the other way round; a
slow drift falls on both alike, and the ratio of a pair keeps only what differs between the two.
Each pair starts both programs anew, so that one lucky memory layout does not decide a whole run.
"""

from collections.abc import Callable, Iterator

from . import client, contenders
from .contenders import Contender
from .server import Server

WARMUP_SECONDS = 0.15


def pair(contender: Contender, works: dict[str, dict], seconds: float, turn: int,
         bare: Contender = contenders.floor(), load: Callable[..., dict] = client.load) -> Iterator:
    """Yields (work's name, {"floor": sample, "server": sample}) for each of the works.

    `bare` is the floor of this kind of server, `load` the program of client.py that drives both.
    """
    with Server(bare) as floor, Server(contender) as server:
        order = [floor, server, server, floor] if turn % 2 == 0 else [server, floor, floor, server]
        for name, options in works.items():
            halves = [(side, load(side, seconds / 2, warmup=WARMUP_SECONDS, **options))
                      for side in order]
            yield name, {
                "floor": _joined([sample for side, sample in halves if side is floor]),
                "server": _joined([sample for side, sample in halves if side is server]),
            }


def _joined(halves: list[dict]) -> dict:
    """Counts add up; of percentiles, which do not, the mean of both halves is kept."""
    sums = {key: sum(half[key] for half in halves) for key in ("requests", "seconds", "cpu_ns")}
    means = {key: sum(half[key] for half in halves) / len(halves) for key in ("p50_us", "p99_us")}
    return sums | means


def cpu_us(sample: dict) -> float:
    """CPU microseconds per request."""
    return sample["cpu_ns"] / 1000 / sample["requests"]


def ratio(pair: dict) -> float:
    """CPU per request of the server over that of the floor beside it."""
    return cpu_us(pair["server"]) / cpu_us(pair["floor"])
