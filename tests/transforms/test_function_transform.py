"""FunctionTransform: plain functions of a row or of a table as transforms, recorded, undone, serialised by name."""

import json

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from datasets import Dataset

import xquality as xq
from xquality.errors import (
    ColumnError,
    RepeatedTransformError,
    SerialisationError,
    SettingError,
    StreamError,
    TransformError,
)
from xquality.testing import check_transform
from xquality.transforms import FunctionTransform


def shout(row):
    return {"text": row["text"].upper()}


def blank(row, draw, rate):
    return {"text": ""} if draw.uniform("blank") < rate else {}


def long_only(row, least):
    return row if len(row["text"]) >= least else None


def count_letters(row):
    row["letters"] = len(row["text"])  # a row may be changed in place
    return row


def longest(table, n):
    lengths = pc.utf8_length(table["text"])
    return table.take(pc.sort_indices(lengths, [("", "descending")])[:n])


def swap(table, draw):
    order = pa.array(draw.order("swap"))
    return pa.table({"uid": table["uid"].take(order), "text": pc.utf8_upper(table["text"].take(order))})


EXAMPLES = (
    FunctionTransform(shout, columns=("text",)),
    FunctionTransform(shout),
    FunctionTransform(blank, columns=["text"], settings={"rate": 0.4}, random=True, stream=2),
    FunctionTransform(long_only, columns=(), settings={"least": 50}),
    FunctionTransform(count_letters, columns=(), adds={"letters": "int64"}),
    FunctionTransform(swap, columns=("text",), random=True, per_row=False),
)


@pytest.mark.parametrize("transform", EXAMPLES, ids=repr)
def test_the_laws_hold(transform: FunctionTransform, spanish: Dataset) -> None:
    check_transform(transform, spanish)


def test_a_function_of_a_row_changes_what_it_returns_and_first_values_are_kept(spanish: Dataset) -> None:
    loud = FunctionTransform(shout, columns=("text",))(spanish, seed=1)
    assert loud["text"][:] == [text.upper() for text in spanish["text"]]
    assert loud["text_before"][:] == spanish["text"][:]
    assert loud.column_names == [*spanish.column_names, "text_before"]
    record = xq.history(loud)[-1]
    assert (record.transform, record.changed, record.realised_rate) == ("shout", 200, 1.0)
    assert record.settings["function"] == {"function": "shout"}


def test_none_drops_the_row_and_the_record_counts_it(spanish: Dataset) -> None:
    kept = FunctionTransform(long_only, columns=(), settings={"least": 50})(spanish, seed=1)
    assert kept["text"][:] == [text for text in spanish["text"] if len(text) >= 50]
    assert kept.column_names == spanish.column_names
    record = xq.history(kept)[-1]
    assert record.details == {"dropped": 200 - len(kept)}
    assert record.settings["settings"] == [["least", 50]]


def test_random_numbers_belong_to_the_row(spanish: Dataset) -> None:
    noise = FunctionTransform(blank, columns=("text",), settings={"rate": 0.4}, random=True)
    blanks = {row["uid"] for row in noise(spanish, seed=1) if not row["text"]}
    assert 50 < len(blanks) < 110
    assert {row["uid"] for row in noise(spanish.shuffle(seed=3), seed=1) if not row["text"]} == blanks
    assert {row["uid"] for row in noise(spanish, seed=2) if not row["text"]} != blanks

    def shuffle_words(row, draw):
        return {"text": " ".join(draw.generator("order").permutation(row["text"].split()))}

    shuffled = FunctionTransform(shuffle_words, columns=("text",), random=True)
    assert xq.digest(shuffled(spanish, seed=1)) == xq.digest(shuffled(spanish, seed=1))
    assert sorted(shuffled(spanish, seed=1)["text"][0].split()) == sorted(spanish["text"][0].split())


def test_a_function_of_a_table_sees_all_rows(spanish: Dataset) -> None:
    kept = FunctionTransform(longest, columns=(), settings={"n": 5}, per_row=False)(spanish, seed=1)
    assert sorted(map(len, kept["text"])) == sorted(map(len, spanish["text"]))[-5:]
    assert kept["uid"][:] == sorted(kept["uid"])  # rows keep their order
    with pytest.raises(StreamError, match="function of all rows"):
        FunctionTransform(longest, per_row=False, settings={"n": 5})(spanish.to_iterable_dataset(), seed=1)


