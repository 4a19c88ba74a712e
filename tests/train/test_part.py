"""Part and its rows: only what training reads counts, and the order of rows does not."""

import pytest
from datasets import Dataset

from xquality import toy
from xquality.errors import ColumnError, LabelError, TrainingError
from xquality.train import Stage
from xquality.train.part import PartRows


def of(rows: Dataset) -> PartRows:
    return PartRows.of(Stage(toy.topics, rows, "es").parts[0])


def test_the_order_and_columns_that_are_not_read_do_not_count(spanish: Dataset) -> None:
    other = spanish.shuffle(seed=1).add_column("note", ["x"] * len(spanish))
    assert of(other).digest == of(spanish).digest


def test_labels_uids_and_weights_count(spanish: Dataset) -> None:
    flipped = spanish.map(lambda row: {"label": (row["label"] + 1) % 6})
    weighted = spanish.add_column("weight", [0.5] * len(spanish))
    renumbered = spanish.map(lambda row: {"uid": row["uid"] + 1})
    digests = {of(one).digest for one in (spanish, flipped, weighted, renumbered)}
    assert len(digests) == 4


def test_rows_that_cannot_be_trained_on_are_refused(spanish: Dataset) -> None:
    with pytest.raises(TrainingError):
        of(spanish.select([]))
    with pytest.raises(ColumnError):
        of(spanish.remove_columns("text"))
    with pytest.raises(LabelError):
        of(spanish.map(lambda _: {"label": -1}))


def test_rows_are_loaded_where_none_are_given() -> None:
    part = Stage(toy.topics, language="tr").parts[0]
    assert part.languages == ("tr",)
    assert len(part.rows()) == 1000
