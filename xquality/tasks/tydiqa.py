"""TyDiQA-GoldP: questions asked in nine languages by people who did not know the answer, and the paragraph with it.

Rows are not parallel: nothing is translated. XTREME trains on the English training rows alone (3,696) and scores the
validation split as its test set, so curves that are measured on TyDiQA are measured on the test rows. Every language
has training rows.

Licence: Apache-2.0. On the Hub all languages stand in one configuration, told apart by their ids; a local copy has one
folder for each. The Hub's paragraphs lost the blanks before them; offsets are mended while loading.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

import pyarrow.compute as pc
from datasets import Dataset

from xquality.data._datasets import table_of
from xquality.data.arrow import get_column
from xquality.data.source import HubSource, Source
from xquality.heads import SpanHead
from xquality.tasks.base import Task
from xquality.tasks.shapes import spans

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
    """Rows of one language among rows of several, told apart by the language's name at the beginning of `id`.

    Attributes:
        rows: where rows come from.
        names: each language's name in the ids.
    """

    rows: Source
    names: Mapping[str, str]

    def load(self, language: str, split: str, root: str | Path | None) -> Dataset:
        """Return the rows of one language, in their order.

        Raises:
            SourceError: as the source that is asked.
            ColumnError: where the rows have no ids.
        """
        data = self.rows.load(language, split, root)
        ids = get_column(table_of(data), "id", "Task.load")
        mine = pc.indices_nonzero(pc.starts_with(ids, f"{self.names[language]}-"))
        return data if len(mine) == len(data) else data.select(mine.to_pylist())


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
    normalise=spans,
    evaluation_split="validation",
    citation="Clark et al. 2020, TyDi QA: A Benchmark for Information-Seeking Question Answering (TACL)",
)
