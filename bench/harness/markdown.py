# SPDX-License-Identifier: Apache-2.0
"""Tables and numbers as RESULTS.md writes them."""

from collections.abc import Iterable, Iterator


def table(columns: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    """The first column to the left, the others to the right. A blank line before and after."""
    yield ""
    yield "| " + " | ".join(columns) + " |"
    yield "|---|" + "---:|" * (len(columns) - 1)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


def strong(row: list[str]) -> list[str]:
    """Our own row."""
    return [f"**{cell}**" if cell else cell for cell in row]


def count(value: float) -> str:
    return f"{value:,.0f}"


def microseconds(value: float) -> str:
    if value >= 9950:
        return f"{value / 1000:.1f} ms"
    if value >= 995:
        return f"{value / 1000:.2f} ms"
    return f"{value:.0f} µs" if value >= 10 else f"{value:.2f} µs"
