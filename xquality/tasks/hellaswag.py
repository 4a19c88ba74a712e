"""HellaSwag: which of four endings goes on with a description of something that happens, in English.

`context` is the description, `question` the beginning of the next sentence (empty where there is none), and the options
are its endings. The test split has no labels; the validation split is scored.

Licence: MIT. The Hub's data are the official ones.
"""

from datasets import Dataset

from xquality.data._datasets import table_of
from xquality.data.arrow import get_column, read_strings
from xquality.data.source import HubSource
from xquality.heads import ChoiceHead
from xquality.tasks.base import Task
from xquality.tasks.shapes import choices


def endings(data: Dataset) -> Dataset:
    """Return the rows as choices.

    Raises:
        ColumnError: for a missing column, or a row without four endings.
        LabelError: for an answer that is none of them.
    """
    table = table_of(data)
    contexts, begun, labels = (read_strings(get_column(table, one, "Task.load")) for one in ("ctx_a", "ctx_b", "label"))
    return choices(
        data,
        contexts=contexts,
        questions=begun,
        options=get_column(table, "endings", "Task.load").to_pylist(),
        answers=labels,
        number=4,
    )


hellaswag = Task(
    name="hellaswag",
    languages=("en",),
    source_language="en",
    source=HubSource(
        "Rowan/hellaswag", "218ec52e09a7e7462a5400043bb9a69a41d06b76", "hellaswag", configuration="default"
    ),
    head=ChoiceHead(),
    normalise=endings,
    evaluation_split="validation",
    citation="Zellers et al. 2019, HellaSwag: Can a Machine Really Finish Your Sentence? (ACL)",
)
