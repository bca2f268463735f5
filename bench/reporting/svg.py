# SPDX-License-Identifier: Apache-2.0
"""The few SVG elements our plots are made of."""

from xml.sax.saxutils import escape

FONT = "Inter, 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', sans-serif"


def document(width: int, height: int, elements: list[str]) -> str:
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="{FONT}" role="img">',
        *elements,
        "</svg>\n",
    ])


def box(x: float, y: float, width: float, height: float, fill: str, radius: float = 0, stroke="none"):
    return (f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{height:.1f}" '
            f'rx="{radius}" fill="{fill}" stroke="{stroke}"/>')


def line(x1: float, y1: float, x2: float, y2: float, color: str, width: float = 1, dash: str = ""):
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}" '
            f'stroke-width="{width}"{dashes}/>')


def dot(x: float, y: float, radius: float, fill: str, stroke: str):
    return (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{fill}" stroke="{stroke}" '
            f'stroke-width="2"/>')


def text(x: float, y: float, words: str, color: str, size: float = 13, anchor: str = "start",
         weight: int = 400):
    # The white edge keeps words readable where they cross a line.
    return (f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}" font-size="{size}" '
            f'stroke="#ffffff" stroke-width="3" stroke-linejoin="round" paint-order="stroke" '
            f'font-weight="{weight}" text-anchor="{anchor}">{escape(words)}</text>')
