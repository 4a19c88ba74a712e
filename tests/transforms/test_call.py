"""Applying a call: what stays, what is recorded, what a careless `apply` may not do."""

from dataclasses import dataclass
from typing import final

import pyarrow as pa
import pytest
from datasets import Dataset

import xquality as xq
from xquality.errors import TransformError
from xquality.transforms import Change, Transform


def test_info_split_and_format_are_kept(spanish: Dataset) -> None:
    spanish = spanish.with_format("numpy", columns=["label"])
    spanish.info.citation = "ours"
    noisy = xq.LabelNoise(0.2)(spanish, seed=1)
    assert noisy.info.citation == "ours"
    assert noisy.split == spanish.split
    assert noisy.format["type"] == "numpy"
    assert noisy.format["columns"] == ["label", "label_before"]


def test_fingerprints_follow_settings_and_seed(spanish: Dataset) -> None:
    calls = [(0.2, 1), (0.2, 1), (0.3, 1), (0.2, 2)]
    prints = [xq.LabelNoise(rate)(spanish, seed=seed)._fingerprint for rate, seed in calls]
    assert prints[0] == prints[1]
    assert len(set(prints)) == 3


def test_the_record_says_who_what_and_how_much(spanish: Dataset) -> None:
    record = xq.history(xq.LabelNoise(0.2)(spanish, seed=7))[-1]
    assert (record.transform, record.seed, record.rows_before, record.rows_after) == ("LabelNoise", 7, 200, 200)
    assert (record.changed, record.realised_rate) == (40, 0.2)
    assert record.settings == {"rate": 0.2, "column": "label", "exact": True, "stream": 0}
    assert record.versions["algorithm"] == 1


def test_rows_without_uids_are_stamped_by_their_place(spanish: Dataset) -> None:
    bare = spanish.remove_columns("uid")
    assert xq.Subsample(n=20)(bare, seed=1)["uid"][:] == xq.Subsample(n=20)(spanish, seed=1)["uid"][:]


def test_a_mapping_after_a_transform_reads_plain_rows(spanish: Dataset) -> None:
    half = xq.Subsample(fraction=0.5)(spanish, seed=1)
    assert half._indices is None
    assert half.map(lambda row: {"length": len(row["text"])})["length"][0] == len(half[0]["text"])


@final
@dataclass(frozen=True)
class Careless(Transform):
    fault: str
    stream: int = 0

    def apply(self, rows, draw):
        if self.fault == "more rows":
            return Change(pa.concat_tables([rows.table, rows.table]))
        if self.fault == "lost column":
            return Change(rows.table.drop_columns(["text"]))
        return Change(rows.table.append_column("new", pa.array([1] * len(rows))))  # without its feature


@pytest.mark.parametrize("fault", ["more rows", "lost column", "no feature"])
def test_a_careless_apply_is_refused(spanish: Dataset, fault: str) -> None:
    with pytest.raises(TransformError, match="apply returned"):
        Careless(fault)(spanish, seed=1)


def test_a_stream_of_several_shards_needs_uids(spanish: Dataset) -> None:
    from xquality.errors import UidError

    noise = xq.LabelNoise(0.3, exact=False)
    with pytest.raises(UidError, match="shards"):
        noise(spanish.remove_columns("uid").to_iterable_dataset(num_shards=4), seed=1)
    rows = list(noise(spanish.to_iterable_dataset(num_shards=4), seed=1))
    assert rows == noise(spanish, seed=1).to_list()


def test_a_column_of_the_users_own_is_not_taken_for_first_values(spanish: Dataset) -> None:
    from xquality.errors import ColumnError

    with pytest.raises(ColumnError, match="label_before"):
        xq.LabelNoise(0.3)(spanish.add_column("label_before", ["x"] * len(spanish)), seed=1)
    with pytest.raises(ColumnError, match="weight"):
        xq.CleanlabFilter(action="weight")(spanish.add_column("weight", [1] * len(spanish)), seed=1)
