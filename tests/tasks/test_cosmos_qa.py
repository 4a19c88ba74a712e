"""Cosmos QA on real rows."""

from pathlib import Path

from task_rows import load_splits, row_counts

from xquality.tasks import cosmos_qa


def test_every_split_of_the_folder_loads_as_choices_of_four(real_data: Path) -> None:
    rows = load_splits(cosmos_qa, real_data)
    assert row_counts(rows, "train", "validation") == {"en": (1800, 500)}
    row = rows["en", "train"][0]
    assert row["context"].startswith("I need a rest , and even more , I need a bath !")
    assert row["question"] == "Why does the writer need a bath ?"
    assert row["options"] == [
        "The other three girls are clean .",
        "None of the above choices .",
        "The monos open the beach for a morning bath .",
        "She needs a rest .",
    ]
    assert row["label"] == 1
