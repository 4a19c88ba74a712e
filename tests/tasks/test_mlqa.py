"""MLQA on real rows."""

from pathlib import Path

from task_rows import load_splits, row_counts

import xquality as xq
from xquality.tasks import mlqa, squad

COUNTED = {"en": 1148, "es": 500, "de": 512, "ar": 517, "hi": 507, "zh": 504}


def test_every_language_of_the_folder_loads_with_answers_at_their_offsets(real_data: Path) -> None:
    rows = load_splits(mlqa, real_data)
    assert row_counts(rows, "validation") == {language: (count,) for language, count in COUNTED.items()}
    assert xq.digest(rows["en", "train"]) == xq.digest(squad.load("en", "train", real_data))
    for row in rows["ar", "validation"]:
        (start,), (text,) = row["answers"]["answer_start"], row["answers"]["text"]
        assert row["context"][start : start + len(text)] == text


def test_languages_pair_by_id_and_not_by_row(real_data: Path) -> None:
    english, german = (mlqa.load(language, "validation", real_data)["id"][:] for language in ("en", "de"))
    assert len(set(english) & set(german)) == 512
    assert english[:512] != german


def test_the_task_has_the_seven_languages_of_xtreme() -> None:
    assert len(set(mlqa.languages)) == 7
    assert mlqa.evaluation_split == "test"
