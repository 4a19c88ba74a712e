"""CommonsenseQA: questions of common sense with five options and nothing to read first, in English.

The test split has no labels; the validation split is scored.

Licence: MIT. The Hub's data are the official ones.
"""

from datasets import Dataset

from xquality.data._datasets import table_of
from xquality.data.arrow import get_column, read_strings
from xquality.data.source import HubSource
from xquality.errors import LabelError
from xquality.heads import ChoiceHead
from xquality.tasks.base import Task
from xquality.tasks.shapes import choices


def lettered(data: Dataset) -> Dataset:
    """Return the rows as choices; the answer's letter becomes its place among the row's letters.

    Raises:
        ColumnError: for a missing column, or a row without five options.
        LabelError: for an answer that is none of them.
    """
    table = table_of(data)
    five = get_column(table, "choices", "Task.load").to_pylist()
    letters = read_strings(get_column(table, "answerKey", "Task.load"))
    strange = sorted({one for one, row in zip(letters, five, strict=True) if one and one not in row["label"]})
    if strange:
        raise LabelError(f"The answers {strange} are no letters of their options; check the revision.")
    return choices(
        data,
        questions=read_strings(get_column(table, "question", "Task.load")),
        options=[row["text"] for row in five],
        answers=[row["label"].index(one) if one else None for one, row in zip(letters, five, strict=True)],
        number=5,
    )


commonsense_qa = Task(
    name="commonsense_qa",
    languages=("en",),
    source_language="en",
    source=HubSource(
        "tau/commonsense_qa", "94630fe30dad47192a8546eb75f094926d47e155", "commonsense_qa", configuration="default"
    ),
    head=ChoiceHead(),
    normalise=lettered,
    evaluation_split="validation",
    citation="Talmor et al. 2019, CommonsenseQA: A Question Answering Challenge Targeting Commonsense (NAACL)",
)
