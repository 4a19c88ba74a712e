"""MNLI on real rows."""

from pathlib import Path

from task_rows import load_splits, row_counts

from xquality.tasks import mnli, xnli


def test_every_split_of_the_folder_loads_in_xnlis_columns(real_data: Path) -> None:
    rows = load_splits(mnli, real_data, ("train", "validation", "validation_matched", "validation_mismatched"))
    assert row_counts(rows, "train", "validation", "validation_matched", "validation_mismatched") == {
        "en": (6000, 2002, 2002, 1000)
    }
    assert rows["en", "train"].features == xnli.load("en", "train", real_data).features


def test_the_labels_mean_what_they_say(real_data: Path) -> None:
    row = mnli.load("en", "validation_mismatched", real_data)[0]
    assert row["premise"] == "You ca n't take it with you -- neither can I , unfortunately ."
    assert row["hypothesis"] == "You are not able to bring it with you ."
    assert row["label"] == mnli.head.labels.index("entailment")
