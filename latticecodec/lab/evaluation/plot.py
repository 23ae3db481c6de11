"""Quality over rate as an SVG picture that stands by itself: logarithmic bits per pixel, light and dark.

Each codec is a line with its measured points, published curves are dashed and without points. The legend is to the
right; hovering over a point tells its values.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from .curve import Curve
from .evaluate import Evaluation
from .measures import MEASURES

WIDTH, HEIGHT = 860, 440
LEFT, RIGHT, TOP, BOTTOM = 52, 660, 16, 388  # of the axes
COLOURS = ("#2f6fde", "#e0601f", "#159a6c", "#c2458f", "#b08900", "#7b5cd6", "#1595b3", "#d13b3b", "#6f8a1f", "#8a6a4f")
DASHES = ("7 4", "2 3", "9 3 2 3", "4 2")
STYLE = """
.plot { font: 13px system-ui, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; --ink: #1d232b; --soft: #66707d;
  --line: #e3e7ec; --paper: #ffffff }
@media (prefers-color-scheme: dark) { .plot { --ink: #e8ebef; --soft: #98a2af; --line: #2d343d; --paper: #14181d } }
.plot text { fill: var(--soft) } .plot .name { fill: var(--ink) } .plot .title { fill: var(--ink); font-weight: 600 }
.plot .grid { stroke: var(--line) } .plot .axis { stroke: var(--soft) } .plot .paper { fill: var(--paper) }
.plot polyline { fill: none; stroke-linejoin: round; stroke-linecap: round } .plot circle { stroke: var(--paper) }
.plot .series { transition: opacity 0.15s }
"""


@dataclass(frozen=True)
class _Scale:
    """Values from `low` to `high` on pixels from `start` to `end`; both logarithmic or neither."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def plot(evaluation: Evaluation, metric: str) -> str | None:
    """Quality of all codecs, by a key of `MEASURES`, over their rate: an SVG document; None without any."""
    kinds = ((evaluation.models, "model"), (evaluation.peers, "peer"), (evaluation.published, "published"))
    series = [(curve, kind, _finite(curve, metric)) for curves, kind in kinds for curve in curves]
    series = [item for item in series if item[2]]
    measured = [point for _, kind, points in series if kind != "published" for point in points]
    if not measured:
        return None
    x = _rates([bpp for bpp, _ in measured])
    y, y_ticks = _qualities([quality for _, quality in measured], MEASURES[metric].least)
    parts = [_axes(x, y, y_ticks, MEASURES[metric].label)]
    for number, (curve, kind, points) in reversed(list(enumerate(series))):  # the models on top
        parts.append(_series(curve, kind, points, number, x, y, metric))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(MEASURES[metric].label)} over bits per pixel"><style>{STYLE}</style>'
        f'<clipPath id="clip-{metric}"><rect x="{LEFT}" y="{TOP}" width="{RIGHT - LEFT}" height="{BOTTOM - TOP}"/>'
        f'</clipPath><rect class="paper" width="{WIDTH}" height="{HEIGHT}" rx="8"/>{"".join(parts)}</svg>'
    )


def _finite(curve: Curve, metric: str) -> list[tuple[float, float]]:
    return [(bpp, quality) for bpp, quality in curve.by(metric) if math.isfinite(quality)]


def _rates(rates: Sequence[float]) -> _Scale:
    """log10 of bits per pixel, with a little room at both ends."""
    return _Scale(math.log10(min(rates)) - 0.04, math.log10(max(rates)) + 0.04, LEFT, RIGHT)


def _qualities(qualities: Sequence[float], least: float) -> tuple[_Scale, list[float]]:
    """From one tick to another around all qualities, and the ticks: five to ten round numbers."""
    low, high = max(least, min(qualities)), max(qualities)
    rough = max(high - low, 0.1) / 10
    unit = 10 ** math.floor(math.log10(rough))
    step = next(factor * unit for factor in (1, 2, 5, 10) if factor * unit >= rough)
    first, last = math.floor(low / step), max(math.ceil(high / step), math.floor(low / step) + 1)
    return _Scale(first * step, last * step, BOTTOM, TOP), [tick * step for tick in range(first, last + 1)]


def _axes(x: _Scale, y: _Scale, y_ticks: Sequence[float], label: str) -> str:
    parts = []
    for tick in y_ticks:
        height = f"{y(tick):.1f}"
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{RIGHT}" y1="{height}" y2="{height}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{height}" dy="4" text-anchor="end">{tick:g}</text>')
    exponents = range(math.floor(x.low), math.ceil(x.high))
    for tick in (digit * 10.0**exponent for exponent in exponents for digit in range(1, 10)):
        if x.low <= math.log10(tick) <= x.high:
            place = f"{x(math.log10(tick)):.1f}"
            parts.append(f'<line class="grid" x1="{place}" x2="{place}" y1="{TOP}" y2="{BOTTOM}"/>')
            if f"{tick:e}"[0] in "125" or x.high - x.low < 0.7:
                parts.append(f'<text x="{place}" y="{BOTTOM + 20}" text-anchor="middle">{tick:g}</text>')
    parts.append(f'<line class="axis" x1="{LEFT}" x2="{RIGHT}" y1="{BOTTOM}" y2="{BOTTOM}"/>')
    middle = (LEFT + RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 12}" text-anchor="middle">bits per pixel (logarithmic)</text>')
    parts.append(f'<text class="title" x="{LEFT + 10}" y="{TOP + 20}">{escape(label)}</text>')
    return "".join(parts)


def _series(
    curve: Curve, kind: str, points: Sequence[tuple[float, float]], number: int, x: _Scale, y: _Scale, metric: str
) -> str:
    """A codec's line and points, and its line in the legend."""
    colour = COLOURS[number % len(COLOURS)]
    width = {"model": 2.6, "peer": 1.8, "published": 1.4}[kind]
    dash = f' stroke-dasharray="{DASHES[number % len(DASHES)]}"' if kind == "published" else ""
    stroke = f'stroke="{colour}" stroke-width="{width}"{dash}'
    places = [(x(math.log10(bpp)), y(quality)) for bpp, quality in points]
    line = " ".join(f"{across:.1f},{up:.1f}" for across, up in places)
    name, row = escape(curve.codec), TOP + 12 + 21 * number
    parts = [f'<g class="series" data-codec="{name}"><g clip-path="url(#clip-{metric})">']
    parts.append(f'<polyline points="{line}" {stroke}/>')
    if kind != "published":
        for (across, up), (bpp, quality) in zip(places, points, strict=True):
            told = f"<title>{name}: {bpp:.4f} bpp, {quality:.2f} {escape(MEASURES[metric].label)}</title>"
            parts.append(f'<circle cx="{across:.1f}" cy="{up:.1f}" r="4" fill="{colour}">{told}</circle>')
    shown = name if len(curve.codec) <= 22 else "…" + escape(curve.codec[-21:])
    parts.append(f'</g><line x1="{RIGHT + 14}" x2="{RIGHT + 38}" y1="{row}" y2="{row}" {stroke}/>')
    parts.append(f'<text class="name" x="{RIGHT + 46}" y="{row}" dy="4">{shown}</text></g>')
    return "".join(parts)
