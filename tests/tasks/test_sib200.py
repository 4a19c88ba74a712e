"""SIB-200 on real rows."""

from collections import Counter
from pathlib import Path

import pytest

from xquality.tasks import sib200


@pytest.mark.parametrize(("split", "rows"), [("train", 701), ("validation", 99), ("test", 204)])
def test_row_i_is_one_sentence_in_every_language(split: str, rows: int, real_data: Path) -> None:
    english = sib200.load("eng_Latn", split, real_data)
    assert english["uid"][:] == list(range(rows))
    for language in ("amh_Ethi", "spa_Latn", "zho_Hans"):
        other = sib200.load(language, split, real_data)
        for column in ("uid", "index_id", "label"):
            assert other[column][:] == english[column][:]
        assert other["text"][:] != english["text"][:]


def test_categories_written_as_text_become_classes(real_data: Path) -> None:
    test = sib200.load("eng_Latn", "test", real_data)
    names = test.features["label"].names
    assert tuple(names) == sib200.head.labels
    counted = Counter(names[label] for label in test["label"])
    assert counted == {
        "science/technology": 51,
        "travel": 40,
        "politics": 30,
        "sports": 25,
        "health": 22,
        "entertainment": 19,
        "geography": 17,
    }
    assert "scientists" in sib200.load("eng_Latn", "train", real_data)[0]["text"]
    assert "category" not in test.column_names


def test_the_task_has_the_205_languages_of_the_hub_and_those_of_a_folder_load(real_data: Path) -> None:
    assert len(set(sib200.languages)) == 205
    here = {folder.name for folder in (real_data / "sib200").iterdir() if folder.is_dir()}
    assert len(here) == 28
    assert here < set(sib200.languages)
    assert all(len(sib200.load(language, "test", real_data)) == 204 for language in here)


def test_no_sentence_is_in_two_splits(real_data: Path) -> None:
    splits = [set(sib200.load("deu_Latn", split, real_data)["index_id"]) for split in ("train", "validation", "test")]
    assert len(set.union(*splits)) == sum(map(len, splits)) == 1004
