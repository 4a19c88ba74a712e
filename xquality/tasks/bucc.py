"""BUCC 2018: translations to be mined from two heaps of sentences: German, French, Russian or Chinese, and English.

Nothing is trained. As in XTREME "validation" is the shared task's sample set and "test" its training set. A split holds
the gold pairs (`source_id`, `target_id`, `source_sentence`, `target_sentence`); the heaps to mine are the splits
"validation.source", "validation.target", "test.source" and "test.target" (`id`, `sentence`, `lang`).

XTREME's bundle on the Hub has the gold pairs without the heaps, from which nothing can be mined. The test set is
therefore read from MTEB's copy, which has both; the sample set is nowhere on the Hub. The official files
(comparable.limsi.fr/bucc2018) are read where they are unpacked below the root.

Licence: none is stated; the text is from Wikipedia and News Commentary.
"""

from datasets import Dataset

from xquality.data.source import HubSource
from xquality.heads import MiningHead
from xquality.tasks.base import Task
from xquality.tasks.bucc_source import BuccSource
from xquality.tasks.shapes import texts


def pairs_or_heap(data: Dataset) -> Dataset:
    """Return gold pairs or the sentences of a heap, without other columns.

    Raises:
        ColumnError: for a missing column.
    """
    if "source_id" in data.column_names:
        return texts(data, ("source_id", "target_id", "source_sentence", "target_sentence"))
    return texts(data, ("id", "sentence", "lang"))


bucc = Task(
    name="bucc",
    languages=("de", "fr", "ru", "zh"),
    source_language="en",
    source=BuccSource(
        HubSource("mteb/BUCC", "414572247440f0ccacf7eb0bb70a31533a0e5443", "bucc2018", configuration="{language}-en")
    ),
    head=MiningHead(heaps=("{split}.source", "{split}.target", "{split}")),
    normalise=pairs_or_heap,
    train_languages=(),
    citation="Zweigenbaum et al. 2018, Overview of the Third BUCC Shared Task (BUCC workshop)",
)
