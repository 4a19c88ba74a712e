"""DatasetSetting: a dataset as a value."""

import pytest
from datasets import Dataset, DatasetDict

import xquality as xq
from xquality.errors import DataKindError, SerialisationError, UidError
from xquality.transforms.held import DatasetSetting


def rows(texts: str = "abc") -> Dataset:
    return Dataset.from_dict({"text": list(texts)})


def test_it_is_equal_where_the_rows_are() -> None:
    assert (
        DatasetSetting(rows())
        == DatasetSetting(xq.with_uid(rows()))
        == DatasetSetting(xq.with_uid(rows()).select([0, 1, 2]))
    )
    assert len({DatasetSetting(rows()), DatasetSetting(rows()), DatasetSetting(rows("abd"))}) == 2
    assert DatasetSetting(rows()).digest == xq.digest(xq.with_uid(rows()))
    assert repr(DatasetSetting(rows())) == f"<3 rows, digest {DatasetSetting(rows()).digest}>"


def test_it_is_written_as_what_it_is_and_how_it_came_to_be(spanish: Dataset) -> None:
    half = xq.Subsample(n=50)(spanish, seed=1)
    written = DatasetSetting(half).to_dict()
    assert written["digest"] == xq.digest(half)
    assert written["rows"] == 50
    assert written["origins"] == [{"task": "toy.topics", "language": "es", "split": "train"}]
    assert [one["transform"] for one in written["history"]] == ["Subsample"]


def test_what_holds_no_rows_is_refused() -> None:
    for wrong in (None, [{"text": "a"}], DatasetDict({"train": rows()}), rows().to_iterable_dataset()):
        with pytest.raises(DataKindError):
            DatasetSetting(wrong)
    with pytest.raises(SerialisationError, match="but not its rows"):
        DatasetSetting(DatasetSetting(rows()).to_dict())
    with pytest.raises(UidError):
        DatasetSetting(rows().add_column("uid", [1, 1, 2]))
