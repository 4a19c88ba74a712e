"""ANLI+ on real rows: three datasets as one, each row with an identity of its own."""

from collections import Counter
from pathlib import Path

import pytest
from datasets import Dataset

import xquality as xq
from xquality.errors import SourceError
from xquality.tasks import MemorySource, Task, anli_plus, mnli
from xquality.tasks.anli_plus import JoinedSource, labelled_pairs


def test_every_part_is_there_whole_and_named(real_data: Path) -> None:
    data = anli_plus.load("en", "validation", real_data)
    parts = Counter(uid.split("/")[0] for uid in data["uid"])
    assert parts == {"mnli": 2002, "snli": 200, "anli_r1": 1000, "anli_r2": 1000, "anli_r3": 1200}
    assert len(set(data["uid"])) == len(data) == 5402
    assert data.column_names == ["premise", "hypothesis", "label", "uid"]
    alone = mnli.load("en", "validation", real_data)
    for name in ("premise", "hypothesis", "label"):
        assert data.select(range(2002))[name][:] == alone[name][:]
    (record,) = xq.history(data)
    assert record.settings["names"] == list(parts)


def test_the_labels_mean_what_they_say(real_data: Path) -> None:
    data = anli_plus.load("en", "validation", real_data)
    row = next(row for row in data if row["uid"] == "anli_r1/0")
    assert row["hypothesis"] == "Form and meaning are the only aspects of language linguistics is concerned with."
    assert data.features["label"].int2str(row["label"]) == "contradiction"


def test_a_part_that_is_missing_is_not_left_out_silently(real_data: Path) -> None:
    with pytest.raises(SourceError, match="no split 'train_r1'"):  # the sample has no training rows of ANLI
        anli_plus.load("en", "train", real_data)


def test_rows_without_an_agreed_label_go_and_the_others_keep_their_numbers() -> None:
    texts = {"premise": ["a", "b", "c", "d"], "hypothesis": ["e", "f", "g", "h"]}
    found = labelled_pairs(xq.with_uid(Dataset.from_dict({**texts, "label": [2, -1, None, 0]})))
    assert found["uid"][:] == [0, 3]
    assert found["label"][:] == [2, 0]
    assert found["premise"][:] == ["a", "d"]


def part(name: str, **columns: list[object]) -> Task:
    return Task(name, ("en",), "en", MemorySource({("en", "train"): Dataset.from_dict(columns)}))


def test_rows_follow_each_other_and_are_named_after_their_part() -> None:
    joined = JoinedSource((part("one", text=["a", "b"]), part("two", text=["c"])))
    data = Task("both", ("en",), "en", joined).load("en", "train")
    assert data["text"][:] == ["a", "b", "c"]
    assert data["uid"][:] == ["one/0", "one/1", "two/0"]


def test_a_part_that_lacks_the_split_is_an_error() -> None:
    with pytest.raises(SourceError, match="split 'test'"):
        JoinedSource((part("one", text=["a"]),)).load("en", "test", None)
