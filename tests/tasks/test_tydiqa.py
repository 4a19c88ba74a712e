"""TyDiQA-GoldP on real rows, and on rows of all languages in one table as the Hub has them."""

import dataclasses
from pathlib import Path

import pytest
from datasets import Dataset, concatenate_datasets
from task_rows import load_splits, row_counts

import xquality as xq
from xquality.errors import ColumnError, SourceError
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


def load_ids(*ids: str | None) -> list[str | None]:
    answers = {"text": ["x"], "answer_start": [0]}
    rows = [{"id": name, "context": "x", "question": "y", "answers": answers} for name in ids]
    table = MemorySource({("fi", "validation"): Dataset.from_list(rows)})
    return dataclasses.replace(tydiqa, source=ByIdSource(table, NAMES)).load("fi", "validation")["id"][:]


@pytest.mark.parametrize(
    "ids",
    [("093", "094"), ("finnish-1", "b", "c"), ("finnish-1", "finnish-2"), ("a-1", None), ("Finnish-1", "thai-2")],
)
def test_ids_that_name_no_other_language_lose_no_row(ids: tuple[str | None, ...]) -> None:
    assert load_ids(*ids) == list(ids)


def test_rows_whose_ids_name_another_language_alone_are_kept_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="name english; the rows are taken as fi"):
        assert load_ids("english-1", "2") == ["english-1", "2"]


def test_in_a_table_of_several_languages_rows_without_a_name_are_kept_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="2 rows whose ids name no language; these are taken as fi"):
        assert load_ids("finnish-1", "english-1", "093", "thai-2") == ["finnish-1", "093", "thai-2"]


def test_a_table_of_other_languages_is_refused() -> None:
    with pytest.raises(SourceError, match="name en, ru, but none names fi"):
        load_ids("english-1", "russian-1")


def test_rows_without_ids_are_refused() -> None:
    rows = MemorySource({("bn", "test"): Dataset.from_dict({"context": ["x"]})})
    with pytest.raises(ColumnError, match="'id'"):
        ByIdSource(rows, NAMES).load("bn", "test", None)


def test_the_task_has_the_nine_languages_of_xtreme() -> None:
    assert len(set(tydiqa.languages)) == 9
    assert tydiqa.evaluation_split == "validation"
