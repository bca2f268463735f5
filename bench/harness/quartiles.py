# SPDX-License-Identifier: Apache-2.0
"""A figure measured several times: its median and the middle half of what was seen."""

import dataclasses
import statistics
from collections.abc import Iterable


@dataclasses.dataclass(frozen=True)
class Figure:
    low: float      # first quartile
    median: float
    high: float     # third quartile

    def shown(self, form=lambda value: f"{value:.2f}") -> str:
        """median (low–high), or the median alone when all were the same."""
        if form(self.low) == form(self.high):
            return form(self.median)
        return f"{form(self.median)} ({form(self.low)}–{form(self.high)})"


def figure(values: Iterable[float]) -> Figure:
    values = sorted(values)
    if len(values) == 1:
        return Figure(values[0], values[0], values[0])
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Figure(low, median, high)
