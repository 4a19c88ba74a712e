"""HellaSwag: which of four endings continues the description of an event, in English.

`context` is the description, `question` the beginning of the next sentence (empty where there is none), and the options
are its endings. The test split has no labels; the validation split is scored.

Licence: MIT. The Hub's data are the official ones.
"""

from functools import partial

from xquality.data.source import HubSource
from xquality.heads import ChoiceHead
from xquality.tasks.base import Task
from xquality.tasks.shapes import Row, to_choices


def convert(row: Row) -> Row:
    """Return a row of the dataset as a choice among four endings; its label is a number written as text."""
    return {"context": row["ctx_a"], "question": row["ctx_b"], "options": row["endings"], "label": row["label"]}


hellaswag = Task(
    name="hellaswag",
    languages=("en",),
    source_language="en",
    source=HubSource(
        "Rowan/hellaswag", "218ec52e09a7e7462a5400043bb9a69a41d06b76", "hellaswag", configuration="default"
    ),
    head=ChoiceHead(),
    normalise=partial(to_choices, convert=convert, options=4),
    evaluation_split="validation",
    citation="Zellers et al. 2019, HellaSwag: Can a Machine Really Finish Your Sentence? (ACL)",
)
