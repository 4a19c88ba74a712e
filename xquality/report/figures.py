"""The figures of a report, each drawn on given matplotlib axes."""

import io
import textwrap
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from xquality.analysis import mean_interval
from xquality.data.audit import Audit
from xquality.report.summary import Arm, Summary

# Okabe and Ito's palette, distinct with any kind of colour vision; dashes distinguish further arms.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_DASHES = ("-", "--", ":", "-.")
_INK = "#333333"
_TICKS = (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000)


def draw_curves(axes: Axes, summary: Summary, arms: Sequence[Arm] | None = None) -> None:
    """Draw mean zero-shot curves over target steps, with the 95 % t-interval over seeds as a band.

    Args:
        axes: where to draw.
        summary: the study.
        arms: the arms to draw; None for all. The reference arm is drawn in grey.
    """
    compared = [arm for arm in arms or summary.arms if arm is not summary.reference]
    places = {arm.name: place for place, arm in enumerate(compared)}
    last = 1.0
    for arm in arms or summary.arms:
        curves = arm.curves()
        if curves is None:
            continue
        steps, values = curves
        last = max(last, float(steps[-1]))
        intervals = [mean_interval(list(column)) for column in values.T]
        place = places.get(arm.name, -1)
        colour, dash = ("#777777", "-") if place < 0 else (_COLOURS[place % 7], _DASHES[place // 7 % 4])
        means = [interval.mean for interval in intervals]
        low = [max(0.0, interval.low) for interval in intervals]
        high = [min(100.0, interval.high) for interval in intervals]
        axes.plot(steps, means, dash, color=colour, label=arm.name, linewidth=1.6)
        axes.fill_between(steps, low, high, color=colour, alpha=0.10, linewidth=0)
    if summary.threshold is not None:
        axes.axhline(summary.threshold, color="#999999", linewidth=0.8, linestyle=(0, (1, 2)))
    axes.set_xscale("symlog", linthresh=1, linscale=0.5)
    ticks = [0, *(tick for tick in _TICKS if tick <= last)]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_xlim(0, last * 1.05)
    axes.set_xlabel("target-task steps (log scale)")
    axes.legend(frameon=False, fontsize=7.5, loc="upper left", bbox_to_anchor=(0, -0.17), handlelength=2.2)
    _simplify(axes)


def draw_panels(axes: Sequence[Axes], summary: Summary) -> None:
    """Draw the curves of `summary.panels()`, one panel on each of the axes, all with one scale."""
    for panel, (title, arms) in zip(axes, summary.panels(), strict=True):
        draw_curves(panel, summary, arms)
        panel.set_title(title, fontsize=9, loc="left", color=_INK)
    axes[0].set_ylabel("zero-shot score, mean over languages")
    top = max(panel.get_ylim()[1] for panel in axes)
    for panel in axes:
        panel.set_ylim(0, top)


def draw_heat_map(axes: Axes, summary: Summary, measure: str) -> None:
    """Draw the mean of a measure over quantity (across) and quality (up), with its interval's half width.

    Raises:
        ValueError: where the study names no quantity and quality axes.
    """
    grid = summary.grid()
    if grid is None:
        raise ValueError("A heat map needs a study with quantity= and quality= axes of numbers.")
    quantities, qualities, arms = grid
    values = np.full((len(qualities), len(quantities)), np.nan)
    for (quantity, quality), arm in arms.items():
        found = arm.interval(measure)
        if found is not None:
            values[qualities.index(quality), quantities.index(quantity)] = found.mean
    image = axes.imshow(np.ma.masked_invalid(values), origin="lower", cmap="viridis", aspect="auto")
    middle = (np.nanmin(values) + np.nanmax(values)) / 2
    for (quantity, quality), arm in arms.items():
        found = arm.interval(measure)
        if found is not None:
            text = f"{found.mean:.1f}" + (f"\n±{found.half_width:.1f}" if found.count > 1 else "")
            colour = "white" if found.mean < middle else "black"
            axes.text(
                quantities.index(quantity),
                qualities.index(quality),
                text,
                ha="center",
                va="center",
                fontsize=8,
                color=colour,
            )
    axes.set_xticks(range(len(quantities)), [f"{quantity:g}" for quantity in quantities])
    axes.set_yticks(range(len(qualities)), [f"{quality:g}" for quality in qualities])
    axes.set_xlabel(f"quantity: {summary.study['quantity']}")
    axes.set_ylabel(f"quality: {summary.study['quality']}")
    axes.set_title(measure, fontsize=9, loc="left", color=_INK)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.figure.colorbar(image, ax=axes, shrink=0.85, pad=0.02).outline.set_visible(False)


def draw_differences(axes: Axes, summary: Summary, measure: str) -> None:
    """Draw each arm's seed-paired difference to the reference arm, with its 95 % t-interval."""
    arms: list[Arm] = [arm for arm in summary.arms if arm is not summary.reference]
    for place, arm in enumerate(reversed(arms)):
        found = arm.difference(summary.reference, measure)
        if found is None:
            continue
        clear = found.count > 1 and (found.low > 0 or found.high < 0)
        colour = _COLOURS[0] if clear else "#999999"
        axes.plot([found.low, found.high], [place, place], color=colour, linewidth=2, solid_capstyle="round")
        axes.plot([found.mean], [place], "o", color=colour, markersize=5)
    axes.axvline(0, color=_INK, linewidth=0.8)
    axes.set_yticks(range(len(arms)), [arm.name for arm in reversed(arms)])
    axes.set_xlabel(f"difference in {measure} to '{summary.reference.name}'")
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
    axes.legend(bars, meanings, frameon=False, fontsize=7.5, loc="lower left", bbox_to_anchor=(-0.02, 1.0), borderpad=0)
    names = [textwrap.fill(name if len(name) <= 40 else f"{name[:39]}…", 20) for name in classes]
    axes.set_yticks(range(len(classes)), names, parse_math=False)  # a dollar in a name begins no formula
    axes.set_ylim(len(classes) - 0.4, -0.6)  # the first class on top
    axes.set_xlim(0, 1)  # the counts are to the right of it
    axes.set_xticks([0, 0.5, 1])
    axes.set_xlabel(f"share of {audit.unit}")
    axes.set_ylabel({"first": "true label", "seen": "label that the filter saw"}[by])
    _simplify(axes)
    axes.grid(visible=False, axis="y")


def to_svg(draw: Callable[[Sequence[Axes]], None], width: float, height: float, panels: int = 1) -> str:
    """Return a figure as inline SVG, the same bytes for the same numbers.

    Args:
        draw: draws on the axes it is given, one for each panel from left to right.
        width: in inches.
        height: in inches.
        panels: how many axes there are side by side.
    """
    with rc_context({"svg.hashsalt": "xquality", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9}):
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(list(figure.subplots(1, panels, sharey=True, squeeze=False)[0]))
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    text = written.getvalue()
    return text[text.index("<svg") :]


def _simplify(axes: Axes) -> None:
    """Remove what carries no information."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8, colors=_INK)
    axes.grid(axis="both", color="#EEEEEE", linewidth=0.6)
    axes.set_axisbelow(True)
