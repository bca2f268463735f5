# SPDX-License-Identifier: Apache-2.0
"""What an idle keep-alive connection costs in user memory, at ten thousand of them."""

import time
from collections.abc import Iterator

from harness import client, contenders, markdown
from harness.quartiles import figure
from harness.run import Run
from harness.server import Server, ServerFailed
from harness.store import Store

title = "Ten thousand idle connections"

CONNECTIONS = 10_000
REPEATS = 3
SETTLE_SECONDS = 0.5


def measure(run: Run):
    for _ in range(REPEATS):
        for contender in [contenders.floor(), *run.contenders]:
            try:
                sample = _sample(contender)
            except (ServerFailed, client.ClientFailed) as error:
                run.failed("idle", contender.name, error)
                continue
            run.keep("idle", "memory", contender.name, sample,
                     f"{kib_each(sample):.2f} KiB per connection")


def _sample(contender: contenders.Contender) -> dict:
    with Server(contender) as server:
        client.ask(server, requests=200)  # what a server sets up once is no connection's cost
        before = server.memory_kib()
        with client.IdleConnections(server, CONNECTIONS):
            time.sleep(SETTLE_SECONDS)
            during = server.memory_kib()
    return {"before_kib": before, "during_kib": during, "connections": CONNECTIONS}


def kib_each(sample: dict) -> float:
    return (sample["during_kib"] - sample["before_kib"]) / sample["connections"]


def tables(store: Store) -> Iterator[str]:
    series = store.series("idle", "memory")
    if not series:
        return
    yield (f"Each of {CONNECTIONS:,} connections has had one answer and stays open. Resident memory of "
           "the server's processes, before and during; the kernel's own socket buffers are not in it.")
    each = {server: figure(map(kib_each, samples)) for server, samples in series.items()}
    rows = []
    for server in sorted(each, key=lambda name: each[name].median):
        mib = lambda key: f"{figure(s[key] for s in series[server]).median / 1024:.1f} MiB"
        row = [contenders.ALL[server].title, each[server].shown() + " KiB",
               mib("before_kib"), mib("during_kib")]
        rows.append(markdown.strong(row) if server == contenders.CORACLE else row)
    yield from markdown.table(["server", "per connection", "before", "during"], rows)
