"""QQP on real rows."""

from pathlib import Path

from task_rows import load_splits, row_counts

from xquality.tasks import qqp


def test_every_split_of_the_folder_loads(real_data: Path) -> None:
    assert row_counts(load_splits(qqp, real_data), "train", "validation") == {"en": (8000, 2000)}


def test_the_labels_mean_what_they_say(real_data: Path) -> None:
    row = qqp.load("en", "train", real_data)[0]
    assert row["question1"] == "Why are so many Quora users posting questions that are readily answered on Google?"
    assert row["question2"] == "Why do people ask Quora questions which can be answered easily by Google?"
    assert qqp.head.labels[row["label"]] == "duplicate"
