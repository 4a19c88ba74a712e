"""Every row has one uid: assigned once, unique after concatenation, never shared by two rows."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from datasets import Dataset, DatasetDict, Value
from hypothesis import given, settings
from hypothesis import strategies as st

import xquality as xq
from xquality import toy
from xquality.data.uids import check_uids, concatenate, with_uid
from xquality.errors import ColumnError, DataKindError, SettingError, UidError


def data(**columns: list[Any]) -> Dataset:
    return Dataset.from_dict({"text": list("abc"), **columns})


def test_the_uid_is_the_row_number_in_a_last_column() -> None:
    numbered = with_uid(data())
    assert numbered.column_names == ["text", "uid"]
    assert numbered["uid"][:] == [0, 1, 2]
    assert data().column_names == ["text"]


def test_the_number_is_that_of_the_selected_row() -> None:
    assert with_uid(data().select([2, 0])).to_list() == [{"text": "c", "uid": 0}, {"text": "a", "uid": 1}]
    assert with_uid(data()).select([2, 0])["uid"][:] == [2, 0]


@pytest.mark.parametrize("ids", [[7, -3, 2**62], ["x", "", "\u00e9"]])
def test_an_id_column_is_copied(ids: list[Any]) -> None:
    numbered = with_uid(data(id=ids), "id")
    assert numbered["uid"][:] == numbered["id"][:] == ids


@pytest.mark.parametrize(
    ("kind", "stored"), [(pa.int8(), pa.int64()), (pa.uint16(), pa.int64()), (pa.large_string(), pa.string())]
)
def test_ids_of_every_width_become_one_type(kind: pa.DataType, stored: pa.DataType) -> None:
    ids = pa.array([1, 2, 3]).cast(kind)
    assert with_uid(Dataset(pa.table({"id": ids})), "id").data.table.schema.field("uid").type == stored


def test_assigning_the_same_uids_again_changes_nothing() -> None:
    numbered = with_uid(data())
    assert with_uid(numbered) is numbered
    named = with_uid(data(id=["x", "y", "z"]), "id")
    assert with_uid(named, "id") is named


def test_assigning_other_uids_is_refused() -> None:
    with pytest.raises(UidError, match="other uids"):
        with_uid(with_uid(data()).select([2, 0]))
    with pytest.raises(UidError, match="other uids"):
        with_uid(with_uid(data(id=["x", "y", "z"])), "id")


@pytest.mark.parametrize(
    "ids", [[1, 1, 2], ["x", "y", "x"], [1, None, 2], ["x", None, "y"], [0.5, 1.5, 2.5], [[1], [2], [3]]]
)
def test_ids_that_are_not_unique_are_refused(ids: list[Any]) -> None:
    with pytest.raises(UidError):
        with_uid(data(id=ids), "id")


def test_a_repeated_uid_is_named_with_its_count() -> None:
    with pytest.raises(UidError, match="3 rows have 'x'"):
        check_uids(pa.chunked_array([["x", "y"], ["x", "x", "z", "z"]]))


def test_a_missing_id_column_is_refused() -> None:
    with pytest.raises(ColumnError, match=r"xq\.with_uid reads the column 'id'"):
        with_uid(data(), "id")


@pytest.mark.parametrize("value", [DatasetDict(), None, [{"text": "a"}]])
def test_only_one_split_gets_uids(value: Any) -> None:
    with pytest.raises(DataKindError, match="one split"):
        with_uid(value)


def test_names_of_parts_make_uids_unique() -> None:
    joined = concatenate([data(), with_uid(data()).select([2, 0])], names=["news", "web"])
    assert joined["uid"][:] == ["news/0", "news/1", "news/2", "web/2", "web/0"]
    assert joined["text"][:] == ["a", "b", "c", "c", "a"]


def test_a_row_keeps_its_draw_whatever_it_is_concatenated_with() -> None:
    noise = xq.Subsample(fraction=0.5, exact=False)
    rows = Dataset.from_dict({"text": [str(row) for row in range(200)]})
    alone = noise(concatenate([rows], names=["news"]), seed=1)
    joined = noise(concatenate([data(), rows.shuffle(seed=1)][::-1], names=["mixed", "other"]), seed=1)
    both = noise(concatenate([data(), rows], names=["other", "news"]), seed=1)
    assert {uid for uid in both["uid"] if uid.startswith("news/")} == set(alone["uid"])
    assert {uid.removeprefix("mixed/") for uid in joined["uid"]} != {uid.removeprefix("news/") for uid in alone["uid"]}


def test_parts_without_names_keep_their_uids_and_must_not_share_any() -> None:
    first, second = with_uid(data()).select([0, 1]), with_uid(data()).select([2])
    assert concatenate([second, first])["uid"][:] == [2, 0, 1]
    with pytest.raises(UidError, match=r"same uid in several parts .*names="):
        concatenate([data(), data()])
    with pytest.raises(UidError, match="2 rows have 0"):
        concatenate([second, first.select([0, 0])])


def test_the_history_of_a_concatenation_holds_the_histories_of_its_parts() -> None:
    part = xq.Subsample(n=2)(data(), seed=3)
    (record,) = xq.history(concatenate([part, data()], names=["few", "all"]))
    assert (record.transform, record.rows_before, record.rows_after) == ("concatenate", 5, 5)
    assert record.settings["names"] == ["few", "all"]
    few, rest = record.settings["parts"]
    assert [record["transform"] for record in few] == ["Subsample"]
    assert few[0]["seed"] == 3
    assert rest == []
    assert record.digest == xq.digest(concatenate([part, data()], names=["few", "all"]))


@pytest.mark.parametrize("names", [["a"], ["a", "a"], ["a", "b", "c"]])
def test_every_part_needs_its_own_name(names: list[str]) -> None:
    with pytest.raises(SettingError, match="one name for each of 2 parts"):
        concatenate([data(), data()], names=names)


@pytest.mark.parametrize("parts", [[], data(), [data(), None], [DatasetDict()]])
def test_only_a_list_of_datasets_is_concatenated(parts: Any) -> None:
    with pytest.raises(DataKindError, match="list of Datasets"):
        concatenate(parts)


def test_parts_with_other_features_are_refused() -> None:
    with pytest.raises(DataKindError, match="equal features"):
        concatenate([data(), data(text=[1, 2, 3])], names=["a", "b"])


def test_an_old_uid_column_is_checked_when_it_is_named() -> None:
    with pytest.raises(UidError):
        with_uid(Dataset.from_dict({"uid": [1, 1, 2]}), "uid")
    data = with_uid(Dataset.from_dict({"uid": [5, 3, 2]}), "uid")
    assert data["uid"][:] == [5, 3, 2]


def test_ids_beyond_63_bits_become_strings() -> None:
    import pyarrow as pa

    data = Dataset(pa.table({"id": pa.array([2**63 + 1, 2**63 + 2, 1], pa.uint64())}))
    assert with_uid(data, "id")["uid"][:] == [str(2**63 + 1), str(2**63 + 2), "1"]


def test_integers_and_strings_among_the_uids_are_refused_by_name() -> None:
    numbers = with_uid(Dataset.from_dict({"id": [1]}), "id")
    words = with_uid(Dataset.from_dict({"id": [2], "name": ["a"]}), "name").remove_columns("name")
    with pytest.raises(UidError, match="names="):
        concatenate([numbers, words])


PART = Dataset.from_dict(
    {"text": list("abcdefgh"), "label": [0, 1] * 4, "tokens": [["x"] * (row % 3) for row in range(8)]}
)


def below(part: Dataset, way: str) -> Dataset:
    """The same rows below another kind of mapping, or none."""
    if way == "filter":
        return part.filter(lambda row: row["uid"] % 10 != 3)
    return {"select": part, "flatten": part.flatten_indices(), "shuffle": part.shuffle(seed=1)}[way]


@given(
    choices=st.lists(st.lists(st.integers(0, 7), unique=True, max_size=8), min_size=1, max_size=4),
    ways=st.lists(st.sampled_from(["select", "filter", "flatten", "shuffle"]), min_size=4, max_size=4),
    named=st.booleans(),
)
@settings(max_examples=25)
def test_parts_are_joined_row_by_row_below_any_indices_mapping(
    choices: list[list[int]], ways: list[str], named: bool
) -> None:
    ids = [PART.add_column("uid", list(range(10 * number, 10 * number + 8))) for number in range(len(choices))]
    parts = [below(part.select(rows), way) for part, rows, way in zip(ids, choices, ways, strict=False)]
    names = [str(number) for number in range(len(parts))] if named else None
    wanted = [row for part in parts for row in part.to_list()]
    found = concatenate(parts, names).to_list()
    if named:
        uids = [f"{number}/{row['uid']}" for number, part in enumerate(parts) for row in part.to_list()]
        wanted = [row | {"uid": uid} for row, uid in zip(wanted, uids, strict=True)]
    assert found == wanted


def test_a_column_that_a_part_lacks_is_never_filled_up() -> None:
    whole = Dataset.from_dict({"text": ["a"], "label": [1], "weight": [0.5]})
    for name in ("label", "weight", "text"):
        for parts in (
            [whole, whole.remove_columns(name)],
            [whole.remove_columns(name), whole],
            [whole, whole.remove_columns(name).select([])],
        ):
            with pytest.raises(DataKindError, match=rf"equal features, but part [01] .* lacks \['{name}'\]"):
                concatenate(parts, names=["a", "b"])


def test_what_a_transform_kept_is_null_on_rows_that_it_did_not_see() -> None:
    clean = toy.topics.load("es", "train").select(range(20))
    noisy, other = xq.LabelNoise(0.5)(clean, seed=1), toy.topics.load("de", "train").select(range(5))
    for parts in ([noisy, other], [other, noisy]):
        joined = concatenate(parts, names=["a", "b"])
        assert sum(value is not None for value in joined["label_before"]) == 10
        assert set(joined.column_names) == set(noisy.column_names)
    flagged = other.add_column("label_issue", [True] * 5)
    assert (
        concatenate([noisy.remove_columns("label_before"), flagged], names=["a", "b"])["label_issue"][:]
        == [None] * 20 + [True] * 5
    )
    with pytest.raises(DataKindError, match="lacks"):
        concatenate([flagged.rename_column("label_issue", "label_after"), other], names=["a", "b"])


def test_columns_in_another_order_or_without_values_are_joined_by_name() -> None:
    first = Dataset.from_dict({"text": ["a"], "note": [None]})
    second = Dataset.from_dict({"note": ["n"], "text": ["b"]})
    for parts in ([first, second], [second, first]):
        joined = concatenate(parts, names=["x", "y"])
        assert joined.features["note"] == Value("string")
        assert sorted(zip(joined["text"], joined["note"], strict=True)) == [("a", None), ("b", "n")]


@pytest.mark.parametrize("names", ["ab", [1, 2], {"a": 1, "b": 2}, ["a", ""], iter(["a", "b"])])
def test_names_are_a_list_of_strings(names: Any) -> None:
    with pytest.raises(SettingError):
        concatenate([data(), data()], names=names)


UIDS = {
    "date32": pa.array([dt.date(2020, 1, 1), dt.date(2020, 1, 2)]),
    "time": pa.array([dt.time(1), dt.time(2)]),
    "float": pa.array([1.0, 2.0]),
    "bool": pa.array([True, False]),
    "bytes": pa.array([b"a", b"b"]),
    "list": pa.array([["a"], ["b"]]),
    "struct": pa.array([{"a": 1}, {"a": 2}]),
    "null": pa.nulls(2),
    "decimal": pa.array([Decimal(1), Decimal(2)]),
    "a null among strings": pa.array(["a", None], pa.string_view()),
}
CALLS = {
    "with_uid": lambda made: with_uid(made.rename_column("uid", "id"), "id"),
    "concatenate": lambda made: concatenate([made]),
    "concatenate with names": lambda made: concatenate([made], names=["a"]),
    "a transform": lambda made: xq.Subsample(n=1)(made, seed=1),
    "a stream": lambda made: list(xq.Subsample(fraction=0.5, exact=False)(made.to_iterable_dataset(), seed=1)),
    "batches": lambda made: xq.Subsample(fraction=0.5, exact=False).batches(1)(made.data.table),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", UIDS)
def test_a_uid_of_another_type_is_a_typed_error_everywhere(kind: str, call: str) -> None:
    made = Dataset(pa.table({"text": ["a", "b"], "uid": UIDS[kind]}))
    with pytest.raises(UidError):
        CALLS[call](made)


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]
)
def test_strings_of_any_storage_are_the_same_uids(kind: pa.DataType) -> None:
    whole = Dataset(
        pa.table({"text": list("abcdef"), "uid": pa.array([f"row {number}" for number in range(6)]).cast(kind)})
    )
    for call in (lambda made: xq.Subsample(n=3)(made, seed=1), lambda made: concatenate([made.select([4, 2, 0])])):
        plain = call(Dataset.from_list(whole.to_list()))
        assert call(whole)["uid"][:] == plain["uid"][:]
