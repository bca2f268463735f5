# SPDX-License-Identifier: Apache-2.0
"""Blocking work in a pool of three: how fast does the fast endpoint stay?

Sleeping jobs leave the CPU alone, so nothing should change. CPU-bound jobs share the loop's core
(the server has one), so the kernel's scheduler sets a bound that no server can beat: the floor is
measured beside as many threads spinning at the same nice value as the pool has at work.
"""

from collections.abc import Iterator

from harness import client, contenders, markdown
from harness.contenders import Contender
from harness.quartiles import figure
from harness.run import Run
from harness.server import Server, ServerFailed
from harness.store import Store

title = "Blocking work in a pool of three threads"

POOL = 3
IN_FLIGHT = (0, 3, 50)
KINDS = {  # what the jobs do, and the path that asks for one
    "sleep": ("sleeping one second", "/threaded?seconds=1"),
    "spin": ("burning 50 ms of CPU", "/spin?ms=50"),
}
PYTHONS = ("aiohttp", "aiohttp_uvloop")


def measure(run: Run):
    wanted = {contender.name for contender in run.contenders}
    ours = {"sleep": contenders.ALL[contenders.CORACLE], "spin": contenders.workload()}
    nice = _nice_of_pool(ours["spin"]) if contenders.CORACLE in wanted else 0
    for _ in range(run.pairs):
        for kind in KINDS:
            for jobs in IN_FLIGHT:
                spinners = min(jobs, POOL) if kind == "spin" else 0
                _keep(run, kind, jobs, contenders.floor(spinners, nice), jobs_in_flight=0)
                if contenders.CORACLE in wanted:
                    _keep(run, kind, jobs, ours[kind], jobs_in_flight=jobs)
                for name in PYTHONS:
                    if name in wanted:
                        _keep(run, kind, jobs, contenders.ALL[name], jobs_in_flight=jobs)


def _keep(run: Run, kind: str, jobs: int, contender: Contender, jobs_in_flight: int):
    try:
        with Server(contender, patient=False) as server:
            sample = client.probe(
                server, run.seconds, jobs=jobs_in_flight, job_path=KINDS[kind][1])
    except (ServerFailed, client.ClientFailed) as error:
        run.failed("offload", contender.name, error)
        return
    run.keep("offload", f"{kind}-{jobs}", contender.name, sample,
             f"p50 {sample['p50_us']:,.0f} us, p99 {sample['p99_us']:,.0f} us")


def _nice_of_pool(contender: Contender) -> int:
    """The nice value of the threads that do the pool's work, seen while they do it."""
    with Server(contender, patient=False) as server:
        client.probe(server, 0.5, jobs=POOL, job_path=KINDS["spin"][1])
        busiest = sorted(server.threads(), key=lambda thread: thread.cpu_ticks)[-POOL:]
        return max(thread.nice for thread in busiest)


def p99(store: Store, kind: str, jobs: int, server: str) -> list[float]:
    return [s["p99_us"] for s in store.series("offload", f"{kind}-{jobs}").get(server, [])]


def ratio(over: list[float], under: list[float]):
    """Pair by pair; None until both have been measured."""
    return figure(a / b for a, b in zip(over, under)) if over and under else None


def tables(store: Store) -> Iterator[str]:
    for kind, (described, path) in KINDS.items():
        rows = [_row(store, kind, jobs, server)
                for jobs in IN_FLIGHT
                for server in (contenders.FLOOR, contenders.CORACLE, *PYTHONS)
                if server in store.series("offload", f"{kind}-{jobs}")]
        if not rows:
            continue
        yield f"#### Jobs {described}"
        yield ""
        words = client.command("probe", "1", port="N", jobs="50", job_path=f"'{path}'")
        yield f"`{client.paths.relative(' '.join(words))}`"
        columns = ["server", "jobs in flight", "p50", "p99", "worst"]
        yield from markdown.table(columns, rows)


def _row(store: Store, kind: str, jobs: int, server: str) -> list[str]:
    samples = store.series("offload", f"{kind}-{jobs}")[server]
    shown = lambda key: figure(s[key] for s in samples).shown(markdown.microseconds)
    name = contenders.ALL[server].title
    if server == contenders.FLOOR and kind == "spin" and jobs:
        name += f" beside {min(jobs, POOL)} spinning threads"
    if server == contenders.CORACLE:
        name = "Coracle"
    row = [name, str(jobs), shown("p50_us"), shown("p99_us"),
           markdown.microseconds(max(s["max_us"] for s in samples))]
    return markdown.strong(row) if server == contenders.CORACLE else row
