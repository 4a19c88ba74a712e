"""Cosmos QA: questions whose answer is not written in the story but follows from it, with four options, in English.

The test split has no labels; the validation split is scored. The stories are from personal blogs and may offend.

Licence: CC BY 4.0. The repository on the Hub holds a loading script; its parquet conversion is read.
"""

from datasets import Dataset

from xquality.data._datasets import table_of
from xquality.data.arrow import get_column, read_strings
from xquality.data.source import HubSource
from xquality.heads import ChoiceHead
from xquality.tasks.base import Task
from xquality.tasks.shapes import choices


def answered(data: Dataset) -> Dataset:
    """Return the rows as choices.

    Raises:
        ColumnError: for a missing column.
        LabelError: for an answer that is none of the options.
    """
    table = table_of(data)
    four = [read_strings(get_column(table, f"answer{one}", "Task.load")) for one in range(4)]
    return choices(
        data,
        contexts=read_strings(get_column(table, "context", "Task.load")),
        questions=read_strings(get_column(table, "question", "Task.load")),
        options=list(zip(*four, strict=True)),
        answers=get_column(table, "label", "Task.load").to_pylist(),
        number=4,
    )


cosmos_qa = Task(
    name="cosmos_qa",
    languages=("en",),
    source_language="en",
    source=HubSource(
        "allenai/cosmos_qa", "ed50fe83db62b355759053b1cd5eef344ee371e0", "cosmos_qa", configuration="default"
    ),
    head=ChoiceHead(),
    normalise=answered,
    evaluation_split="validation",
    citation="Huang et al. 2019, Cosmos QA: Machine Reading Comprehension with Contextual Commonsense (EMNLP)",
)
