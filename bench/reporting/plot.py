# SPDX-License-Identifier: Apache-2.0
"""bench/results.svg: six small plots on one card, ours in colour and everybody else in grey."""

import dataclasses
import math
from collections.abc import Callable



from . import svg

from harness import contenders
from harness.quartiles import Figure, figure
from harness.store import Store
from subjects import idle, instr, offload, paired

from . import svg


INK, SOFT, RULE, CARD = "#1f2933", "#7b8794", "#e4e7eb", "#ffffff"
OURS, OURS_TINT = "#0e7c86", "#8fd3d8"
OTHER, OTHER_TINT = "#b8c1cc", "#dde2e8"
GOAL = "#d9480f"

PANEL_WIDTH, PANEL_GAP, MARGIN = 560, 56, 44
LABEL_WIDTH, VALUE_WIDTH = 132, 92
ROW_HEIGHT, HEAD_HEIGHT, FOOT_HEIGHT = 30, 62, 40
COLUMNS = 2


Place = Callable[[float], float]  # where on the axis a value stands


@dataclasses.dataclass
class Row:
    server: str
    title: str
    value: Figure
    second: Figure | None = None  # drawn lighter: a wider request, or the same without load


@dataclasses.dataclass
class Panel:
    title: str
    subtitle: str
    rows: list[Row]
    form: Callable[[float], str]
    goal: float | None = None
    is_logarithmic: bool = False
    start: float | None = None  # where a logarithmic axis begins; the decade below otherwise
    dumbbells: bool = False

    @property
    def height(self) -> float:
        return HEAD_HEIGHT + len(self.rows) * ROW_HEIGHT + FOOT_HEIGHT

    def draw(self, left: float, top: float) -> list[str]:
        drawn = [svg.text(left, top + 18, self.title, INK, 17, weight=600),
                 svg.text(left, top + 38, self.subtitle, SOFT, 12.5)]
        low, high = self._range()
        across = PANEL_WIDTH - LABEL_WIDTH - VALUE_WIDTH
        start = left + LABEL_WIDTH

        def at(value: float) -> float:
            if self.is_logarithmic:
                return start + across * math.log(max(value, low) / low) / math.log(high / low)
            return start + across * (value - low) / (high - low)

        first, last = top + HEAD_HEIGHT - 6, top + HEAD_HEIGHT + len(self.rows) * ROW_HEIGHT
        for tick in self._ticks(low, high):
            drawn += [svg.line(at(tick), first, at(tick), last, RULE),
                      svg.text(at(tick), last + 16, self.form(tick), SOFT, 11, "middle")]
        for place, row in enumerate(self.rows):
            drawn += self._draw_row(row, left, top + HEAD_HEIGHT + place * ROW_HEIGHT, at)
        if self.goal is not None and low <= self.goal <= high:
            x = at(self.goal)
            drawn += [svg.line(x, first, x, last, GOAL, 1.5, "4 3"),
                      svg.text(x + 4, first - 2, f"goal {self.form(self.goal)}", GOAL, 11)]
        return sorted(drawn, key=lambda element: element.startswith("<text"))  # words above lines

    def _draw_row(self, row: Row, left: float, top: float, at: Place) -> list[str]:
        is_ours = row.server == contenders.CORACLE
        color, tint = (OURS, OURS_TINT) if is_ours else (OTHER, OTHER_TINT)
        middle, weight = top + ROW_HEIGHT / 2, 600 if is_ours else 400
        drawn = [svg.text(left + LABEL_WIDTH - 10, middle + 4.5, row.title, INK, 13, "end", weight)]
        start, value = left + LABEL_WIDTH, at(row.value.median)
        second = at(row.second.median) if row.second else value
        end = max(value, second)
        if self.dumbbells:
            drawn += [svg.line(second, middle, value, middle, tint, 4),
                      svg.dot(second, middle, 5, CARD, color),
                      svg.dot(value, middle, 5.5, color, color)]
            end += 6
        elif row.second:
            drawn += [svg.box(start, top + 15, second - start, 9, tint, 2),
                      svg.box(start, top + 5, value - start, 10, color, 2)]
        else:
            drawn.append(svg.box(start, top + 6, value - start, 18, color, 2))
            if row.value.high > row.value.low:
                end = at(row.value.high)
                drawn.append(svg.line(at(row.value.low), middle, end, middle, INK, 1.5))
        told = self.form(row.value.median)
        if row.second and not self.dumbbells:
            told += f" · {self.form(row.second.median)}"
        beside = end + 8
        if self.goal is not None and beside - 6 < at(self.goal) < beside + 7 * len(told):
            beside = at(self.goal) + 7  # the goal's line would run through the number
        drawn.append(svg.text(beside, middle + 4.5, told, INK, 12.5, weight=weight))
        return drawn

    def _range(self) -> tuple[float, float]:
        values = [f.median for row in self.rows for f in (row.value, row.second) if f]
        if self.is_logarithmic:
            decade = 10 ** math.floor(math.log10(min(values)) - 0.05)
            return self.start or decade, max(values) * 1.15
        return 0, max([*values, self.goal or 0]) * 1.05

    def _ticks(self, low: float, high: float) -> list[float]:
        if self.is_logarithmic:
            decades = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
            return [10.0 ** power for power in decades]
        step = 10 ** math.floor(math.log10(high))
        while high / step < 3:
            step /= 2
        return [step * number for number in range(int(high / step) + 1)]


