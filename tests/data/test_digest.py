"""The digest says whether two datasets hold the same rows, however they are stored and whoever asks."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from datasets import (
    ClassLabel,
    Dataset,
    DatasetDict,
    Features,
    LargeList,
    List,
    Value,
    concatenate_datasets,
    load_from_disk,
)
from hypothesis import given
from hypothesis import strategies as st

from xquality.data.digest import digest
from xquality.errors import DataKindError

FEATURES = Features(
    {
        "text": Value("string"),
        "label": ClassLabel(names=["no", "yes"]),
        "number": Value("int64"),
        "share": Value("float64"),
        "good": Value("bool"),
        "tokens": List(Value("string")),
        "answers": {"text": List(Value("string")), "start": Value("int32")},
        "spans": List({"name": Value("string"), "places": List(Value("int64"))}),
    }
)

maybe = st.none()
texts = maybe | st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
integers = maybe | st.integers(-(2**63), 2**63 - 1)
rows = st.fixed_dictionaries(
    {
        "text": texts,
        "label": maybe | st.integers(-1, 1),
        "number": integers,
        "share": maybe | st.floats(allow_nan=False),
        "good": maybe | st.booleans(),
        "tokens": maybe | st.lists(texts, max_size=3),
        "answers": maybe
        | st.fixed_dictionaries(
            {"text": maybe | st.lists(texts, max_size=2), "start": maybe | st.integers(-(2**31), 2**31 - 1)}
        ),
        "spans": maybe
        | st.lists(
            maybe | st.fixed_dictionaries({"name": texts, "places": maybe | st.lists(integers, max_size=2)}), max_size=2
        ),
    }
)
tables = st.lists(rows, max_size=6)


def made(chosen: list[dict[str, Any]], features: Features = FEATURES) -> Dataset:
    return Dataset.from_dict({name: [row[name] for row in chosen] for name in features}, features=features)


def sample() -> Dataset:
    """Ten rows with nulls at every depth, the same in every process."""
    return made(
        [
            {
                "text": None if row == 3 else f"na\u00efve {row} \u4f60" * (row % 3),
                "label": (row % 3) - 1,
                "number": None if row == 4 else 10**row,
                "share": None if row == 5 else row / 7,
                "good": None if row == 6 else row % 2 == 0,
                "tokens": None if row == 7 else ["a", None, "bc"][: row % 4],
                "answers": None if row == 8 else {"text": ["x"] * (row % 2), "start": None if row == 2 else row},
                "spans": None if row == 9 else [{"name": f"n{row}", "places": [row, None]}, None][: row % 3],
            }
            for row in range(10)
        ]
    )


def rechunked(data: Dataset, width: int) -> Dataset:
    table = data.data.table
    parts = [table.slice(start, width) for start in range(0, len(table), width)]
    return Dataset(pa.concat_tables(parts), info=data.info)


def test_the_digest_of_known_rows_never_changes_silently() -> None:
    assert digest(sample()) == "02e8a0bcc69bf2f2854d87d9b56710f0"


@given(tables, st.randoms(use_true_random=False))
def test_storage_does_not_count(chosen: list[dict[str, Any]], luck: Any) -> None:
    data = made(chosen)
    wanted = digest(data)
    order = list(range(len(data)))
    luck.shuffle(order)
    back = sorted(order, key=order.__getitem__)
    assert digest(data.select(order).select(back)) == wanted
    if chosen:
        cut = luck.randrange(len(chosen))
        assert digest(rechunked(data, cut or 1)) == wanted
        assert digest(concatenate_datasets([data.select(range(cut)), data.select(range(cut, len(data)))])) == wanted
    around = made([*chosen[-1:], *chosen, *chosen[:1]])
    ends = len(chosen[-1:])
    assert digest(around.select(range(ends, ends + len(chosen)))) == wanted  # a slice of a longer table


@given(st.lists(rows, min_size=1, max_size=4), rows, st.sampled_from(list(FEATURES)), st.integers(0, 3))
def test_the_digest_changes_exactly_when_a_cell_changes(
    chosen: list[dict[str, Any]], other: dict[str, Any], name: str, row: int
) -> None:
    place = row % len(chosen)
    first = made(chosen)
    second = made([*chosen[:place], {**chosen[place], name: other[name]}, *chosen[place + 1 :]])
    # Written out, since -0.0 equals 0.0 in Python but is another value.
    assert (digest(first) == digest(second)) == (repr(first.to_list()) == repr(second.to_list()))


@given(st.lists(texts, max_size=8))
def test_string_widths_do_not_count(chosen: list[str | None]) -> None:
    small, large = (
        Dataset(pa.table({"text": pa.array(chosen, kind)}), fingerprint="f")
        for kind in (pa.string(), pa.large_string())
    )
    assert small.features != large.features
    assert digest(small) == digest(large)


def test_bytes_that_lie_under_a_null_do_not_count() -> None:
    under = pa.Array.from_buffers(pa.int64(), 3, [pa.py_buffer(b"\x05"), pa.array([1, 99, 3]).buffers()[1]])
    assert under.to_pylist() == [1, None, 3]
    assert digest(Dataset(pa.table({"n": under}))) == digest(Dataset(pa.table({"n": pa.array([1, None, 3])})))


@pytest.mark.parametrize("pieces", [1, 3])
def test_saving_to_disk_does_not_count(pieces: int, tmp_path: Path) -> None:
    for name, data in {"whole": sample(), "selected": sample().select([7, 2, 3, 3])}.items():
        data.save_to_disk(str(tmp_path / name), num_shards=pieces)
        assert digest(load_from_disk(str(tmp_path / name))) == digest(data)


def test_a_parquet_round_trip_does_not_count(tmp_path: Path) -> None:
    sample().to_parquet(str(tmp_path / "rows.parquet"), batch_size=3)
    again = Dataset.from_parquet(str(tmp_path / "rows.parquet"), cache_dir=str(tmp_path / "cache"))
    assert digest(again) == digest(sample())


def test_a_format_a_description_and_a_split_name_do_not_count() -> None:
    data = sample()
    wanted = digest(data)
    assert digest(data.with_format("numpy", columns=["label"])) == wanted
    data.info.description = "new"
    assert digest(data) == wanted
    assert digest(Dataset(data.data, info=data.info, split="train")) == wanted


def changed(row: int, **values: Any) -> Dataset:
    rows = sample().to_list()
    rows[row].update(values)
    return made(rows)


OTHERS: dict[str, Callable[[], Dataset]] = {
    "a letter": lambda: changed(1, text="na\u00efvE 1 \u4f60"),
    "a value that became null": lambda: changed(1, text=None),
    "a null that became empty": lambda: changed(3, text=""),
    "a null that became zero": lambda: changed(4, number=0),
    "a null that became False": lambda: changed(6, good=False),
    "a null list that became empty": lambda: changed(7, tokens=[]),
    "a null struct with null members": lambda: changed(8, answers={"text": None, "start": None}),
    "an element that became null": lambda: changed(3, tokens=["a", None, None]),
    "a border between elements": lambda: changed(3, tokens=["a", "b", "c"]),
    "a value deep inside": lambda: changed(4, spans=[{"name": "n4", "places": [5, None]}]),
    "a label": lambda: changed(0, label=0),
    "the last bit of a float": lambda: changed(1, share=float(np.nextafter(1 / 7, 1))),
    "the order of rows": lambda: sample().select([1, 0, *range(2, 10)]),
    "a row less": lambda: sample().select(range(9)),
    "a row twice": lambda: sample().select([*range(10), 9]),
    "a column's name": lambda: sample().rename_column("text", "texts"),
    "a column less": lambda: sample().remove_columns("good"),
    "the order of columns": lambda: sample().select_columns([*list(FEATURES)[::-1]]),
    "a class name": lambda: sample().cast(Features({**FEATURES, "label": ClassLabel(names=["no", "si"])})),
    "the order of class names": lambda: sample().cast(Features({**FEATURES, "label": ClassLabel(names=["yes", "no"])})),
    "class numbers without names": lambda: sample().cast(Features({**FEATURES, "label": Value("int64")})),
    "a width of numbers": lambda: sample().cast(
        Features({**FEATURES, "answers": {"text": List(Value("string")), "start": Value("int64")}})
    ),
}


@pytest.mark.parametrize("what", OTHERS)
def test_another_content_has_another_digest(what: str) -> None:
    assert digest(OTHERS[what]()) != digest(sample())


def test_text_that_moves_between_rows_or_columns_counts() -> None:
    made = [
        Dataset.from_dict({"a": a, "b": b})
        for a, b in ((["ab", "c"], ["", ""]), (["a", "bc"], ["", ""]), (["", ""], ["ab", "c"]), (["abc", ""], ["", ""]))
    ]
    assert len(set(map(digest, made))) == 4


def test_rows_without_values_are_counted() -> None:
    assert len({digest(Dataset(pa.table({"n": pa.nulls(size)}))) for size in range(3)}) == 3


@pytest.mark.parametrize(
    "array",
    [
        pa.array([dt.datetime(2020, 1, 1), None]),  # noqa: DTZ001 (Arrow's own plain time)
        pa.array([dt.timedelta(days=1), None]),
        pa.array([b"ab", None]),
        pa.array([1.5, None], pa.float16()),
        pa.array([2**64 - 1, None], pa.uint64()),
        pa.array([[1, 2], None], pa.list_(pa.int64(), 2)),
        pa.array([["a"], None], pa.large_list(pa.string())),
    ],
    ids=lambda array: str(array.type),
)
def test_rarer_types_are_read_by_value_too(array: pa.Array) -> None:
    def of(values: pa.Array) -> str:
        return digest(Dataset(pa.table({"x": values})))

    assert of(pa.concat_arrays([array, array]).slice(2)) == of(array)
    assert len({of(array), of(array.take([1, 0])), of(array.take([0, 0]))}) == 3


def test_a_large_list_is_another_feature_but_has_a_digest() -> None:
    data = made([{"tokens": ["a", None]}, {"tokens": []}], Features({"tokens": LargeList(Value("string"))}))
    assert digest(rechunked(data, 1)) == digest(data)


def test_every_process_gives_the_same_digest(run_python: Callable[..., str]) -> None:
    program = (
        f"import importlib.util as util; spec = util.spec_from_file_location('other', {__file__!r}); "
        "module = util.module_from_spec(spec); spec.loader.exec_module(module); print(module.digest(module.sample()))"
    )
    assert {run_python(program, PYTHONHASHSEED=seed) for seed in ("1", "2")} == {digest(sample())}


@pytest.mark.parametrize("data", [{}, [1], None, DatasetDict()])
def test_a_digest_is_of_one_split(data: Any) -> None:
    with pytest.raises(DataKindError, match="one split"):
        digest(data)
    with pytest.raises(DataKindError):
        digest(sample().to_iterable_dataset())


def test_decimals_dates_and_times_are_told_by_value() -> None:
    from datetime import date, time
    from decimal import Decimal

    def of(amount: str, day: int, minute: int) -> str:
        table = pa.table(
            {
                "amount": pa.array([Decimal(amount), None], pa.decimal128(10, 2)),
                "day": pa.array([date(2020, 1, day), None]),
                "at": pa.array([time(1, minute), None], pa.time32("s")),
            }
        )
        return digest(Dataset(table))

    assert of("1.50", 2, 3) == of("1.50", 2, 3)
    assert len({of("1.50", 2, 3), of("1.51", 2, 3), of("1.50", 3, 3), of("1.50", 2, 4)}) == 4


def test_a_table_without_rows_has_one_digest_whatever_its_chunks() -> None:
    table = sample().data.table
    empty = table.schema.empty_table()
    variants = [
        empty,
        table.slice(0, 0),
        pa.concat_tables([empty, table.slice(3, 0)]),
        table.filter(pa.array([False] * 10)),
    ]
    variants.append(pa.Table.from_batches([], table.schema))
    assert len({digest(Dataset(variant)) for variant in variants}) == 1
    assert digest(Dataset(empty)) == digest(sample().select([])) != digest(sample().select([0]))
