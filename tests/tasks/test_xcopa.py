"""XCOPA and its English training rows on real rows."""

from pathlib import Path

import pytest
from task_rows import load_splits, row_counts

from xquality.errors import SourceError
from xquality.tasks import xcopa


def test_every_language_of_the_folder_loads_as_choices_of_two(real_data: Path) -> None:
    rows = load_splits(xcopa, real_data)
    counted = row_counts(rows, "validation", "test")
    assert counted == dict.fromkeys(("et", "id", "it", "qu", "sw", "th", "tr", "vi", "zh", "en"), (100, 500))
    assert row_counts(rows, "train") == {"en": (400,)}
    assert rows["et", "test"][0] == {
        "context": "Ese oli mullikilesse mässitud.",
        "question": "cause",
        "options": ["See oli õrn.", "See oli väike."],
        "label": 0,
        "uid": 0,
    }


def test_row_i_is_one_example_in_every_language_with_the_wrong_questions_of_the_official_files(real_data: Path) -> None:
    rows = load_splits(xcopa, real_data, ("validation",))
    english = rows["en", "validation"]
    wrong = {}
    for (language, _), data in rows.items():
        assert data["label"][:] == english["label"][:]
        wrong[language] = sum(
            question != expected for question, expected in zip(data["question"], english["question"], strict=True)
        )
    assert wrong == {"et": 0, "id": 5, "it": 5, "qu": 0, "sw": 6, "th": 52, "tr": 52, "vi": 0, "zh": 0, "en": 0}
    assert set(xcopa.load("th", "test", real_data)["question"]) == {"effect"}


def test_training_rows_are_english(real_data: Path) -> None:
    with pytest.raises(SourceError, match="no split 'train'"):
        xcopa.load("it", "train", real_data)
    assert len(set(xcopa.languages)) == 11
    assert "en" not in xcopa.languages
