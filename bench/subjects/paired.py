# SPDX-License-Identifier: Apache-2.0
"""Requests as fast as they go: CPU per request against the floor, requests per second, latency."""

import dataclasses
from collections.abc import Container, Iterator

from harness import client, contenders, markdown, pairs
from harness.quartiles import figure
from harness.run import Run
from harness.server import ServerFailed
from harness.store import Store


@dataclasses.dataclass(frozen=True)
class Work:
    title: str
    options: dict  # those of load/load.cc


@dataclasses.dataclass(frozen=True)
class Paired:
    name: str
    title: str
    works: dict[str, Work]

    def measure(self, run: Run):
        options = {name: work.options for name, work in self.works.items()}
        everyone = [contenders.again(), *run.contenders]
        for turn in range(run.pairs):
            # The order of the contenders turns about too, so that none is always first.
            for contender in everyone[::1 if turn % 2 == 0 else -1]:
                try:
                    for work, pair in pairs.pair(contender, options, run.seconds, turn):
                        run.keep(self.name, work, contender.name, pair, told(pair))
                except (ServerFailed, client.ClientFailed) as error:
                    run.failed(self.name, contender.name, error)

    def tables(self, store: Store) -> Iterator[str]:
        for name, work in self.works.items():
            series = store.series(self.name, name)
            if not series:
                continue
            command = client.command("load", "1", port="N", **work.options)
            yield f"#### {work.title}"
            yield ""
            yield f"`{' '.join(command).replace(str(client.paths.ROOT) + '/', '')}`"
            titles = {name: contender.title for name, contender in contenders.ALL.items()}
            yield from table(series, titles, {contenders.CORACLE})


def table(series: dict[str, list], titles: dict[str, str], ours: Container[str],
          noun: str = "request") -> Iterator[str]:
    """One work: the floor, and everybody who was held against it, the cheapest first."""
    def rows():
        everyone = [pair["floor"] for samples in series.values() for pair in samples]
        yield _row(titles[contenders.FLOOR], everyone, "1", len(everyone))
        for server in sorted(series, key=lambda name: ratio(series[name]).median):
            row = _row(titles[server], [pair["server"] for pair in series[server]],
                       ratio(series[server]).shown(), len(series[server]))
            yield markdown.strong(row) if server in ours else row

    yield from markdown.table(
        ["server", f"CPU per {noun}", "÷ floor", f"{noun}s/s", "p50", "p99", "busy", "pairs"], rows())


def ratio(series: list[dict]):
    """CPU per request over the floor's, pair by pair."""
    return figure(map(pairs.ratio, series))


def _row(title: str, samples: list[dict], over_floor: str, count: int) -> list[str]:
    median = lambda of: figure(map(of, samples)).median
    return [
        title,
        figure(map(pairs.cpu_us, samples)).shown() + " µs",
        over_floor,
        markdown.count(median(lambda s: s["requests"] / s["seconds"])),
        markdown.microseconds(median(lambda s: s["p50_us"])),
        markdown.microseconds(median(lambda s: s["p99_us"])),
        f"{median(lambda s: s['cpu_ns'] / 1e9 / s['seconds']):.0%}",
        str(count),
    ]


def told(pair: dict) -> str:
    """A pair as bench/run says it."""
    server = pair["server"]
    return (f"{pairs.ratio(pair):.2f} x floor, {pairs.cpu_us(server):.2f} us CPU, "
            f"{server['requests'] / server['seconds']:,.0f}/s")


PLAIN = Paired("plain", "One request at a time on each connection", {
    f"c{connections}-{shape}": Work(
        f"/plaintext, {described}, {connections} connections",
        dict(path="/plaintext", shape=shape, connections=connections))
    for connections in (64, 512)
    for shape, described in (("small", "small request"), ("browser", "a browser's 600 bytes"))
})

PIPELINE = Paired("pipeline", "Sixteen requests in one write", {
    f"p16-{shape}": Work(
        f"/plaintext, {described}, 64 connections, 16 deep (latencies are a batch's)",
        dict(path="/plaintext", shape=shape, connections=64, depth=16))
    for shape, described in (("small", "small request"), ("browser", "a browser's 600 bytes"))
})

ROUTES = Paired("routes", "JSON, and a variable in the path", {
    "json": Work("/json, small request, 64 connections",
                 dict(path="/json", shape="small", connections=64)),
    "hello": Work("/hello/{name}, small request, 64 connections",
                  dict(path="/hello/Ada", shape="small", connections=64)),
})
