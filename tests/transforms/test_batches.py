"""`transform.batches(seed)`: a function of Arrow tables for other engines, which gives the rows that a call gives."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import pyarrow as pa
import pytest
from conftest import EXAMPLES, EXAMPLES_WITH_ROWS, toy_rows
from datasets import ClassLabel, Dataset, Features

import xquality as xq
from xquality import toy
from xquality.data._datasets import table_of
from xquality.errors import ColumnError, DataKindError, LabelError, SettingError, StreamError, UidError
from xquality.transforms import Transform

SPOIL = xq.LabelNoise(0.3, exact=False) >> xq.Subsample(fraction=0.6, exact=False) >> xq.LabelNoise(0.1, exact=False)


def by_uid(table: pa.Table) -> pa.Table:
    return table.sort_by("uid").combine_chunks().replace_schema_metadata(None)


def slices(table: pa.Table, rows: int) -> list[pa.Table]:
    return [table.slice(start, rows) for start in range(0, len(table), rows)]


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_batches_of_any_size_and_order_give_the_rows_of_a_call(spanish: Dataset, rows: int) -> None:
    function = SPOIL.batches(1)
    batches = slices(table_of(spanish.shuffle(seed=5)), rows)
    found = pa.concat_tables([function(batch) for batch in batches])
    wanted = SPOIL(spanish, seed=1)
    assert by_uid(found).equals(by_uid(table_of(wanted)))
    assert Features.from_arrow_schema(found.schema) == wanted.features


def test_other_processes_give_the_rows_of_a_call() -> None:
    cases: list[tuple[Transform | xq.Compose, Dataset]] = [
        *((transform, xq.with_uid(toy_rows())) for transform in EXAMPLES if transform.why_all_rows() is None),
        *(
            (transform, xq.with_uid(load()))
            for transform, load in EXAMPLES_WITH_ROWS
            if transform.why_all_rows() is None
        ),
        (SPOIL, toy.topics.load("es", "validation")),
    ]
    assert len(cases) > 12
    # Neither this process's state nor its random state goes along: the others are new ones.
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        for transform, data in cases:
            parts = list(pool.map(transform.batches(3), slices(table_of(data.shuffle(seed=2)), 40)))
            wanted = table_of(transform(data, seed=3))
            assert by_uid(pa.concat_tables(parts)).equals(by_uid(wanted)), transform


@pytest.mark.parametrize("num_proc", [None, 2])
def test_map_of_the_datasets_library_gives_the_rows_and_the_features_of_a_call(
    spanish: Dataset, num_proc: int | None
) -> None:
    mapped = spanish.with_format("arrow").map(SPOIL.batches(1), batched=True, batch_size=23, num_proc=num_proc)
    wanted = SPOIL(spanish, seed=1)
    assert mapped.features == wanted.features
    assert mapped.with_format(None).to_list() == wanted.to_list()


def test_features_are_given_where_an_engine_drops_the_metadata(spanish: Dataset) -> None:
    bare = table_of(spanish).replace_schema_metadata(None)
    noise = xq.LabelNoise(0.3, exact=False)
    with pytest.raises(LabelError, match="class names"):
        noise.batches(1)(bare)
    turned = bare.select(list(reversed(bare.column_names)))
    found = noise.batches(1, features=spanish.features)(turned)
    assert by_uid(found).equals(by_uid(table_of(noise(spanish, seed=1))))
    assert isinstance(Features.from_arrow_schema(found.schema)["label"], ClassLabel)
    with pytest.raises(ColumnError, match="the batch has the columns"):
        noise.batches(1, features=spanish.features)(bare.drop_columns(["text"]))
    with pytest.raises(ColumnError, match="do not fit"):
        noise.batches(1, features=spanish.features)(
            bare.set_column(bare.column_names.index("label"), "label", pa.array(["a"] * len(bare)))
        )


def test_no_rows_give_the_right_columns(spanish: Dataset) -> None:
    found = SPOIL.batches(1)(table_of(spanish).slice(0, 0))
    assert Features.from_arrow_schema(found.schema) == SPOIL(spanish, seed=1).features


def test_what_needs_all_rows_says_why_and_what_to_do(spanish: Dataset) -> None:
    for call in (xq.LabelNoise(0.3), SPOIL >> xq.LabelNoise(0.3)):
        with pytest.raises(StreamError, match="counts all rows, which a batch does not show; set exact=False"):
            call.batches(1)
    with pytest.raises(StreamError, match="compares each row with all others"):
        xq.Deduplicate().batches(1)


def test_a_batch_without_uids_is_refused_since_its_rows_have_no_numbers(spanish: Dataset) -> None:
    with pytest.raises(UidError, match=r"xq\.with_uid"):
        SPOIL.batches(1)(table_of(spanish).drop_columns(["uid"]))
    with pytest.raises(UidError, match="null"):
        SPOIL.batches(1)(pa.table({"uid": pa.array([None, 1], pa.int64())}))
    with pytest.raises(DataKindError, match=r"pyarrow\.Table"):
        SPOIL.batches(1)(spanish)
    with pytest.raises(SettingError):
        SPOIL.batches("1")
