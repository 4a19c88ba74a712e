"""The figures of the page: each a function of numbers that returns SVG, legible at the width of a phone."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from xquality.analysis import Interval, Survival
from xquality.report.svg import Drawing, Scale, dash_of, spread, wrap, write_number
from xquality.report.table import write_interval

_WIDE, _NARROW = 480.0, 340.0
_LEFT, _RIGHT, _BOTTOM = 56.0, 12.0, 44.0  # margins of a panel
_PLOT = 180.0  # height of a panel's plot
_NAMES, _VALUES = 196.0, 118.0  # width of the names and of the numbers beside a forest plot
_VIRIDIS = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))

Point = tuple[float, float]
Error = tuple[float, float, float, float]  # x, y, low, high


@final
@dataclass(frozen=True)
class ForestRow:
    """A row of a forest plot.

    Attributes:
        name: printed beside the interval.
        found: the mean with its interval; None for a row that says why there is none.
        note: printed in the place of the interval, or added to what is shown on hover.
    """

    name: str
    found: Interval | None
    note: str = ""


@final
@dataclass(frozen=True)
class Line:
    """A series of a panel.

    Attributes:
        name: in the legend.
        series: the number of its colour.
        points: that a line is drawn through.
        errors: dots with vertical intervals.
    """

    name: str
    series: int
    points: Sequence[Point] = ()
    errors: Sequence[Error] = ()


def draw_forest(title: str, rows: Sequence[ForestRow], label: str, *, levels: Mapping[str, float] | None = None) -> str:
    """Return a forest plot: names, intervals, and their numbers.

    Args:
        title: above the plot.
        rows: from the top.
        label: of the axis.
        levels: vertical lines by name, such as chance; without them the rows are differences, and 0 has a line.
    """
    is_difference = levels is None
    ends = [end for row in rows if row.found for end in (row.found.low, row.found.mean, row.found.high)]
    near = _near_levels(ends, levels or {})
    scale = Scale(*spread([*ends, *near.values()], zero=is_difference), _NAMES, _WIDE - _VALUES)
    heights = [max(21.0, 15.0 * len(wrap(row.name, 31, 3)) + 7) for row in rows]
    drawing, top = _start_drawing(title, _WIDE, 16.0 * len(levels or {}) + sum(heights) + 42)
    start = top + 16 * len(levels or {})
    bottom = start + sum(heights)
    drawing.horizontal_axis(scale, start, bottom, label, most=4)
    for place, (name, value) in enumerate((levels or {}).items()):
        shown, y = f"{name}: {value:.1f}", top + 16 * place
        if name not in near:
            is_below = value < scale.low
            at, shown = (scale.start, f"\u2190 {shown}") if is_below else (scale.end, f"{shown} \u2192")
            drawing.text(at, y + 10, shown, anchor="left" if is_below else "right", colour="soft", size=11)
            continue
        x = scale(value)
        drawing.line([(x, y), (x, bottom)], "line", width=1.2, dash="4 3", title=shown)
        is_right = x > (scale.start + scale.end) / 2
        drawing.text(
            x + (-5 if is_right else 5), y + 10, shown, anchor="right" if is_right else "left", colour="soft", size=11
        )
    if is_difference:
        drawing.line([(scale(0), start), (scale(0), bottom)], "ink", width=1)
    y = start
    for row, height in zip(rows, heights, strict=True):
        _draw_row(drawing, scale, row, (y, height), is_difference=is_difference)
        y += height
    return drawing.to_svg()


def _near_levels(ends: Sequence[float], levels: Mapping[str, float]) -> dict[str, float]:
    """Return the levels that are no further from the values than these spread: others would press them together."""
    low, high = spread(ends, share=1.0)
    return {name: value for name, value in levels.items() if not ends or low <= value <= high}


def _draw_row(drawing: Drawing, scale: Scale, row: ForestRow, place: Point, *, is_difference: bool) -> None:
    """Draw a row of a forest plot, given its top and its height."""
    top, height = place
    lines, y = wrap(row.name, 31, 3), top + height / 2
    for number, part in enumerate(lines):
        drawing.text(4, y + 4 + 15 * (number - (len(lines) - 1) / 2), part)
    if row.found is None:
        drawing.text(_WIDE - 4, y + 4, row.note, anchor="right", colour="soft", size=11)
        return
    found, text = row.found, write_interval(row.found, sign=is_difference)
    drawing.text(_WIDE - 4, y + 4, text, anchor="right", colour="soft", size=11)
    has_ends = math.isfinite(found.low) and math.isfinite(found.high)
    is_clear = has_ends and (not is_difference or found.low > 0 or found.high < 0)
    colour: str | int = 0 if is_clear else "line"
    title = f"{row.name}: {text}" + (f" ({row.note})" if row.note else "")
    if has_ends:
        drawing.line([(scale(found.low), y), (scale(found.high), y)], colour, width=2.4, title=title)
    drawing.dot(scale(found.mean), y, colour, title=title, hollow=not has_ends)


def draw_band(
    title: str, steps: Sequence[float], found: Sequence[Interval], x_label: str, y_label: str, limits: Point
) -> str:
    """Return a panel with the curve of a difference over steps, its interval as a band, and a line at 0.

    Args:
        title: above the panel.
        steps: ascending.
        found: the difference at each step.
        x_label: of the steps.
        y_label: of the difference.
        limits: of the vertical axis, the same in panels that are compared.
    """
    drawing, top = _start_panel(title, _PLOT)
    x, y = Scale(0, max(steps), _LEFT, _NARROW - _RIGHT, "steps"), Scale(*limits, top + _PLOT, top)
    _draw_axes(drawing, x, y, top, x_label, y_label)
    drawing.line([(_LEFT, y(0)), (_NARROW - _RIGHT, y(0))], "ink", width=1)
    places = [(x(step), interval) for step, interval in zip(steps, found, strict=True)]
    known = [(at, interval) for at, interval in places if math.isfinite(interval.low) and math.isfinite(interval.high)]
    drawing.area([*((at, y(each.high)) for at, each in known), *((at, y(each.low)) for at, each in reversed(known))], 0)
    drawing.line([(at, y(interval.mean)) for at, interval in places], 0, width=2)
    for step, (at, interval) in zip(steps, places, strict=True):
        shown = f"{write_interval(interval, sign=True)}, {interval.count} pairs"
        drawing.dot(at, y(interval.mean), 0, title=f"step {step:g}: {shown}", radius=3)
    return drawing.to_svg()


def draw_survival(title: str, lines: Sequence[tuple[int, str, Survival]], budget: float) -> str:
    """Return a panel with the share of runs that have not reached the threshold, over steps.

    Args:
        title: above the panel.
        lines: for each arm the number of its colour, its name, and its Kaplan-Meier curve.
        budget: the last step that all runs were measured at.
    """
    names = [f"{name} ({_censored(found)})" for _, name, found in lines]
    legend = sum(16 * len(wrap(name, 46)) for name in names) + 8
    drawing, top = _start_panel(title, _PLOT + legend)
    last = max([budget, *(found.last for _, _, found in lines)])
    x, y = Scale(0, last, _LEFT, _NARROW - _RIGHT, "steps"), Scale(0, 1, top + _PLOT, top)
    _draw_axes(drawing, x, y, top, "target-task steps (log scale)", "share not there yet", percent=True)
    for series, name, found in lines:
        points = [(x(0), y(1))]
        share = 1.0
        for time, after in zip(found.times, found.shares, strict=True):
            points += [(x(time), y(share)), (x(time), y(after))]
            share = after
        points.append((x(found.last), y(share)))
        drawing.line(points, series, width=2, dash=dash_of(series), title=f"{name}: {found}")
        for time, after in zip(found.times, found.shares, strict=True):
            drawing.dot(
                x(time),
                y(after),
                series,
                title=f"{name}, step {time:.1f}: {100 * after:.0f} % not there yet",
                radius=2.2,
            )
    drawing.legend(
        [(series, name) for (series, _, _), name in zip(lines, names, strict=True)], top + _PLOT + _BOTTOM, width=46
    )
    return drawing.to_svg()


def _censored(found: Survival) -> str:
    """Return how many runs did not reach the threshold, as text."""
    if found.reached == found.count:
        return f"all {found.count} reached it"
    return f"{found.count - found.reached} of {found.count} did not reach it"


def draw_amounts(
    title: str, lines: Sequence[Line], x_label: str, y_label: str, levels: Mapping[str, float], limits: Point
) -> str:
    """Return a panel with scores over the logarithm of an amount.

    Args:
        title: above the panel.
        lines: the series.
        x_label: of the amounts.
        y_label: of the scores.
        levels: horizontal lines by name, such as chance.
        limits: of the amounts, the same in panels that are compared.
    """
    legend = sum(16 * len(wrap(line.name, 46)) for line in lines) + 8
    drawing, top = _start_panel(title, _PLOT + legend)
    ends = [end for line in lines for _, mean, low, high in line.errors for end in (mean, low, high)]
    x = Scale(*limits, _LEFT, _NARROW - _RIGHT, "log")
    near = _near_levels(ends, levels)
    y = Scale(*spread([*ends, *near.values()]), top + _PLOT, top)
    _draw_axes(drawing, x, y, top, x_label, y_label)
    for name, value in near.items():
        drawing.level(y, value, _LEFT, _NARROW - _RIGHT, name)
    for line in lines:
        drawing.line([(x(at), y(mean)) for at, mean in line.points], line.series, width=1.8)
        for at, mean, low, high in line.errors:
            shown = f"{line.name}, {write_number(at)}: {mean:.1f}"
            if math.isfinite(low) and math.isfinite(high):
                shown += f" [{low:.1f}, {high:.1f}]"
                drawing.line([(x(at), y(low)), (x(at), y(high))], line.series, width=1.6)
            drawing.dot(x(at), y(mean), line.series, title=shown)
    drawing.legend([(line.series, line.name) for line in lines], top + _PLOT + _BOTTOM, width=46)
    return drawing.to_svg()


def draw_effective(title: str, found: Mapping[float, Error], rate: float | None, unit: str, clean: Point) -> str:
    """Return a panel with the clean amount that scores like each amount of another quality.

    Args:
        title: above the panel.
        found: by amount: the effective amount and its interval, 0 and infinite where it lies beyond the clean amounts.
        rate: what one row is worth over all amounts, which a line shows; None where it is withheld.
        unit: of the amounts.
        clean: the smallest and the largest clean amount.
    """
    names = ["one row is worth one clean row", *([] if rate is None else [f"one row is worth {rate:.2g} clean rows"])]
    drawing, top = _start_panel(title, _PLOT + 16 * len(names) + 8)
    amounts = [*found, *clean]
    least, most = 0.8 * min(amounts), 1.25 * max(amounts)
    low = min([least, *(rate * at for at in found if rate)])
    x, y = Scale(least, most, _LEFT, _NARROW - _RIGHT, "log"), Scale(low, most, top + _PLOT, top, "log")
    _draw_axes(drawing, x, y, top, f"{unit} of this quality (log scale)", f"clean {unit} (log scale)")
    drawing.line([(x(least), y(least)), (x(most), y(most))], "line", width=1.2, dash="4 3")
    if rate is not None:
        ends = [max(least, low / rate), min(most, most / rate)]
        drawing.line([(x(end), y(rate * end)) for end in ends], 1, width=1.5)
    for at, (_, rows, start, end) in found.items():
        shown = [_write_rows(bound, clean) for bound in (rows, start, end)]
        title_ = f"{write_number(at)}: like {shown[0]} clean ones [{shown[1]}, {shown[2]}]"
        bounds = (max(start, low), min(end, most))
        drawing.line([(x(at), y(bounds[0])), (x(at), y(bounds[1]))], 0, width=1.8, title=title_)
        beyond = not low <= rows <= most
        drawing.dot(x(at), y(min(max(rows, low), most)), 0, title=title_, hollow=beyond)
    bottom = top + _PLOT + _BOTTOM
    drawing.line([(6, bottom + 8), (24, bottom + 8)], "line", width=1.2, dash="4 3")
    drawing.text(30, bottom + 12, names[0])
    if rate is not None:
        drawing.line([(6, bottom + 24), (24, bottom + 24)], 1, width=1.5)
        drawing.text(30, bottom + 28, names[1])
    return drawing.to_svg()


def _write_rows(rows: float, clean: Point) -> str:
    """Return an effective amount as text; beyond the clean ones it is a bound."""
    if rows <= 0:
        return f"fewer than {write_number(clean[0])}"
    return f"{rows:.0f}" if math.isfinite(rows) else f"more than {write_number(clean[1])}"


def draw_map(
    title: str,
    columns: Sequence[Any],
    rows: Sequence[Any],
    found: Mapping[tuple[Any, Any], Interval],
    x_label: str,
    y_label: str,
) -> str:
    """Return a heat map.

    Args:
        title: above the map.
        columns: the values across.
        rows: the values upwards.
        found: by column and row, the mean and its interval.
        x_label: of the columns.
        y_label: of the rows.
    """
    width = min(96.0, max(11.0, (_WIDE - _LEFT - _RIGHT) / len(columns)))
    height = 42.0 if width >= 44 else max(11.0, min(30.0, width))
    right = _LEFT + width * len(columns)
    drawing, top = _start_drawing(title, max(right + _RIGHT, 260), height * len(rows) + _BOTTOM)
    bottom = top + height * len(rows)
    means = [interval.mean for interval in found.values()]
    low, high = min(means), max(means)
    for (column, row), interval in found.items():
        x, y = _LEFT + width * columns.index(column), bottom - height * (rows.index(row) + 1)
        share = 0.5 if high == low else (interval.mean - low) / (high - low)
        fill, is_light = _shade(share)
        shown = f"{x_label} {write_number(column)}, {y_label} {write_number(row)}: {write_interval(interval)}"
        drawing.box(x + 0.5, y + 0.5, width - 1, height - 1, fill, title=shown)
        if width >= 28:
            half = interval.half_width
            ink = "dark" if is_light else "light"
            middle = y + height / 2
            second = width >= 44 and height >= 36
            drawing.text(
                x + width / 2,
                middle + (-2 if second else 4),
                f"{interval.mean:.1f}",
                anchor="middle",
                colour=ink,
                size=12 if width >= 44 else 10,
            )
            if second:
                text = f"±{half:.1f}" if math.isfinite(half) else "one value"
                drawing.text(x + width / 2, middle + 13, text, anchor="middle", colour=ink, size=10)
    for place, column in enumerate(columns):
        if place % (1 + len(columns) // 12) == 0:
            drawing.text(
                _LEFT + width * (place + 0.5),
                bottom + 15,
                write_number(column),
                anchor="middle",
                colour="soft",
                size=11,
            )
    for place, row in enumerate(rows):
        if place % (1 + len(rows) // 20) == 0:
            drawing.text(
                _LEFT - 5,
                bottom - height * (place + 0.5) + 4,
                write_number(row),
                anchor="right",
                colour="soft",
                size=11,
            )
    drawing.text((_LEFT + max(right, 260)) / 2, bottom + 34, x_label, anchor="middle", colour="soft")
    drawing.vertical_text(12, (top + bottom) / 2, y_label)
    return drawing.to_svg()


def _shade(share: float) -> tuple[str, bool]:
    """Return a colour of viridis, and whether dark letters are legible on it."""
    place = share * (len(_VIRIDIS) - 1)
    first = min(int(place), len(_VIRIDIS) - 2)
    pairs = zip(_VIRIDIS[first], _VIRIDIS[first + 1], strict=True)
    red, green, blue = (round(start + (place - first) * (end - start)) for start, end in pairs)
    return f"#{red:02x}{green:02x}{blue:02x}", 0.30 * red + 0.59 * green + 0.11 * blue > 125


def draw_shares(title: str, rows: Sequence[tuple[str, Sequence[tuple[int, int]]]], names: Sequence[str]) -> str:
    """Return a plot of shares, such as precision and recall, from the counts that they are of.

    Args:
        title: above the plot.
        rows: a name, and for each series the counted and the whole.
        names: of the series.
    """
    heights = [16 * len(wrap(name, 70)) + 16 * len(names) for name, _ in rows]
    drawing, top = _start_drawing(title, _WIDE, sum(heights) + 40 + 16 * len(names))
    bottom = top + sum(heights)
    scale = Scale(0, 1, 10, _WIDE - 100)
    drawing.horizontal_axis(scale, top, bottom, write=lambda share: f"{100 * share:.0f} %")
    y = top
    for (name, counts), height in zip(rows, heights, strict=True):
        place = y
        for part in wrap(name, 70):
            drawing.text(4, place + 13, part)
            place += 16
        for series, (counted, whole) in enumerate(counts):
            share = counted / whole if whole else 0.0
            text = f"{counted:,} of {whole:,}"
            drawing.box(
                scale(0), place + 3, scale(share) - scale(0), 10, series, title=f"{name}, {names[series]}: {text}"
            )
            drawing.text(_WIDE - 4, place + 12, text, anchor="right", colour="soft", size=11)
            place += 16
        y += height
    drawing.legend(list(enumerate(names)), bottom + 26, width=66, marks=True)
    return drawing.to_svg()


def _start_panel(title: str, plot: float) -> tuple[Drawing, float]:
    """Return a drawing with its title written, and where the plot begins."""
    return _start_drawing(title, _NARROW, plot + _BOTTOM)


def _start_drawing(title: str, width: float, height: float) -> tuple[Drawing, float]:
    """Return a drawing with its title written, and where the space of the height below it begins."""
    lines = wrap(title, round(width / 7.4))
    top = 12.0 + 17 * len(lines)
    drawing = Drawing(width, top + height, title)
    for place, part in enumerate(lines):
        drawing.text(4, 14 + 17 * place, part, bold=True, size=12.5)
    return drawing, top


def _draw_axes(
    drawing: Drawing, x: Scale, y: Scale, top: float, x_label: str, y_label: str, *, percent: bool = False
) -> None:
    """Draw both axes of a panel."""
    drawing.horizontal_axis(x, top, top + _PLOT, x_label)
    write = (lambda share: f"{100 * share:.0f} %") if percent else write_number
    drawing.vertical_axis(y, _LEFT, _NARROW - _RIGHT, write=write)
    drawing.vertical_text(12, top + _PLOT / 2, wrap(y_label, 30, 1)[0])
