# SPDX-License-Identifier: Apache-2.0
"""A handler that computes for 200 µs, on one worker and on two: does a second core double it?"""

from collections.abc import Iterator

from harness import client, contenders, markdown
from harness.quartiles import Figure, figure
from harness.run import Run
from harness.server import Server, ServerFailed
from harness.store import Store

title = "A second worker"

BOTH_CORES = "0,1"
OPTIONS = dict(path="/burn?us=200", connections=64)


def measure(run: Run):
    if contenders.CORACLE not in {contender.name for contender in run.contenders}:
        return
    for turn in range(run.pairs):
        for workers in (1, 2) if turn % 2 == 0 else (2, 1):
            try:
                # Client and server share both cores here; the client needs a twentieth of one.
                with Server(contenders.workload(workers), cores=BOTH_CORES) as server:
                    sample = client.load(server, run.seconds, core=None, **OPTIONS)
            except (ServerFailed, client.ClientFailed) as error:
                run.failed("workers", contenders.CORACLE, error)
                return
            run.keep("workers", str(workers), contenders.CORACLE, sample, f"{rate(sample):,.0f}/s")


def rate(sample: dict) -> float:
    return sample["requests"] / sample["seconds"]


def speedup(store: Store) -> Figure | None:
    """Requests per second of two workers over one, pair by pair."""
    one, two = (store.series("workers", n).get(contenders.CORACLE, []) for n in ("1", "2"))
    return figure(rate(b) / rate(a) for a, b in zip(one, two)) if one and two else None


def tables(store: Store) -> Iterator[str]:
    if not (times := speedup(store)):
        return
    yield f"`{client.paths.relative(' '.join(client.command('load', None, port='N', **OPTIONS)))}`"
    rows = []
    for workers in ("1", "2"):
        samples = store.series("workers", workers)[contenders.CORACLE]
        rows.append([workers, figure(map(rate, samples)).shown(markdown.count),
                     markdown.microseconds(figure(s["p50_us"] for s in samples).median),
                     markdown.microseconds(figure(s["p99_us"] for s in samples).median),
                     "1" if workers == "1" else times.shown()])
    yield from markdown.table(["workers", "requests/s", "p50", "p99", "× one"], rows)
