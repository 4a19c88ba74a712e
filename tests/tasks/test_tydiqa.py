"""TyDiQA-GoldP on real rows, and on rows of all languages in one table as the Hub has them."""

from pathlib import Path

import pytest
from datasets import Dataset, concatenate_datasets
from task_rows import load_splits, row_counts

import xquality as xq
from xquality.errors import ColumnError
from xquality.tasks import MemorySource, tydiqa
from xquality.tasks.tydiqa import NAMES, ByIdSource

COUNTED = {"ar": 921, "bn": 113, "en": 440, "fi": 782, "id": 565, "ru": 812, "sw": 499}


def test_every_language_of_the_folder_loads_with_answers_at_their_offsets(real_data: Path) -> None:
    rows = load_splits(tydiqa, real_data)
    assert {language: count for language, (count,) in row_counts(rows, "validation").items()} == COUNTED
    assert row_counts(rows, "train") == {"en": (3696,), "sw": (2755,)}
    assert rows["ru", "validation"].column_names == ["id", "context", "question", "answers", "uid"]
    for row in rows["bn", "validation"]:
        for start, text in zip(row["answers"]["answer_start"], row["answers"]["text"], strict=True):
            assert row["context"][start : start + len(text)] == text


def test_languages_in_one_table_are_told_apart_by_their_ids(real_data: Path) -> None:
    apart = {language: tydiqa.load(language, "validation", real_data) for language in ("bn", "sw", "en")}
    table = concatenate_datasets([rows.remove_columns("uid") for rows in apart.values()]).shuffle(seed=3)
    joined = ByIdSource(MemorySource(dict.fromkeys([(language, "validation") for language in apart], table)), NAMES)
    for language, data in apart.items():
        found = xq.with_uid(joined.load(language, "validation", None))
        assert sorted(found["id"]) == sorted(data["id"])
        assert found["uid"][:] == list(range(len(data)))


def test_rows_without_ids_are_refused() -> None:
    rows = MemorySource({("bn", "test"): Dataset.from_dict({"context": ["x"]})})
    with pytest.raises(ColumnError, match="'id'"):
        ByIdSource(rows, NAMES).load("bn", "test", None)


def test_the_task_has_the_nine_languages_of_xtreme() -> None:
    assert len(set(tydiqa.languages)) == 9
    assert tydiqa.evaluation_split == "validation"
