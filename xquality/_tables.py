"""Tables of texts as HTML and as LaTeX; whatever the texts hold, they are shown as they are."""

import html
import unicodedata
from collections.abc import Iterable, Sequence

_DIRECTIONS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "\n": " ",
}


def printable(text: object) -> str:
    r"""Return a text on one line: line breaks, control characters and lone surrogates are written as escapes.

    Example:
        >>> print(printable("a\nb"), printable("$5 vs 中"))
        a\nb $5 vs 中
    """
    shown = str(text)
    if shown.isprintable():  # then none of these is in it
        return shown
    return "".join(sign.encode("unicode_escape").decode() if _is_hidden(sign) else sign for sign in shown)


def _is_hidden(sign: str) -> bool:
    """Return whether a character ends a line, controls a device or turns the direction, or is half of a pair."""
    return unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") or sign in _DIRECTIONS


def html_table(head: Iterable[str], rows: Iterable[Sequence[str]], kind: str = "numbers") -> str:
    """Return an HTML table of texts.

    Example:
        >>> print(html_table(["arm"], [["a < b"]]))
        <table class="numbers"><thead><tr><th>arm</th></tr></thead>
        <tbody>
        <tr><td>a &lt; b</td></tr>
        </tbody></table>
    """
    top = "".join(f"<th>{html.escape(name)}</th>" for name in head)
    body = "\n".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<table class="{kind}"><thead><tr>{top}</tr></thead>\n<tbody>\n{body}\n</tbody></table>'


def latex_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    r"""Return a LaTeX table of texts with the rules of the package booktabs, the first column to the left.

    Example:
        >>> print(latex_table(["arm", "score"], [["5 % noise", "61.2"]]))
        \begin{tabular}{lr}
        \toprule
        arm & score \\
        \midrule
        5 \% noise & 61.2 \\
        \bottomrule
        \end{tabular}
    """

    def line(cells: Sequence[str]) -> str:
        return " & ".join("".join(_LATEX.get(sign, sign) for sign in cell) for cell in cells) + r" \\"

    columns = "l" + "r" * (len(head) - 1)
    parts = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", line(head), r"\midrule"]
    return "\n".join([*parts, *map(line, rows), r"\bottomrule", r"\end{tabular}"])
