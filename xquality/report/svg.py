"""Drawing a figure of a report as SVG: scales, axes and marks, as text of a few kilobytes.

Every colour is an attribute, so that a downloaded figure is whole; the page's style sheet overrides them in the dark
by class. What a mark stands for is its `<title>`, which the page shows on hover. Every text is escaped here.
"""

import html
import math
import textwrap
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import final

from xquality._tables import printable

# Okabe and Ito's palette, distinct with any kind of colour vision; dashes distinguish further series.
_SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#B8860B", "#56B4E9", "#5D5D5D")
_DASHES = ("", "6 3", "2 3", "8 3 2 3")
_COLOURS = {
    "ink": "#222222",
    "soft": "#666666",
    "grid": "#E4E4E4",
    "line": "#888888",
    "dark": "#111111",
    "light": "#FFFFFF",
}
_FONT = 'font-family="system-ui, -apple-system, Segoe UI, Noto Sans, sans-serif"'
_ANCHORS = {"left": "", "middle": ' text-anchor="middle"', "right": ' text-anchor="end"'}


@final
@dataclass(frozen=True)
class Scale:
    """A mapping of numbers to places.

    Attributes:
        low: the number at `start`.
        high: the number at `end`.
        start: in units of the drawing.
        end: in units of the drawing.
        kind: "linear", "log", or "steps" for the logarithm of 1 + steps.
    """

    low: float
    high: float
    start: float
    end: float
    kind: str = "linear"

    def __call__(self, value: float) -> float:
        """Return the place of a number, at an end where it lies beyond it."""
        low, high, at = map(self._bend, (self.low, self.high, value))
        share = 0.5 if high == low else min(1.0, max(0.0, (at - low) / (high - low)))
        return self.start + share * (self.end - self.start)

    def _bend(self, value: float) -> float:
        """Return a number on the scale that is drawn evenly."""
        if self.kind == "log":
            return math.log(max(value, 1e-12))
        return math.log1p(max(value, 0.0)) if self.kind == "steps" else value

    def ticks(self, most: int = 5) -> list[float]:
        """Return round numbers within the scale, at most about `most` of them."""
        if self.kind == "linear":
            return _round_ticks(self.low, self.high, most)
        least = 1.0 if self.kind == "steps" else self.low * 0.999
        for factors in ((1, 2, 5), (1, 3), (1,)):
            ticks = [factor * 10.0**power for power in range(-9, 10) for factor in factors]
            within = [tick for tick in ticks if least <= tick <= self.high * 1.001]
            if len(within) <= most:
                break
        return [0.0, *within] if self.kind == "steps" else within


def _round_ticks(low: float, high: float, most: int) -> list[float]:
    """Return multiples of 1, 2 or 5 times a power of ten between two numbers."""
    if not high > low:
        return [low]
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]


def spread(values: Iterable[float], *, share: float = 0.06, zero: bool = False) -> tuple[float, float]:
    """Return the least and the greatest of finite numbers, and a margin beside them.

    Args:
        values: numbers; infinite ones are left out.
        share: of the distance, for the margin.
        zero: whether 0 is within.
    """
    finite = [value for value in values if math.isfinite(value)] + ([0.0] if zero else [])
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    margin = share * (high - low) or max(1.0, 0.05 * abs(high))
    return low - margin, high + margin


def write_number(value: float) -> str:
    """Return a number for an axis."""
    return f"{value:,.6g}"


def wrap(text: str, width: int, most: int = 2) -> list[str]:
    """Return a text on lines of a width in average letters, shortened at the last one that is allowed."""
    shown = printable(text)
    wide = sum(unicodedata.east_asian_width(sign) in "WF" for sign in shown)
    room = max(6, width - round(wide * width / max(1, 2 * len(shown))))
    lines = textwrap.wrap(shown, room) or [shown]
    if len(lines) > most:
        lines = [*lines[: most - 1], f"{lines[most - 1][: room - 1]}…"]
    return lines


