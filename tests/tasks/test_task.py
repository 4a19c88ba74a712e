"""A task loads rows that pair by uid over languages, with its own class names whatever the data call them."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from datasets import ClassLabel, Dataset, Features, Value, concatenate_datasets

import xquality as xq
from xquality.errors import ColumnError, LabelError, SettingError, SourceError
from xquality.heads import SequenceHead
from xquality.tasks import MemorySource, Task

HEAD = SequenceHead(columns=("text",), labels=("no", "yes", "maybe"))


def task(data: Dataset, **more: Any) -> Task:
    settings = {"languages": ("es", "de"), "source_language": "es", "head": HEAD, **more}
    return Task("mine", source=MemorySource({("es", "train"): data}), **settings)


def rows(labels: list[Any], names: list[str] | None = None) -> Dataset:
    features = None if names is None else Features({"text": Value("string"), "label": ClassLabel(names=names)})
    return Dataset.from_dict({"text": [f"t{row}" for row in range(len(labels))], "label": labels}, features=features)


LABELLED: dict[str, Callable[[], Dataset]] = {
    "the task's own classes": lambda: rows([1, 0, 2, 1], ["no", "yes", "maybe"]),
    "the classes in another order": lambda: rows([2, 1, 0, 2], ["maybe", "no", "yes"]),
    "more classes than occur": lambda: rows([3, 1, 2, 3], ["other", "no", "maybe", "yes"]),
    "names": lambda: rows(["yes", "no", "maybe", "yes"]),
    "numbers": lambda: rows([1, 0, 2, 1]),
    "small numbers": lambda: rows([1, 0, 2, 1]).cast_column("label", Value("int8")),
    "wide names": lambda: rows(["yes", "no", "maybe", "yes"]).cast_column("label", Value("large_string")),
    "chunks": lambda: concatenate_datasets(
        [rows([2, 1], ["maybe", "no", "yes"]), rows([0, 2], ["maybe", "no", "yes"])]
    ),
    "a selection": lambda: rows(["maybe", "no", "yes"]).select([2, 1, 0, 2]),
}


@pytest.mark.parametrize("how", LABELLED)
def test_labels_come_as_the_tasks_classes_however_they_are_stored(how: str) -> None:
    loaded = task(LABELLED[how]()).load("es", "train")
    assert loaded.features["label"] == ClassLabel(names=["no", "yes", "maybe"])
    assert loaded["label"][:] == [1, 0, 2, 1]
    assert loaded["text"][:] == LABELLED[how]()["text"][:]
    assert loaded["uid"][:] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "data",
    [
        rows(["yes", "perhaps"]),
        rows([0, 3]),
        rows([0, -2]),
        rows([0.5, 1.0]),
        rows(["Yes", "no"]),
        rows([0, 1], ["entailment", "neutral"]),
    ],
)
def test_labels_that_are_not_the_tasks_are_refused(data: Dataset) -> None:
    with pytest.raises(LabelError, match=r"The labels \['no', 'yes', 'maybe'\] were expected"):
        task(data).load("es", "train")


def test_rows_without_a_label_stay_and_are_refused_where_labels_are_needed() -> None:
    for data in (rows([1, None, 0]), rows(["yes", None, "no"]), rows([2, None, 1], ["maybe", "no", "yes"])):
        loaded = task(data).load("es", "train")
        assert loaded["label"][:] == [1, None, 0]
        with pytest.raises(LabelError, match="1 are null"):
            xq.LabelNoise(rate=0.5)(loaded, seed=0)


def test_numbers_stored_as_text_are_names() -> None:
    digits = SequenceHead(columns=("text",), labels=("0", "1"))
    assert task(rows(["1", "0"]), head=digits).load("es", "train")["label"][:] == [1, 0]


def test_data_without_labels_are_refused_where_the_head_reads_them() -> None:
    plain = Dataset.from_dict({"text": ["a"]})
    with pytest.raises(ColumnError, match="'label'"):
        task(plain).load("es", "train")
    assert task(plain, head=None).load("es", "train").column_names == ["text", "uid"]


def test_columns_are_renamed_where_they_are_there() -> None:
    named = rows(["yes"]).rename_column("label", "category")
    assert task(named, rename={"category": "label"}).load("es", "train")["label"][:] == [1]
    assert task(rows(["yes"]), rename={"category": "label"}).load("es", "train")["label"][:] == [1]


def test_rows_are_stamped_before_they_are_brought_into_shape() -> None:
    def odd(data: Dataset) -> Dataset:
        return data.select(range(1, len(data), 2))

    loaded = task(rows(["no", "yes", "no", "maybe"]), normalise=odd).load("es", "train")
    assert loaded["uid"][:] == [1, 3]
    assert loaded["label"][:] == [1, 2]


def test_uids_of_the_data_are_kept() -> None:
    own = rows(["yes", "no"]).add_column("uid", ["x", "y"])
    assert task(own).load("es", "train")["uid"][:] == ["x", "y"]


def test_loading_twice_gives_the_same_digest_and_no_history() -> None:
    first, second = (task(rows(["yes", "no"])).load("es", "train") for _ in range(2))
    assert xq.digest(first) == xq.digest(second)
    assert xq.history(first) == ()


def test_loading_leaves_the_given_rows_alone() -> None:
    data = rows(["yes", "no"])
    task(data).load("es", "train")
    assert data.column_names == ["text", "label"]
    assert data["label"][:] == ["yes", "no"]


@pytest.mark.parametrize("language", ["fr", "", "ES", "../es", None])
def test_a_language_that_the_task_has_not_is_refused_with_those_it_has(language: Any) -> None:
    with pytest.raises(SourceError, match=r"mine has no language .*; there are es, de\."):
        task(rows([0])).load(language, "train")


def test_languages_are_added_in_one_line() -> None:
    source = MemorySource({("ro", "test"): rows([0, 1])})
    wider = dataclasses.replace(task(rows([0])), source=source).with_languages("ro", "es")
    assert wider.languages == ("es", "de", "ro")
    assert len(wider.load("ro", "test")) == 2
    for wrong in ((), ("",), (None,), (["ro"],)):
        with pytest.raises(SettingError, match="languages"):
            wider.with_languages(*wrong)


def test_a_language_only_trained_in_can_be_loaded() -> None:
    data = rows([0])
    only = Task("mine", ("de",), "es", MemorySource({("es", "train"): data}), HEAD, train_languages=("es",))
    assert len(only.load("es", "train")) == 1
    with pytest.raises(SourceError, match=r"there are de, es\."):
        only.load("fr", "train")


@pytest.mark.parametrize("split", ["", None, 3, ["train"]])
def test_a_split_is_a_name(split: Any) -> None:
    with pytest.raises(SettingError, match=r"mine\(split="):
        task(rows([0])).load("es", split)


def test_a_missing_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="'test'"):
        task(rows([0])).load("es", "test", root=tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"languages": "es"},
        {"languages": ()},
        {"source_language": None},
        {"head": "SequenceHead"},
        {"rename": ["category"]},
        {"normalise": "pairs"},
        {"evaluation_split": ""},
        {"train_languages": "es"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_wrong_setting_is_refused_by_name(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(SettingError, match=rf"^Task\({name}="):
        task(rows([0]), **wrong)


def test_a_source_is_anything_with_the_method_load() -> None:
    class Mine:
        def load(self, language: str, split: str, root: object) -> Dataset:
            return rows([0, 1])

    assert len(Task("mine", ["es"], "es", Mine(), HEAD).load("es", "train")) == 2
    for wrong in (None, Mine, {("es", "train"): rows([0])}):
        with pytest.raises(SettingError, match=r"Task\(source=.* must be a source"):
            Task("mine", ["es"], "es", wrong, HEAD)
