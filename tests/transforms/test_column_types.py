"""Columns of every Arrow type that a dataset can hold pass through every call, or are refused by a typed error."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from datasets import ClassLabel, Dataset

import xquality as xq
from xquality.heads import SequenceHead
from xquality.tasks import MemorySource, Task

VIEWS = {
    "string_view": pa.array(["a b c", "longer than twelve bytes", "d e"] * 2, pa.string_view()),
    "binary_view": pa.array([b"a", b"longer than twelve bytes", None] * 2, pa.binary_view()),
    "list of views": pa.array([["a", "b"], [], ["c"]] * 2, pa.list_(pa.string_view())),
    "large list of views": pa.array([["a", None], None, ["c"]] * 2, pa.large_list(pa.string_view())),
    "fixed list of views": pa.array([["a", "b"]] * 6, pa.list_(pa.string_view(), 2)),
    "struct of views": pa.array([{"x": "a"}, None, {"x": "b"}] * 2, pa.struct([("x", pa.string_view())])),
}
OTHERS = {
    "dictionary": pa.array(["a", "b", None] * 2).dictionary_encode(),
    "date32": pa.array([dt.date(2020, 1, day) for day in range(1, 7)]),
    "time": pa.array([dt.time(hour) for hour in range(6)]),
    "duration": pa.array([dt.timedelta(days) for days in range(6)]),
    "timestamp": pa.array([dt.datetime(2020, 1, 1, tzinfo=dt.UTC)] * 6),
    "decimal": pa.array([Decimal("1.5")] * 6),
    "half float": pa.array([1.5] * 6, pa.float16()),
    "null": pa.nulls(6),
    "fixed binary": pa.array([b"ab"] * 6, pa.binary(2)),
}
CALLS: dict[str, Callable[[Dataset, Path], Dataset]] = {
    "noise": lambda rows, _: xq.LabelNoise(0.5)(rows, seed=1),
    "subsample": lambda rows, _: xq.Subsample(n=3)(rows, seed=1),
    "select": lambda rows, _: xq.Subsample(n=3)(rows.select([5, 3, 1, 0]), seed=1),
    "concatenate": lambda rows, _: xq.concatenate([rows.select([2, 0]), rows], names=["a", "b"]),
    "save": lambda rows, folder: xq.load(xq.save(rows.select([2, 0]), folder / "kept")),
    "stream": lambda rows, _: as_dataset(xq.LabelNoise(0.5, exact=False)(rows.to_iterable_dataset(), seed=1), rows),
    "batches": lambda rows, _: Dataset(xq.LabelNoise(0.5, exact=False).batches(1)(xq.with_uid(rows).data.table)),
}


def as_dataset(stream: Any, rows: Dataset) -> Dataset:
    return Dataset(pa.concat_tables(stream.with_format("arrow").iter(2)))


def made(values: pa.Array) -> Dataset:
    rows = Dataset(pa.table({"value": values, "label": [0, 1] * 3}))
    features = rows.features.copy()
    features["label"] = ClassLabel(names=["no", "yes"])
    return Dataset(rows.data.table.cast(features.arrow_schema))


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", [*VIEWS, *OTHERS])
def test_values_of_every_type_pass_through(kind: str, call: str, tmp_path: Path) -> None:
    rows = made({**VIEWS, **OTHERS}[kind])
    found = CALLS[call](rows, tmp_path)
    assert found.features["value"] == rows.features["value"]
    values = {str(value) for value in rows["value"]}
    assert len(found) > 0
    assert {str(value) for value in found["value"]} <= values
    assert len(xq.digest(found)) == 32


def test_a_view_has_the_digest_of_what_it_views() -> None:
    for kind in ("string_view", "list of views", "struct of views"):
        rows = made(VIEWS[kind]).remove_columns("label")
        assert xq.digest(rows) == xq.digest(Dataset.from_list(rows.to_list()))


TEXT_CALLS: dict[str, xq.Transform] = {
    "omission": xq.TranslationNoise(0.5, errors=("omission",), columns=("text",)),
    "duplicates": xq.Deduplicate(columns=("text",)),
    "lengths": xq.LengthRatioFilter(columns=("text", "other")),
    "language": xq.LanguageFilter("en", columns=("text",)),
}


@pytest.mark.parametrize("name", TEXT_CALLS)
def test_text_in_views_is_transformed_as_other_text(name: str) -> None:
    text = ["one two three four", "five six seven eight nine", "ten", None][:3] * 2
    other = ["eins zwei drei vier", "f\u00fcnf", "zehn"] * 2
    plain = Dataset.from_dict({"text": text, "other": other})
    views = Dataset(pa.table({name: pa.array(plain[name][:], pa.string_view()) for name in ("text", "other")}))
    assert TEXT_CALLS[name](views, seed=1).to_list() == TEXT_CALLS[name](plain, seed=1).to_list()


def test_a_task_reads_views() -> None:
    plain = Dataset.from_dict({"text": ["a", "b"], "label": ["no", "yes"]})
    views = Dataset(pa.table({name: pa.array(plain[name][:], pa.string_view()) for name in ("text", "label")}))
    source = MemorySource({("en", "train"): views, ("de", "train"): plain})
    task = Task("mine", ("en", "de"), "en", source, SequenceHead(columns=("text",), labels=("no", "yes")))
    assert task.load("en", "train").to_list() == task.load("de", "train").to_list()
