"""The words and the sentence templates of the toy data: nine languages, five scripts, read from two tables.

`words.tsv` holds six topics of fourteen concepts and four groups of other words; `templates.tsv` holds
sentences with slots. Both were written for this project. A Chinese cell may hold spaces where a token ends;
running text drops them. Three choices keep bare words grammatical in every template: nouns are placed where the
language uses their citation form, all given names are women's (so verbs agree), and no city changes its form
in Russian.
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import final

LANGUAGES = ("en", "es", "de", "tr", "sw", "ru", "ar", "hi", "zh")
TOPICS = ("sports", "health", "travel", "food", "weather", "music")
SLOT = re.compile(r"\{(\w+)\}")

ByLanguage = Mapping[str, str]


@final
@dataclass(frozen=True)
class Lexicon:
    """Everything that the two tables hold.

    Attributes:
        words: the words of each topic and of `person`, `city`, `company` and `filler`, in the table's order.
        templates: the templates of each kind by name, in the table's order.
    """

    words: Mapping[str, tuple[ByLanguage, ...]]
    templates: Mapping[str, Mapping[str, ByLanguage]]


@functools.cache
def lexicon() -> Lexicon:
    """Return the words and templates.

    Example:
        >>> lexicon().words["food"][0]["tr"]
        'ekmek'
        >>> lexicon().templates["premise"]["open_list"]["en"]
        'The list from {city} includes {0} and {1}.'
    """
    words: dict[str, tuple[ByLanguage, ...]] = {}
    for group, _, cells in _read_table("words.tsv"):
        words[group] = (*words.get(group, ()), cells)
    templates: dict[str, dict[str, ByLanguage]] = {}
    for kind, name, cells in _read_table("templates.tsv"):
        templates.setdefault(kind, {})[name] = cells
    return Lexicon(words, templates)


def _read_table(file: str) -> list[tuple[str, str, ByLanguage]]:
    """Read one table: its first two columns, then one column for each language."""
    text = resources.files("xquality.toy").joinpath(file).read_text(encoding="utf-8")
    header, *rows = (line.split("\t") for line in text.split("\n") if line)
    return [(row[0], row[1], dict(zip(header[2:], row[2:], strict=True))) for row in rows]
