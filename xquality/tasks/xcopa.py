"""XCOPA: which of two sentences is the cause, or the effect, of a third one, in eleven languages.

`context` is the premise, `question` the word "cause" or "effect" in every language. Rows are parallel: COPA translated
by people. There are no training rows in these languages: English rows, training rows among them, are COPA's own.

In the official files the question is wrong on many rows: it is "effect" on all Thai rows and on all Turkish validation
rows, and differs from COPA's on some rows in Indonesian, Italian, Swahili and in the Turkish test split. The labels
agree. The rows are given as they are.

Licence: XCOPA CC BY 4.0, COPA BSD 2-Clause. The Hub's data are the official ones; COPA's English test split has no
labels there.
"""

from functools import partial

from xquality.data.source import HubSource, SupplementedSource
from xquality.heads import ChoiceHead
from xquality.tasks.base import Task
from xquality.tasks.shapes import Row, to_choices


def convert(row: Row) -> Row:
    """Return a row of the dataset as a choice between two sentences."""
    return {
        "context": row["premise"],
        "question": row["question"],
        "options": [row["choice1"], row["choice2"]],
        "label": row["label"],
    }


xcopa = Task(
    name="xcopa",
    languages=("et", "ht", "id", "it", "qu", "sw", "ta", "th", "tr", "vi", "zh"),
    source_language="en",
    source=SupplementedSource(
        HubSource("cambridgeltl/xcopa", "042f78955ba48e6404616762fa6e05e839c3907a", "xcopa/{language}"),
        extra=HubSource("aps/super_glue", "3de24cf8022e94f4ee4b9d55a6f539891524d646", "copa", configuration="copa"),
        splits=(),
    ),
    head=ChoiceHead(),
    normalise=partial(to_choices, convert=convert, options=2),
    train_languages=("en",),
    citation="Ponti et al. 2020, XCOPA: A Multilingual Dataset for Causal Commonsense Reasoning (EMNLP)",
)
