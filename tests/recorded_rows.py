"""Rows that carry two records, for the tests of provenance and of saving."""

from datasets import Dataset

from xquality.data.provenance import with_history
from xquality.records import Record

RECORDS = (
    Record("LabelNoise", {"rate": 0.2, "column": "l\u00e4bel\n"}, seed=1, rows_before=8, rows_after=8, changed=2),
    Record("Subsample", {"n": 6}, seed=1, rows_before=8, rows_after=6, realised_rate=0.75),
)
OWN = "Sentences from the north.\n\nSecond paragraph; see <b>there</b>."


def data(description: str = "") -> Dataset:
    """Return six rows that carry `RECORDS`, and a description of the user's."""
    made = Dataset.from_dict({"text": list("abcdef"), "label": [0, 1] * 3})
    made.info.description = description
    return with_history(made, RECORDS)
