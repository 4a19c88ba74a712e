"""The layout of XTREME and XTREME-R: tasks, languages and groups in the official order, and the names of files.

The order matters, since averages are summed in it. `official_names` translates this library's names of tasks and
languages to XTREME's: `bucc` is its `bucc2018`, and languages have two letters ("deu" and "deu_Latn" are "de").
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, final

from xquality.errors import MetricError
from xquality.languages import identity

ACCURACY_TASKS: Final = ("pawsx", "xnli", "tatoeba", "xcopa")
TAGGING_TASKS: Final = ("panx", "udpos")
QUESTION_TASKS: Final = ("xquad", "mlqa", "tydiqa")

_OFFICIAL_TASKS = {"bucc": "bucc2018"}
_EXTENSIONS = {"xcopa": "jsonl", "mewslix": "json"} | dict.fromkeys(QUESTION_TASKS, "json")

_PANX = "ar he vi id jv ms tl eu ml ta te af nl en de el bn hi mr ur fa fr it pt es bg ru ja ka ko th sw yo my zh kk tr"
_UDPOS = "af ar bg de el en es et eu fa fi fr he hi hu id it ja kk ko mr nl pt ru ta te th tl tr ur vi yo zh"
_TATOEBA = "ar he vi id jv tl eu ml ta te af nl de el bn hi mr ur fa fr it pt es bg ru ja ka ko th sw zh kk tr et fi hu"


@final
@dataclass(frozen=True)
class Benchmark:
    """One version of the benchmark.

    Attributes:
        name: "xtreme" or "xtreme-r".
        languages: the languages of each task, all in the order of the official tables.
        groups: the tasks of each group.
        overall: whether the official code computes a mean over all tasks.
    """

    name: str
    languages: Mapping[str, tuple[str, ...]]
    groups: Mapping[str, tuple[str, ...]]
    overall: bool


def _split(**texts: str) -> dict[str, tuple[str, ...]]:
    """Return texts split at blanks."""
    return {name: tuple(text.split()) for name, text in texts.items()}


XTREME: Final = Benchmark(
    "xtreme",
    _split(
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
    _split(classification="pawsx xnli", tagging="udpos panx", qa="xquad mlqa tydiqa", retrieval="bucc2018 tatoeba"),
    overall=True,
)

XTREME_R: Final = Benchmark(
    "xtreme-r",
    _split(
        xnli="ar bg de el en es fr hi ru sw th tr ur vi zh",
        panx=f"{_PANX} et fi hu qu pl uk az lt pa gu ro",
        udpos=f"{_UDPOS} lt pl uk wo ro",
        tatoeba=f"{_TATOEBA} az lt pl uk ro",
        xcopa="et ht id it qu sw ta th tr vi zh",
        mewslix="ar de en es fa ja pl ro ta tr uk",
        lareqa="",  # the official code does not score it, but writes an empty entry where its folders exist
        xquad="en es de el ru tr ar vi th zh hi ro",
        mlqa="en es de ar hi vi zh",
        tydiqa="en ar bn fi id ko ru sw te",
    ),
    _split(
        classification="xnli xcopa",
        tagging="udpos panx",
        qa="xquad mlqa tydiqa",
        retrieval="mewslix tatoeba",
        multi_choice="xcopa",
    ),
    overall=False,
)


def find_benchmark(name: str) -> Benchmark:
    """Return a version of the benchmark by its name.

    Raises:
        MetricError: for another name.

    Example:
        >>> len(find_benchmark("xtreme").languages["panx"])
        40
    """
    for version in (XTREME, XTREME_R):
        if version.name == name:
            return version
    raise MetricError(f"There is no version {name!r} of the benchmark; give 'xtreme' or 'xtreme-r'.")


def official_names(values: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the same values under XTREME's names of tasks and languages.

    Args:
        values: by task, under its name in this library, and by language in any spelling.

    Raises:
        MetricError: where two spellings are one language, or two names one task.

    Example:
        >>> official_names({"bucc": {"zh": []}, "tatoeba": {"cmn": [0], "jpn": [0]}})
        {'bucc2018': {'zh': []}, 'tatoeba': {'zh': [0], 'ja': [0]}}
    """
    renamed: dict[str, dict[str, Any]] = {}
    for task, languages in values.items():
        by_language = {identity(language): value for language, value in languages.items()}
        if len(by_language) < len(languages):
            raise MetricError(f"{task} has values of one language in two spellings: {', '.join(languages)}.")
        name = _OFFICIAL_TASKS.get(task, task)
        if name in renamed:
            raise MetricError(f"{name} was given under two names; give its languages under one.")
        renamed[name] = by_language
    return renamed


def file_name(task: str, language: str) -> str:
    """Return the name of the file of a language in the folder of a task.

    Example:
        >>> file_name("xnli", "de"), file_name("xquad", "de")
        ('test-de.tsv', 'test-de.json')
    """
    return f"test-{language}.{_EXTENSIONS.get(task, 'tsv')}"
