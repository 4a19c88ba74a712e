"""Cosmos QA: questions whose answer is not written in the story but follows from it, with four options, in English.

The test split has no labels; the validation split is scored. The stories are from personal blogs and may offend.

Licence: CC BY 4.0. The repository on the Hub holds a loading script; its parquet conversion is read.
"""

from functools import partial

from xquality.data.source import HubSource
from xquality.heads import ChoiceHead
from xquality.tasks.base import Task
from xquality.tasks.shapes import Row, to_choices


def convert(row: Row) -> Row:
    """Return a row of the dataset as a choice among four answers."""
    return {
        "context": row["context"],
        "question": row["question"],
        "options": [row["answer0"], row["answer1"], row["answer2"], row["answer3"]],
        "label": row["label"],
    }


cosmos_qa = Task(
    name="cosmos_qa",
    languages=("en",),
    source_language="en",
    source=HubSource(
        "allenai/cosmos_qa", "ed50fe83db62b355759053b1cd5eef344ee371e0", "cosmos_qa", configuration="default"
    ),
    head=ChoiceHead(),
    normalise=partial(to_choices, convert=convert, options=4),
    evaluation_split="validation",
    citation="Huang et al. 2019, Cosmos QA: Machine Reading Comprehension with Contextual Commonsense (EMNLP)",
)