def render(store: Store) -> str:
    panels = [panel for panel in _panels(store) if panel.rows]
    lines = [panels[at:at + COLUMNS] for at in range(0, len(panels), COLUMNS)]
    width = MARGIN * 2 + PANEL_WIDTH * COLUMNS + PANEL_GAP
    elements, top = [], MARGIN + 36
    for line in lines:
        for column, panel in enumerate(line):
            elements += panel.draw(MARGIN + column * (PANEL_WIDTH + PANEL_GAP), top)
        top += max(panel.height for panel in line) + 14
    heading = "Coracle beside the floor and its rivals: less is better everywhere"
    return svg.document(width, round(top + 10), [
        svg.box(0.5, 0.5, width - 1, top + 9, CARD, 14, RULE),
        svg.text(MARGIN, MARGIN + 8, heading, INK, 21, weight=700),
        *elements,
    ])


def _panels(store: Store) -> list[Panel]:
    times = lambda value: _short(value) + " ×"
    piped = _ratios(store, "pipeline", "p16-small")
    return [
        Panel("User-space instructions per request",
              "A small request, and below it lighter a browser's 600 bytes of headers",
              _instructions(store), _whole, is_logarithmic=True),
        Panel("CPU per request, sixteen in one write",
              "Times the floor's, in adjacent pairs", piped, times, goal=1.3, is_logarithmic=True,
              start=0.4),
        Panel("CPU per request, one at a time",
              "Times the floor's, 64 connections: most of it is the kernel's",
              _ratios(store, "plain", "c64-small"), times, goal=1.1),
        Panel("User memory of an idle connection", "KiB each, at 10,000 of them", _memory(store),
              _short, goal=1),
        Panel("The fast endpoint beside three CPU-bound jobs",
              "p99 on one core; hollow: the same server without jobs",
              _latencies(store, "spin", 3), _duration, is_logarithmic=True, dumbbells=True),
        Panel("The fast endpoint beside fifty sleeping jobs",
              "p99, a pool of three; hollow: the same server without jobs",
              _latencies(store, "sleep", 50), _duration, is_logarithmic=True, dumbbells=True),
    ]


def _whole(value: float) -> str:
    return f"{value / 1000:g}k" if value >= 1000 and value % 1000 == 0 else f"{value:,.0f}"


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.2f}".rstrip("0").rstrip(".")


def _duration(us: float) -> str:
    return f"{us / 1000:.3g} ms" if us >= 1000 else f"{us:.0f} µs"


def _title(server: str) -> str:
    names = {contenders.CORACLE: "Coracle", contenders.FLOOR: "floor", "nginx": "nginx"}
    return names.get(server, contenders.ALL[server].title)


def _sorted(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row.value.median)


def _instructions(store: Store) -> list[Row]:
    browser = lambda server: instr.counted(store, "browser", server)
    return _sorted([
        Row(server, _title(server), figure(samples[-1:]),
            figure([browser(server)]) if browser(server) else None)
        for server, samples in store.series("instr", "small").items()])


def _ratios(store: Store, subject: str, work: str) -> list[Row]:
    series = store.series(subject, work)
    floor = [Row(contenders.FLOOR, _title(contenders.FLOOR), figure([1.0]))] if series else []
    return _sorted(floor + [Row(server, _title(server), paired.ratio(pairs))
                            for server, pairs in series.items() if server != contenders.AGAIN])


def _memory(store: Store) -> list[Row]:
    return _sorted([Row(server, _title(server), figure(map(idle.kib_each, samples)))
                    for server, samples in store.series("idle", "memory").items()])


def _latencies(store: Store, kind: str, jobs: int) -> list[Row]:
    rows = []
    for server in store.series("offload", f"{kind}-{jobs}"):
        if server == contenders.FLOOR and kind == "sleep":
            continue  # it has no jobs, so there is nothing to compare
        unloaded = offload.p99(store, kind, 0, server)
        title = "floor + spinners" if server == contenders.FLOOR else _title(server)
        rows.append(Row(server, title, figure(offload.p99(store, kind, jobs, server)),
                        figure(unloaded) if unloaded else None))
    return _sorted(rows)
