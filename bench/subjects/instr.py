# SPDX-License-Identifier: Apache-2.0
"""User-space instructions per request, counted by valgrind: the one figure no neighbour can disturb."""

from collections.abc import Iterator

from harness import client, contenders, markdown, valgrind
from harness.run import Run
from harness.server import ServerFailed
from harness.store import Store

title = "Instructions per request"

WORKS = {  # column title, and the options of load/ask.cc
    "small": ("small", dict(path="/plaintext", shape="small")),
    "browser": ("browser's", dict(path="/plaintext", shape="browser")),
    "pipe16": ("small, 16 deep", dict(path="/plaintext", shape="small", depth=16)),
    "json": ("/json", dict(path="/json", shape="small")),
    "hello": ("/hello/{name}", dict(path="/hello/Ada", shape="small")),
}


def measure(run: Run):
    for contender in [contenders.floor(), *run.contenders]:
        if not contender.counted:
            continue
        for work, (_, options) in WORKS.items():
            try:
                counted = valgrind.per_request(contender, contender.counted, **options)
            except (ServerFailed, client.ClientFailed) as error:
                run.failed("instr", contender.name, error)
                continue
            run.keep("instr", work, contender.name, counted, f"{counted:,.0f} instructions")


def tables(store: Store) -> Iterator[str]:
    known = {server for work in WORKS for server in store.series("instr", work)}
    if not known:
        return
    yield ("In user space, one connection, one request (or one batch of 16) at a time: the worst "
           "case, since nothing is shared between connections. Valgrind cannot run Go programs.")
    order = sorted(known, key=lambda server: counted(store, "small", server) or 0)
    yield from markdown.table(
        ["server", *(column for column, _ in WORKS.values())],
        (markdown.strong(row) if server == contenders.CORACLE else row
         for server in order for row in [_row(store, server)]))


def counted(store: Store, work: str, server: str) -> float | None:
    samples = store.series("instr", work).get(server)
    return samples[-1] if samples else None


def _row(store: Store, server: str) -> list[str]:
    counts = (counted(store, work, server) for work in WORKS)
    return [contenders.ALL[server].title,
            *("–" if c is None else markdown.count(c) for c in counts)]
