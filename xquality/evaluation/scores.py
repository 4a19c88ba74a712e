"""Scores: a list of scores that prints itself as a table."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, SupportsIndex, final, overload

from xquality.evaluation.averages import table
from xquality.records import Score

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 20  # the most lines that a printed table has


@final
class Scores(list[Score]):
    """A list of scores, one for each language and metric, as `evaluate` returns it.

    It prints itself as a table of languages by metrics, also in notebooks, and can be taken further as a data frame or
    as LaTeX. In all else it is a plain list.

    Example:
        >>> scores = Scores([Score("t", "de", "accuracy", 61.5, 9), Score("t", "de", "f1", 60.25, 9)])
        >>> scores
        2 scores of t, 9 rows in each language
                  accuracy   f1
        language
        de            61.5 60.2
    """

    @overload
    def __getitem__(self, index: SupportsIndex) -> Score: ...

    @overload
    def __getitem__(self, index: slice) -> "Scores": ...

    def __getitem__(self, index: SupportsIndex | slice) -> "Score | Scores":
        """Return one score, or several as `Scores`."""
        return Scores(super().__getitem__(index)) if isinstance(index, slice) else super().__getitem__(index)

    def __repr__(self) -> str:
        """Return the scores as a table with one decimal, of which at most twenty lines are shown."""
        if not self:
            return "no scores"
        lines = [line.rstrip() for line in _pivot(self).to_string(float_format="{:.1f}".format, na_rep="").split("\n")]
        head = 2 + _SHOWN  # the names of the columns and that of the index come first
        others = [f"... and {len(lines) - head} more"] if len(lines) > head else []
        return "\n".join([self._headline(), *lines[:head], *others])

    def _repr_html_(self) -> str:
        """Return the table for notebooks."""
        import html

        table = _pivot(self).to_html(float_format="{:.1f}".format, na_rep="", max_rows=_SHOWN) if self else ""
        return f"<p>{html.escape(self._headline())}</p>{table}"

    def _headline(self) -> str:
        """Return in one line how many scores there are, of which tasks and how many rows."""
        tasks = ", ".join(dict.fromkeys(score.task for score in self))
        rows = sorted({score.rows for score in self})
        count = f"{len(self)} score{'' if len(self) == 1 else 's'}"
        if not rows:
            return "no scores"
        each = f"{rows[0]} rows" if len(rows) == 1 else f"{rows[0]} to {rows[-1]} rows"
        return f"{count} of {tasks}, {each} in each language"

    def to_pandas(self) -> "pd.DataFrame":
        """Return a row for each score: its task, language, metric, value, rows and the settings in its signature.

        Example:
            >>> Scores([Score("t", "de", "accuracy", 61.5, 9, {"split": "test"})]).to_pandas().iloc[0].to_dict()
            {'task': 't', 'language': 'de', 'metric': 'accuracy', 'value': 61.5, 'rows': 9, 'split': 'test'}
        """
        import pandas as pd

        fields = ("task", "language", "metric", "value", "rows")
        rows = [{**score.signature, **{name: getattr(score, name) for name in fields}} for score in self]
        settings = dict.fromkeys(name for score in self for name in score.signature if name not in fields)
        return pd.DataFrame(rows, columns=[*fields, *settings])

    def to_latex(self, by: str = "language", *, decimals: int = 1, booktabs: bool = True) -> str:
        r"""Return a LaTeX table with a line for each language and a column for each metric.

        Args:
            by: "language", or "script" or "family" for the means that `table` gives.
            decimals: of the values.
            booktabs: draw the rules of the package booktabs; otherwise `\hline`.

        Example:
            >>> print(Scores([Score("t", "de", "macro_f1", 61.54, 9)]).to_latex())
            \begin{tabular}{lr}
            \toprule
            language & macro\_f1 \\
            \midrule
            de & 61.5 \\
            \bottomrule
            \end{tabular}
        """
        frame = _pivot(self) if by == "language" else table(self, by)
        return frame_to_latex(frame, decimals=decimals, booktabs=booktabs)


def frame_to_latex(frame: "pd.DataFrame", *, decimals: int = 1, booktabs: bool = True) -> str:
    r"""Return a table of numbers as LaTeX, its index first; names are escaped and a missing number is empty.

    Args:
        frame: the table.
        decimals: of numbers that are not whole.
        booktabs: draw the rules of the package booktabs; otherwise `\hline`.
    """
    index = [str(name) for name in frame.index.names]
    rules = ("toprule", "midrule", "bottomrule") if booktabs else ("hline",) * 3
    lines = [
        [*(name if isinstance(name, tuple) else (name,)), *values]
        for name, values in zip(frame.index, frame.itertuples(index=False, name=None), strict=True)
    ]
    body = [[_cell(value, decimals) for value in line] for line in lines]
    head = [_escape(name) for name in (*index, *map(str, frame.columns))]
    return "\n".join(
        [
            f"\\begin{{tabular}}{{{'l' * len(index)}{'r' * len(frame.columns)}}}",
            f"\\{rules[0]}",
            f"{' & '.join(head)} \\\\",
            f"\\{rules[1]}",
            *(f"{' & '.join(line)} \\\\" for line in body),
            f"\\{rules[2]}",
            "\\end{tabular}",
        ]
    )


def _cell(value: object, decimals: int) -> str:
    """Return a value as the text of a cell."""
    if isinstance(value, float):
        return "" if value != value else f"{value:.{decimals}f}"  # noqa: PLR0124 (NaN: a missing number)
    return _escape(str(value))


_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}


def _escape(text: str) -> str:
    """Return a text with every sign replaced that LaTeX reads as a command."""
    return "".join(_SPECIAL.get(sign, sign) for sign in text)


def _pivot(scores: Iterable[Score]) -> "pd.DataFrame":
    """Return a table with a line for each language, and each task where there are several, and a column a metric."""
    import pandas as pd

    listed = list(scores)
    several = len({score.task for score in listed}) > 1
    lines: dict[tuple[str, ...], list[dict[str, float]]] = {}
    for score in listed:
        repeats = lines.setdefault((score.task, score.language) if several else (score.language,), [{}])
        if score.metric in repeats[-1]:  # scores of two models, for example
            repeats.append({})
        repeats[-1][score.metric] = score.value
    names = ["task", "language"] if several else ["language"]
    rows = [{**dict(zip(names, key, strict=True)), **values} for key, repeats in lines.items() for values in repeats]
    metrics = dict.fromkeys(score.metric for score in listed)
    return pd.DataFrame(rows, columns=[*names, *metrics]).set_index(names if several else names[0])
