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

import pyarrow as pa
from datasets import Dataset

from xquality.data._datasets import table_of
from xquality.data.arrow import get_column, read_strings
from xquality.data.source import HubSource, Source
from xquality.errors import SourceError, warn
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
    """Rows of one language, also where the table holds several languages whose names begin the rows' ids.

    A table is divided only where its ids name two languages or more ("finnish-1", "english-2"). Ids need not hold a
    name (XTREME's own script writes none), so rows whose id names no language are never left out.

    Attributes:
        rows: where rows come from.
        names: each language's name in the ids.
    """

    rows: Source
    names: Mapping[str, str]

    def load(self, language: str, split: str, root: str | Path | None) -> Dataset:
        """Return the rows of one language, in their order.

        Raises:
            SourceError: as the source that is read, and where the ids name several languages, but never this one.
            ColumnError: where the rows have no ids.

        Warns:
            UserWarning: where ids name another language only, or a table of several languages has ids without a name.
        """
        data = self.rows.load(language, split, root)
        values = get_column(table_of(data), "id", "Task.load")
        named = [self._language_of(name) for name in read_strings(values.cast(pa.large_string()))]
        found = sorted({name for name in named if name is not None})
        if len(found) < 2:
            if found and found != [language]:
                warn(
                    f"All ids of tydiqa ({language}, {split}) that name a language name {self.names[found[0]]}; the "
                    f"rows are taken as {language}, so check that these are in the right folder."
                )
            return data
        mine = [number for number, name in enumerate(named) if name in (language, None)]
        if not mine:
            raise SourceError(
                f"The ids of tydiqa ({language}, {split}) name {', '.join(found)}, but none names {language}; put the "
                "rows of this language into the folder."
            )
        nameless = sum(name is None for name in named)
        if nameless:
            warn(
                f"tydiqa ({language}, {split}) has rows of {', '.join(found)} in one table, and {nameless} rows whose "
                f"ids name no language; these are taken as {language}, so give each language a folder."
            )
        return data.select(mine)

    def _language_of(self, row_id: str) -> str | None:
        """Return the language whose name begins an id; None for an id that names no language."""
        name, dash, _ = row_id.partition("-")
        by_name = {written: language for language, written in self.names.items()}
        return by_name.get(name.lower()) if dash else None


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