def test_added_columns_have_the_declared_type(spanish: Dataset) -> None:
    counted = FunctionTransform(count_letters, columns=(), adds={"letters": "int32"})
    assert counted(spanish, seed=1)["letters"][:] == [len(text) for text in spanish["text"]]
    assert counted(spanish, seed=1).features["letters"].dtype == "int32"
    assert counted(spanish.select([]), seed=1).column_names == [*spanish.column_names, "letters"]
    with pytest.raises(ColumnError, match="which the data have"):
        counted(counted(spanish, seed=1), seed=2)


def test_functions_are_told_apart_by_name_and_a_second_call_is_refused(spanish: Dataset) -> None:
    loud = FunctionTransform(shout, columns=("text",))(spanish, seed=1)
    FunctionTransform(long_only, columns=(), settings={"least": 3})(loud, seed=1)
    with pytest.raises(RepeatedTransformError, match="earlier shout"):
        FunctionTransform(shout, columns=("text",))(loud, seed=1)
    twice = FunctionTransform(shout, ("text",)) >> FunctionTransform(shout, ("text",), name="again")
    assert [record.transform for record in xq.history(twice(spanish, seed=1))] == ["shout", "again"]


def test_values_compare_and_print_without_addresses() -> None:
    first = FunctionTransform(blank, settings={"rate": 0.2, "marks": ["a", "b"]}, random=True)
    assert first == FunctionTransform(blank, settings=(("rate", 0.2), ("marks", ("a", "b"))), random=True)
    assert first != FunctionTransform(blank, settings={"rate": 0.2, "marks": ["a"]}, random=True)
    assert len({first, FunctionTransform(shout), FunctionTransform(shout, version=2)}) == 3
    assert repr(first).startswith("FunctionTransform(function=blank, columns=None, settings=(('marks', ('a', 'b'))")


def test_json_names_the_function_and_reading_needs_it() -> None:
    noise = FunctionTransform(blank, columns=("text",), settings={"rate": 0.4}, random=True)
    written = json.loads(json.dumps(noise.to_dict()))
    assert xq.from_dict(written, known=(shout, blank)) == noise
    both = json.loads(json.dumps((noise >> xq.Subsample(n=3)).to_dict()))
    assert xq.from_dict(both, known=[blank]) == noise >> xq.Subsample(n=3)
    for known in ((), (shout,)):
        with pytest.raises(SerialisationError, match="names the function 'blank' but does not hold"):
            xq.from_dict(written, known=known)
    with pytest.raises(SerialisationError, match="lambda"):
        FunctionTransform(lambda row: row, name="same").to_dict()


@pytest.mark.parametrize(
    "settings",
    [
        {"function": "shout"},
        {"function": lambda row: row},
        {"columns": ("uid",)},
        {"columns": "text"},
        {"settings": {"rate": object()}},
        {"settings": 3},
        {"adds": {"length": "number"}},
        {"adds": ["length"]},
        {"per_row": 1},
        {"version": 0},
    ],
)
def test_bad_settings_are_refused(settings) -> None:
    with pytest.raises(SettingError):
        FunctionTransform(**{"function": shout, **settings})


def test_what_a_function_may_not_return_is_refused(spanish: Dataset) -> None:
    def returns(value):
        def function(row):
            return value

        return function

    for value, columns, fault in (
        ("text", ("text",), TransformError),
        ({"text": "x"}, (), TransformError),  # not declared
        ({"uid": 3}, None, TransformError),
        ({"more": 1}, ("text",), TransformError),
        ({"text": 3}, ("text",), ColumnError),
        ({"label": "sport"}, None, ColumnError),
    ):
        with pytest.raises(fault):
            FunctionTransform(returns(value), columns)(spanish, seed=1)
    with pytest.raises(ColumnError):
        FunctionTransform(shout, columns=("passage",))(spanish, seed=1)
    nulls = Dataset.from_dict({"text": ["a", None]})
    with pytest.raises(ColumnError, match="could not be undone"):
        FunctionTransform(returns({"text": "x"}), columns=("text",))(nulls, seed=1)

    for result in (None, pa.table({"text": ["a"]}), pa.table({"uid": [0, 0]}), pa.table({"uid": [999]})):
        with pytest.raises(TransformError):
            FunctionTransform(returns(result), per_row=False)(spanish, seed=1)
