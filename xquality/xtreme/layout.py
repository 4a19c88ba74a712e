"""What XTREME and XTREME-R consist of: tasks, languages and groups in the official order, and the names of files.

The order matters: averages are added up in it. `official` is the one place where this library's names of tasks and
languages become XTREME's: `bucc` is its `bucc2018`, and languages carry two letters ("deu" and "deu_Latn" are "de").
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, final

from xquality.errors import MetricError
from xquality.languages import identity

ACCURACY: Final = ("pawsx", "xnli", "tatoeba", "xcopa")
TAGGING: Final = ("panx", "udpos")
ANSWERS: Final = ("xquad", "mlqa", "tydiqa")

_NAMES = {"bucc": "bucc2018"}
_ENDINGS = {"xcopa": "jsonl", "mewslix": "json"} | dict.fromkeys(ANSWERS, "json")

_PANX = "ar he vi id jv ms tl eu ml ta te af nl en de el bn hi mr ur fa fr it pt es bg ru ja ka ko th sw yo my zh kk tr"
_UDPOS = "af ar bg de el en es et eu fa fi fr he hi hu id it ja kk ko mr nl pt ru ta te th tl tr ur vi yo zh"
_TATOEBA = "ar he vi id jv tl eu ml ta te af nl de el bn hi mr ur fa fr it pt es bg ru ja ka ko th sw zh kk tr et fi hu"


@final
@dataclass(frozen=True)
class Benchmark:
    """One version of the benchmark.

    Attributes:
        name: "xtreme" or "xtreme-r".
        languages: for each task, in the order of the official tables, its languages in theirs.
        groups: for each group its tasks.
        overall: whether there is one mean over all tasks.
    """

    name: str
    languages: Mapping[str, tuple[str, ...]]
    groups: Mapping[str, tuple[str, ...]]
    overall: bool


def _table(**rows: str) -> dict[str, tuple[str, ...]]:
    """Return names split at blanks."""
    return {name: tuple(row.split()) for name, row in rows.items()}


XTREME: Final = Benchmark(
    "xtreme",
    _table(
        pawsx="de en es fr ja ko zh",
        xnli="ar bg de el en es fr hi ru sw th tr ur vi zh",
        panx=f"{_PANX} et fi hu",
        udpos=_UDPOS,
        bucc2018="de fr ru zh",
        tatoeba=_TATOEBA,
        xquad="en es de el ru tr ar vi th zh hi",
        mlqa="en es de ar hi vi zh",
        tydiqa="en ar bn fi id ko ru sw te",
    ),
    _table(classification="pawsx xnli", tagging="udpos panx", qa="xquad mlqa tydiqa", retrieval="bucc2018 tatoeba"),
    overall=True,
)

XTREME_R: Final = Benchmark(
    "xtreme-r",
    _table(
        xnli="ar bg de el en es fr hi ru sw th tr ur vi zh",
        panx=f"{_PANX} et fi hu qu pl uk az lt pa gu ro",
        udpos=f"{_UDPOS} lt pl uk wo ro",
        tatoeba=f"{_TATOEBA} az lt pl uk ro",
        xcopa="et ht id it qu sw ta th tr vi zh",
        mewslix="ar de en es fa ja pl ro ta tr uk",
        lareqa="",  # the official code scores nothing of it: an empty entry where its folders are there
        xquad="en es de el ru tr ar vi th zh hi ro",
        mlqa="en es de ar hi vi zh",
        tydiqa="en ar bn fi id ko ru sw te",
    ),
    _table(
        classification="xnli xcopa",
        tagging="udpos panx",
        qa="xquad mlqa tydiqa",
        retrieval="mewslix tatoeba",
        multi_choice="xcopa",
    ),
    overall=False,
)


def benchmark(name: str) -> Benchmark:
    """Return a version of the benchmark by its name.

    Raises:
        MetricError: for another name.

    Example:
        >>> len(benchmark("xtreme").languages["panx"])
        40
    """
    for one in (XTREME, XTREME_R):
        if one.name == name:
            return one
    raise MetricError(f"There is no version {name!r} of the benchmark; give 'xtreme' or 'xtreme-r'.")


def official(found: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the same values under XTREME's names of tasks and languages.

    Args:
        found: for each task, by its name in this library, the values by language, however that is spelled.

    Raises:
        MetricError: where two spellings are one language, or two names one task.

    Example:
        >>> official({"bucc": {"zh": []}, "tatoeba": {"cmn": [0], "jpn": [0]}})
        {'bucc2018': {'zh': []}, 'tatoeba': {'zh': [0], 'ja': [0]}}
    """
    named: dict[str, dict[str, Any]] = {}
    for task, languages in found.items():
        values = {identity(one): value for one, value in languages.items()}
        if len(values) < len(languages):
            raise MetricError(f"{task} has values of one language under two spellings: {', '.join(languages)}.")
        name = _NAMES.get(task, task)
        if name in named:
            raise MetricError(f"{name} is there under two names; give its languages under one.")
        named[name] = values
    return named


def file_name(task: str, language: str) -> str:
    """Return the name of the file of one language, below the task's folder.

    Example:
        >>> file_name("xnli", "de"), file_name("xquad", "de")
        ('test-de.tsv', 'test-de.json')
    """
    return f"test-{language}.{_ENDINGS.get(task, 'tsv')}"
