"""TyDiQA-GoldP: questions asked in nine languages by people who did not know the answer, and the paragraph with it.

Rows are not parallel: nothing is translated. XTREME trains on the English training rows alone (3,696) and scores the
validation split as its test set, so curves that are measured on TyDiQA are measured on the test rows. Every language
has training rows.

Licence: Apache-2.0. On the Hub all languages are in one configuration, and their ids say which is which; a local copy
has one folder for each. The Hub's paragraphs lost the blanks before them; offsets are corrected while loading.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

from datasets import Dataset

from xquality.data._datasets import table_of
from xquality.data.arrow import get_column, read_strings
from xquality.data.source import HubSource, Source
from xquality.heads import SpanHead
from xquality.tasks.base import Task
from xquality.tasks.shapes import to_spans

NAMES = {
    "en": "english",
    "ar": "arabic",
    "bn": "bengali",
    "fi": "finnish",
    "id": "indonesian",
    "ko": "korean",
    "ru": "russian",
    "sw": "swahili",
    "te": "telugu",
}


@final
@dataclass(frozen=True)
class ByIdSource:
    """Rows of one language among rows of several: those whose `id` begins with the language's name.

    Attributes:
        rows: where rows come from.
        names: each language's name in the ids.
    """

    rows: Source
    names: Mapping[str, str]

    def load(self, language: str, split: str, root: str | Path | None) -> Dataset:
        """Return the rows of one language, in their order.

        Raises:
            SourceError: as the source that is read.
            ColumnError: where the rows have no ids.
        """
        data = self.rows.load(language, split, root)
        ids = read_strings(get_column(table_of(data), "id", "Task.load"))
        mine = [number for number, name in enumerate(ids) if name.startswith(f"{self.names[language]}-")]
        return data if len(mine) == len(data) else data.select(mine)


tydiqa = Task(
    name="tydiqa",
    languages=tuple(NAMES),
    source_language="en",
    source=ByIdSource(
        HubSource(
            "google-research-datasets/tydiqa",
            "da78f23f9119363459acbaf46bf89426ff26c259",
            "tydiqa_goldp/{language}",
            configuration="secondary_task",
        ),
        NAMES,
    ),
    head=SpanHead(),
    normalise=to_spans,
    evaluation_split="validation",
    citation="Clark et al. 2020, TyDi QA: A Benchmark for Information-Seeking Question Answering (TACL)",
)
