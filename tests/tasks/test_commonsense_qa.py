"""CommonsenseQA on real rows."""

from pathlib import Path

import pytest
from datasets import Dataset
from task_rows import load_splits, row_counts

import xquality as xq
from xquality.errors import LabelError
from xquality.tasks import commonsense_qa


def test_every_split_of_the_folder_loads_as_choices_of_five(real_data: Path) -> None:
    rows = load_splits(commonsense_qa, real_data)
    assert row_counts(rows, "train", "validation") == {"en": (8241, 900)}
    row = rows["en", "train"][0]
    assert row["context"] == ""
    assert row["question"].startswith("The sanctions against the school were a punishing blow")
    assert row["options"][row["label"]] == "ignore"
    assert {len(options) for options in rows["en", "validation"]["options"]} == {5}


def test_an_answer_is_its_letters_place_and_a_hidden_one_is_none() -> None:
    choices = {"label": ["E", "D", "C", "B", "A"], "text": ["v", "w", "x", "y", "z"]}
    two = {"question": ["?", "?"], "choices": [choices, choices]}
    found = commonsense_qa.normalise(xq.with_uid(Dataset.from_dict({**two, "answerKey": ["D", ""]})))
    assert found["label"][:] == [1, None]
    with pytest.raises(LabelError, match=r"'F' is none of its options' letters"):
        commonsense_qa.normalise(xq.with_uid(Dataset.from_dict({**two, "answerKey": ["A", "F"]})))