@final
class Drawing:
    """A figure that is being drawn.

    Attributes:
        width: in units; one is a pixel where the figure has its own size.
        height: in units.
    """

    def __init__(self, width: float, height: float, title: str) -> None:
        self.width, self.height = width, height
        self._title = printable(title)
        self._parts: list[str] = []

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        anchor: str = "left",
        colour: str = "ink",
        size: float = 12,
        bold: bool = False,
    ) -> None:
        """Write a text whose baseline begins, has its middle, or ends at a place."""
        weight = ' font-weight="600"' if bold else ""
        self._parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}"{_ANCHORS[anchor]} font-size="{size:g}"{weight} {_fill(colour)}>'
            f"{_escape(text)}</text>"
        )

    def vertical_text(self, x: float, y: float, text: str) -> None:
        """Write a text upwards, its middle at a place."""
        self._parts.append(
            f'<text transform="translate({x:.1f} {y:.1f}) rotate(-90)" text-anchor="middle" font-size="12" '
            f"{_fill('soft')}>{_escape(text)}</text>"
        )

    def line(
        self,
        points: Sequence[tuple[float, float]],
        colour: str | int,
        *,
        width: float = 1.5,
        dash: str = "",
        title: str = "",
    ) -> None:
        """Draw a line through points."""
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._parts.append(
            f'<polyline points="{path}" fill="none" {_stroke(colour)} stroke-width="{width:g}"{dashed}>{_named(title)}'
            "</polyline>"
        )

    def area(self, points: Sequence[tuple[float, float]], colour: int) -> None:
        """Fill a polygon faintly."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._parts.append(f'<polygon points="{path}" {_fill(colour)} fill-opacity="0.16"/>')

    def dot(
        self, x: float, y: float, colour: str | int, *, title: str = "", hollow: bool = False, radius: float = 4
    ) -> None:
        """Draw a dot, with a wider transparent one around it that shows its title."""
        inside = f'fill="none" {_stroke(colour)} stroke-width="1.6"' if hollow else _fill(colour)
        reach = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="10" fill-opacity="0"/>' if title else ""
        self._parts.append(f'<g>{_named(title)}<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" {inside}/>{reach}</g>')

    def box(self, x: float, y: float, width: float, height: float, fill: str | int, *, title: str = "") -> None:
        """Fill a rectangle, with a colour of the palette or with any."""
        colour = f'fill="{fill}"' if isinstance(fill, str) and fill.startswith("#") else _fill(fill)
        self._parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" {colour}>{_named(title)}</rect>'
        )

    def horizontal_axis(
        self,
        scale: Scale,
        top: float,
        bottom: float,
        label: str = "",
        *,
        write: Callable[[float], str] = write_number,
        most: int = 5,
    ) -> None:
        """Draw ticks with grid lines from `top` to `bottom`, and a label below."""
        for tick in scale.ticks(most):
            x = scale(tick)
            self._parts.append(_grid(x, top, x, bottom))
            self.text(x, bottom + 16, write(tick), anchor="middle", colour="soft", size=11)
        if label:
            self.text((scale.start + scale.end) / 2, bottom + 34, label, anchor="middle", colour="soft")

    def vertical_axis(
        self, scale: Scale, left: float, right: float, label: str = "", *, write: Callable[[float], str] = write_number
    ) -> None:
        """Draw ticks with grid lines from `left` to `right`, and a label to the left, upwards."""
        for tick in scale.ticks(5):
            y = scale(tick)
            self._parts.append(_grid(left, y, right, y))
            self.text(left - 6, y + 4, write(tick), anchor="right", colour="soft", size=11)
        if label:
            self.vertical_text(left - 44, (scale.start + scale.end) / 2, label)

    def level(self, scale: Scale, value: float, left: float, right: float, label: str) -> None:
        """Draw a horizontal line at a number, such as chance, with its name above its right end."""
        y = scale(value)
        self.line([(left, y), (right, y)], "line", width=1, dash="4 3", title=f"{label}: {value:.1f}")
        self.text(right, y - 4, label, anchor="right", colour="soft", size=11)

    def legend(self, entries: Sequence[tuple[int, str]], top: float, *, width: int, marks: bool = False) -> float:
        """List series by colour, one or two lines each; return where the list ends."""
        for series, name in entries:
            if marks:
                self.dot(15, top + 8, series)
            else:
                self.line([(6, top + 8), (24, top + 8)], series, width=2.2, dash=dash_of(series))
            for part in wrap(name, width):
                self.text(30, top + 12, part, size=12)
                top += 16
        return top

    def to_svg(self) -> str:
        """Return the figure as an SVG document without a declaration, which also stands in a page."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width:g}" height="{self.height:g}" '
            f'viewBox="0 0 {self.width:g} {self.height:g}" role="img" aria-label="{_escape(self._title)}" {_FONT}>\n'
            + "\n".join(self._parts)
            + "\n</svg>"
        )


def dash_of(series: int) -> str:
    """Return the dashes of a series of a legend."""
    return _DASHES[series // len(_SERIES) % len(_DASHES)]


def _grid(x1: float, y1: float, x2: float, y2: float) -> str:
    """Return a line of the grid."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="grid" stroke="{_COLOURS["grid"]}"/>'


def _colour(colour: str | int) -> tuple[str, str]:
    """Return the class and the colour of a series by number, or of a part of the figure by name."""
    if isinstance(colour, int):
        return f"s{colour % len(_SERIES)}", _SERIES[colour % len(_SERIES)]
    return colour, _COLOURS[colour]


def _fill(colour: str | int) -> str:
    """Return the attributes of a filled mark."""
    name, value = _colour(colour)
    return f'class="f {name}" fill="{value}"'


def _stroke(colour: str | int) -> str:
    """Return the attributes of a line."""
    name, value = _colour(colour)
    return f'class="l {name}" stroke="{value}"'


def _escape(text: str) -> str:
    """Return a text for SVG, which is XML: two characters that it may not hold are written as escapes."""
    shown = printable(text).replace("\ufffe", r"\ufffe").replace("\uffff", r"\uffff")
    return html.escape(shown)


def _named(title: str) -> str:
    """Return the title of a mark."""
    return f"<title>{_escape(title)}</title>" if title else ""
