"""Figures for papers and notebooks, each drawn on matplotlib axes of your own; the page draws its own as SVG."""

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from xquality._tables import printable
from xquality.analysis import mean_interval
from xquality.data.audit import Audit
from xquality.report.curves import is_scale_of_percent
from xquality.report.summary import Arm, Grid, Summary

# Okabe and Ito's palette, distinct with any kind of colour vision; dashes distinguish further arms.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_DASHES = ("-", "--", ":", "-.")
_INK = "#333333"
_TICKS = (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000)


def draw_curves(axes: Axes, summary: Summary, arms: Sequence[Arm] | None = None) -> None:
    """Draw mean zero-shot curves over target steps, with the 95 % t-interval over seeds as a band.

    The mean is drawn over the steps that all seeds of the arm have a measurement around. Where some were measured for
    longer, for example because another stopped early, each goes on as a thin line of its own. A single seed has no
    band.

    Args:
        axes: where to draw.
        summary: the study.
        arms: the arms to draw; None for all. The reference arm is drawn in grey.
    """
    compared = [arm for arm in arms or summary.arms if arm is not summary.reference]
    places = {arm.name: place for place, arm in enumerate(compared)}
    last, lines = 1.0, []
    for arm in arms or summary.arms:
        place = places.get(arm.name, -1)
        colour, dash = ("#777777", "-") if place < 0 else (_COLOURS[place % 7], _DASHES[place // 7 % 4])
        line = _draw_arm(axes, arm, colour, dash)
        if line is not None:
            count = f" ({len(arm.runs)} of {len(arm.cells)} seeds)" if len(arm.runs) < len(arm.cells) else ""
            lines.append((line, _wrap(arm.name, 44) + count))
            last = max(last, *(float(run.points[-1].step) for run in arm.runs.values()))
    if summary.threshold is not None:
        axes.axhline(summary.threshold, color="#999999", linewidth=0.8, linestyle=(0, (1, 2)))
    axes.set_xscale("symlog", linthresh=1, linscale=0.5)
    ticks = [0, *(tick for tick in _TICKS if tick <= last)]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_xlim(0, last * 1.05)
    axes.set_xlabel("target-task steps (log scale)")
    _add_legend(axes, lines, loc="upper left", bbox_to_anchor=(0, -0.17), handlelength=2.2)
    _simplify(axes)


def _draw_arm(axes: Axes, arm: Arm, colour: str, dash: str) -> Line2D | None:
    """Draw the curves of one arm and return the line of its mean; None where it has no curve."""
    curves = arm.curves()
    if curves is None:
        return None
    steps, values = curves
    shared = ~np.isnan(values).any(axis=0)
    intervals = [mean_interval(list(column)) for column in values[:, shared].T]
    means = [interval.mean for interval in intervals]
    (line,) = axes.plot(steps[shared], means, dash, color=colour, linewidth=1.6)
    if len(values) > 1:
        low, high = (np.array([getattr(interval, end) for interval in intervals]) for end in ("low", "high"))
        if is_scale_of_percent(next(iter(arm.runs.values())).first_metric(), means):
            low, high = np.maximum(low, 0), np.minimum(high, 100)
        axes.fill_between(steps[shared], low, high, color=colour, alpha=0.10, linewidth=0)
    if not shared.all():
        for own in values:
            axes.plot(steps[~np.isnan(own)], own[~np.isnan(own)], dash, color=colour, linewidth=0.5, alpha=0.7)
    return line


def draw_panels(axes: Sequence[Axes], summary: Summary) -> None:
    """Draw the curves of `summary.panels()`, one panel on each of the axes, all with one scale."""
    for panel, (title, arms) in zip(axes, summary.panels(), strict=True):
        draw_curves(panel, summary, arms)
        panel.set_title(printable(title), fontsize=9, loc="left", color=_INK, parse_math=False)
    run = next(run for arm in summary.arms for run in arm.runs.values())
    axes[0].set_ylabel(f"zero-shot {printable(run.first_metric())}, mean over languages", parse_math=False)
    top = max(panel.get_ylim()[1] for panel in axes)
    for panel in axes:
        panel.set_ylim(0, top)


def draw_heat_map(axes: Axes, summary: Summary, measure: str, grid: Grid | None = None) -> None:
    """Draw the mean of a measure over quantity (across) and quality (up), with its interval's half width.

    Args:
        axes: where to draw.
        summary: the study.
        measure: the name of a measure.
        grid: one of `summary.grids()`; None for the first.

    Raises:
        ValueError: where the study names no quantity and quality axes.
    """
    grid = grid or next(iter(summary.grids()), None)
    if grid is None:
        raise ValueError("A heat map needs a study with quantity= and quality= axes of numbers.")
    values = np.full((len(grid.qualities), len(grid.quantities)), np.nan)
    intervals = {place: found for place, arm in grid.arms.items() if (found := arm.interval(measure)) is not None}
    for (quantity, quality), found in intervals.items():
        values[grid.qualities.index(quality), grid.quantities.index(quantity)] = found.mean
    image = axes.imshow(np.ma.masked_invalid(values), origin="lower", cmap="viridis", aspect="auto")
    for (quantity, quality), found in intervals.items():
        half = f"±{found.half_width:.1f}" if np.isfinite(found.half_width) else "one value"
        red, green, blue, _ = image.to_rgba(np.array([[found.mean]]))[0, 0]
        axes.text(
            grid.quantities.index(quantity),
            grid.qualities.index(quality),
            f"{found.mean:.1f}\n{half}",
            ha="center",
            va="center",
            fontsize=8,
            color="black" if 0.30 * red + 0.59 * green + 0.11 * blue > 0.5 else "white",
        )
    axes.set_xticks(range(len(grid.quantities)), [f"{quantity:g}" for quantity in grid.quantities])
    axes.set_yticks(range(len(grid.qualities)), [f"{quality:g}" for quality in grid.qualities])
    axes.set_xlabel(f"quantity: {printable(summary.study['quantity'])}", parse_math=False)
    axes.set_ylabel(f"quality: {printable(summary.study['quality'])}", parse_math=False)
    title = ": ".join(filter(None, (grid.title, measure)))
    axes.set_title(_wrap(title, 48), fontsize=9, loc="left", color=_INK, parse_math=False)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.figure.colorbar(image, ax=axes, shrink=0.85, pad=0.02).outline.set_visible(False)


def draw_differences(axes: Axes, summary: Summary, measure: str) -> None:
    """Draw each arm's seed-paired difference to the reference arm, with its 95 % t-interval.

    A hollow point is the difference of a single pair, which has no interval. An arm without a common seed says so.
    """
    arms: list[Arm] = [arm for arm in summary.arms if arm is not summary.reference]
    for place, arm in enumerate(reversed(arms)):
        found = arm.difference(summary.reference, measure)
        if found is None:
            where = axes.get_yaxis_transform()
            axes.text(0.01, place, "no common seed", transform=where, va="center", fontsize=7.5, color="#777777")
            continue
        has_interval = bool(np.isfinite(found.half_width))
        colour = _COLOURS[0] if has_interval and (found.low > 0 or found.high < 0) else "#999999"
        if has_interval:
            axes.plot([found.low, found.high], [place, place], color=colour, linewidth=2, solid_capstyle="round")
        axes.plot([found.mean], [place], "o", color=colour, markersize=5, fillstyle="full" if has_interval else "none")
    axes.axvline(0, color=_INK, linewidth=0.8)
    axes.set_yticks(range(len(arms)), [_wrap(arm.name, 44) for arm in reversed(arms)], parse_math=False)
    label = f"difference in {measure} to '{summary.reference.name}'"
    axes.set_xlabel(_wrap(label, 70), parse_math=False)
    axes.set_ylim(-0.6, len(arms) - 0.4)
    _simplify(axes)


def draw_audit(axes: Axes, audit: Audit, by: str = "first") -> None:
    """Draw the precision and the recall of a filter class by class, with the counts of which they are shares.

    Give it about 0.45 inches of height a class.

    Args:
        axes: where to draw.
        audit: what `xq.audit` returned.
        by: "first" for classes by the true label, "seen" by the label that the filter saw.

    Raises:
        SettingError: for any other label.
    """
    classes = audit.by(by)
    for place, counts in enumerate(classes.values()):
        shares = ((counts.precision, counts.found), (counts.recall, counts.noisy))
        for line, (share, whole), colour in zip((place - 0.19, place + 0.19), shares, _COLOURS, strict=False):
            axes.barh(line, share, 0.34, color=colour)
            axes.text(1.02, line, f"{counts.correct:,} of {whole:,}", va="center", fontsize=7, color=_INK)
    bars = [Patch(color=colour) for colour in _COLOURS[:2]]
    meanings = ("precision: noisy of those found", "recall: found of those noisy")
    entries = list(zip(bars, meanings, strict=True))
    _add_legend(axes, entries, loc="lower left", bbox_to_anchor=(-0.02, 1.0), borderpad=0)
    axes.set_yticks(range(len(classes)), [_wrap(name, 20) for name in classes], parse_math=False)
    axes.set_ylim(len(classes) - 0.4, -0.6)  # the first class on top
    axes.set_xlim(0, 1)  # the counts are to the right of it
    axes.set_xticks([0, 0.5, 1])
    axes.set_xlabel(f"share of {audit.unit}")
    axes.set_ylabel({"first": "true label", "seen": "label that the filter saw"}[by])
    _simplify(axes)
    axes.grid(visible=False, axis="y")


def _wrap(text: str, width: int) -> str:
    """Return a user's text for a figure: on lines of a width, shortened at two of them, without control characters.

    It is drawn with `parse_math=False`, since a dollar in it begins no formula.
    """
    shown = printable(text)
    return textwrap.fill(shown if len(shown) <= 2 * width else f"{shown[: 2 * width - 1]}…", width)


def _add_legend(axes: Axes, entries: Sequence[tuple[Artist, str]], **settings: Any) -> None:
    """Add a legend whose texts are shown as they are: matplotlib leaves out labels that begin with an underscore."""
    artists = [artist for artist, _ in entries]
    legend = axes.legend(artists, ["."] * len(entries), frameon=False, fontsize=7.5, **settings)
    for shown, (_, text) in zip(legend.get_texts(), entries, strict=True):
        shown.set_parse_math(False)
        shown.set_text(text)


def _simplify(axes: Axes) -> None:
    """Remove what carries no information."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8, colors=_INK)
    axes.grid(axis="both", color="#EEEEEE", linewidth=0.6)
    axes.set_axisbelow(True)
