"""PAWS-X on real rows."""

from pathlib import Path

import pytest

from xquality.tasks import pawsx


@pytest.mark.parametrize(("split", "rows"), [("validation", 300), ("test", 700)])
def test_row_i_is_one_example_in_every_language(split: str, rows: int, real_data: Path) -> None:
    english = pawsx.load("en", split, real_data)
    assert english["uid"][:] == list(range(rows))
    for language in ("de", "es", "fr", "ja", "zh"):
        other = pawsx.load(language, split, real_data)
        assert other["id"][:] == english["id"][:]
        assert other["uid"][:] == english["uid"][:]


def test_the_labels_that_differ_between_languages_are_those_of_the_source(real_data: Path) -> None:
    english = pawsx.load("en", "test", real_data)["label"][:]
    differing = {
        language: sum(
            label != translated
            for label, translated in zip(english, pawsx.load(language, "test", real_data)["label"], strict=True)
        )
        for language in ("de", "es", "fr", "ja", "zh")
    }
    assert differing == {"de": 10, "es": 3, "fr": 0, "ja": 5, "zh": 2}  # as the data's own description counts them


def test_a_paraphrase_is_labelled_1(real_data: Path) -> None:
    row = pawsx.load("en", "test", real_data)[0]
    assert row["sentence1"].startswith("From the merger of the Four Rivers Council")
    assert row["sentence2"].startswith("Shawnee Trails Council was formed from the merger")
    assert row["label"] == 1
    assert pawsx.load("de", "validation", real_data).features["label"].names == ["0", "1"]


def test_training_rows_are_in_no_other_split(real_data: Path) -> None:
    train = set(pawsx.load(pawsx.source_language, "train", real_data)["id"])
    held = {number for split in ("validation", "test") for number in pawsx.load("ja", split, real_data)["id"]}
    assert (len(train), len(held), len(train & held)) == (1000, 1000, 0)


def test_the_task_has_the_seven_languages_of_the_paper() -> None:
    assert len(set(pawsx.languages)) == 7
    assert "Yang" in pawsx.citation
