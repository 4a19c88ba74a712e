"""The pieces of a report's page: sections and tables as HTML, numbers and notes as text."""

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from xquality.analysis.statistics import Interval


def told(value: Any) -> str:
    """Return a note's value as text.

    Example:
        >>> told({"seeds": [0, 1], "split": "test"})
        'seeds: 0; 1, split: test'
    """
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {told(one)}" for name, one in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(told(one) for one in value)
    return str(value)


def section(title: str, note: str, body: str) -> str:
    """Return a headed part of the page; `body` is HTML, the title and the note are text."""
    said = f'<p class="note">{html.escape(note)}</p>' if note else ""
    return f'<section><h2>{html.escape(title)}</h2>{said}\n<div class="wide">{body}</div></section>'


def table(head: Iterable[str], rows: Iterable[Sequence[str]], kind: str = "numbers") -> str:
    """Return an HTML table of texts.

    Example:
        >>> print(table(["arm"], [["a < b"]]))
        <table class="numbers"><thead><tr><th>arm</th></tr></thead>
        <tbody>
        <tr><td>a &lt; b</td></tr>
        </tbody></table>
    """
    top = "".join(f"<th>{html.escape(one)}</th>" for one in head)
    body = "\n".join("<tr>" + "".join(f"<td>{html.escape(one)}</td>" for one in row) + "</tr>" for row in rows)
    return f'<table class="{kind}"><thead><tr>{top}</tr></thead>\n<tbody>\n{body}\n</tbody></table>'


def interval(found: Interval | None, *, sign: bool = False) -> str:
    """Return a mean and its interval as text, the mean alone where there is one value, nothing for None."""
    if found is None:
        return ""
    mean = f"{found.mean:+.1f}" if sign else f"{found.mean:.1f}"
    return mean if found.count == 1 else f"{mean} [{found.low:.1f}, {found.high:.1f}]"


def p_value(value: float) -> str:
    """Return a p-value as text."""
    return "<0.001" if value < 0.001 else f"{value:.3f}"
