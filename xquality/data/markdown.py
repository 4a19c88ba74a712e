"""Markdown that says what the text says: whatever stands in a name or a setting, no table or heading breaks.

The rules are those of CommonMark with the tables of GitHub, which the Hub shows too.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~$&])")


def plain(text: str) -> str:
    r"""Return text that is shown as it is, on one line.

    Example:
        >>> print(plain("a *b* | c"))
        a \*b\* \| c
    """
    return _MARKUP.sub(r"\\\1", _visible(" ".join(text.split())))


def code(text: str) -> str:
    r"""Return text as code, on one line; what cannot be seen, and a backslash, is written as in JSON.

    Example:
        >>> print(code("a|b"), code("`"), code("two\nlines"))
        `a\|b` `` ` `` `two\nlines`
    """
    return _span(_visible(text.replace("\\", "\\\\")))


def json_code(value: Any) -> str:
    r"""Return a plain JSON value as code.

    Example:
        >>> print(json_code({"column": "a|b"}))
        `{"column": "a\|b"}`
    """
    return _span(_visible(json.dumps(value, ensure_ascii=False)))


def fenced(text: str, language: str = "text") -> str:
    """Return text as a block of code that nothing in the text can end."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of cells that are Markdown already, each on one line and without a bare `|`."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _visible(text: str) -> str:
    """Return text with line ends, controls and other marks that cannot be seen written as in JSON."""
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in text)


def _span(text: str) -> str:
    """Return text without line ends as code. Its backslashes come in pairs before a `|`, so one more escapes it."""
    mark = "`" * (_longest_run(text) + 1)
    space = " " if not text or text[0] in "` " or text[-1] in "` " else ""
    return f"{mark}{space}{text or ' '}{space}{mark}".replace("|", "\\|")


def _longest_run(text: str) -> int:
    """Return the length of the longest run of backticks."""
    return max(map(len, re.findall("`+", text)), default=0)
