"""Held: a dataset as a value."""

import pytest
from datasets import Dataset, DatasetDict

import xquality as xq
from xquality.errors import DataKindError, SerialisationError, UidError
from xquality.held import Held


def rows(texts: str = "abc") -> Dataset:
    return Dataset.from_dict({"text": list(texts)})


def test_it_is_equal_where_the_rows_are() -> None:
    assert Held(rows()) == Held(xq.with_uid(rows())) == Held(xq.with_uid(rows()).select([0, 1, 2]))
    assert len({Held(rows()), Held(rows()), Held(rows("abd"))}) == 2
    assert Held(rows()).digest == xq.digest(xq.with_uid(rows()))
    assert repr(Held(rows())) == f"<3 rows, digest {Held(rows()).digest}>"


def test_it_is_written_as_what_it_is_and_how_it_came_to_be(spanish: Dataset) -> None:
    half = xq.Subsample(n=50)(spanish, seed=1)
    written = Held(half).to_dict()
    assert written["digest"] == xq.digest(half)
    assert written["rows"] == 50
    assert written["origins"] == [{"task": "toy.topics", "language": "es", "split": "train"}]
    assert [one["transform"] for one in written["history"]] == ["Subsample"]


def test_what_holds_no_rows_is_refused() -> None:
    for wrong in (None, [{"text": "a"}], DatasetDict({"train": rows()}), rows().to_iterable_dataset()):
        with pytest.raises(DataKindError):
            Held(wrong)
    with pytest.raises(SerialisationError, match="but not its rows"):
        Held(Held(rows()).to_dict())
    with pytest.raises(UidError):
        Held(rows().add_column("uid", [1, 1, 2]))
