"""HellaSwag on real rows."""

from collections import Counter
from pathlib import Path

import pytest
from datasets import Dataset
from task_rows import load_splits, row_counts

import xquality as xq
from xquality.errors import LabelError
from xquality.tasks import hellaswag


def test_every_split_of_the_folder_loads_as_choices_of_four(real_data: Path) -> None:
    rows = load_splits(hellaswag, real_data)
    assert row_counts(rows, "train", "validation") == {"en": (6000, 1500)}
    train = rows["en", "train"]
    assert {len(options) for options in train["options"]} == {4}
    assert Counter(train["label"]) == {2: 1524, 1: 1522, 0: 1507, 3: 1447}
    assert train[0] == {
        "context": "A lady walks to a barbell. She bends down and grabs the pole.",
        "question": "the lady",
        "options": [
            "swings and lands in her arms.",
            "pulls the barbell forward.",
            "pulls a rope attached to the barbell.",
            "stands and lifts the weight over her head.",
        ],
        "label": 3,
        "uid": 0,
    }


def test_the_hidden_answers_of_the_test_split_are_none() -> None:
    row = {"ctx_a": ["A."], "ctx_b": [""], "endings": [["a", "b", "c", "d"]]}
    assert hellaswag.normalise(xq.with_uid(Dataset.from_dict({**row, "label": [""]})))["label"][:] == [None]
    with pytest.raises(LabelError, match="'4'"):
        hellaswag.normalise(xq.with_uid(Dataset.from_dict({**row, "label": ["4"]})))
