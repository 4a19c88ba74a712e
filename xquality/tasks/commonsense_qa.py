"""CommonsenseQA: questions of common sense with five options and nothing to read first, in English.

The test split has no labels; the validation split is scored.

Licence: MIT. The Hub's data are the official ones.
"""

from functools import partial

from xquality.data.source import HubSource
from xquality.errors import LabelError
from xquality.heads import ChoiceHead
from xquality.tasks.base import Task
from xquality.tasks.shapes import Row, to_choices


def convert(row: Row) -> Row:
    """Return a row of the dataset as a choice among five options, of which it names the right one by its letter."""
    letters, answer = row["choices"]["label"], row["answerKey"]
    if answer and answer not in letters:
        raise LabelError(f"The answer {answer!r} is none of its options' letters, {letters}; check the revision.")
    return {
        "question": row["question"],
        "options": row["choices"]["text"],
        "label": letters.index(answer) if answer else None,
    }


commonsense_qa = Task(
    name="commonsense_qa",
    languages=("en",),
    source_language="en",
    source=HubSource(
        "tau/commonsense_qa", "94630fe30dad47192a8546eb75f094926d47e155", "commonsense_qa", configuration="default"
    ),
    head=ChoiceHead(),
    normalise=partial(to_choices, convert=convert, options=5),
    evaluation_split="validation",
    citation="Talmor et al. 2019, CommonsenseQA: A Question Answering Challenge Targeting Commonsense (NAACL)",
)
