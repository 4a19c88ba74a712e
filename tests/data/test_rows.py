"""What a transform sees: columns by name, labels it can trust, first values that are kept once."""

from typing import Any

import datasets
import numpy as np
import pyarrow as pa
import pytest
from datasets import ClassLabel, Dataset, Features, Value

from xquality.data._datasets import table_of
from xquality.data.rows import Count, Distinct, merge_changes
from xquality.errors import ColumnError, LabelError, TransformError
from xquality.transforms import Change, Rows

FEATURES = Features({"text": Value("string"), "label": ClassLabel(names=["no", "yes", "maybe"])})


def rows(labels: list[int | None], features: Features = FEATURES) -> Rows:
    data = Dataset.from_dict({"text": [f"t{row}" for row in range(len(labels))], "label": labels}, features=features)
    return Rows(table_of(data), data.features, "Noise")


def test_rows_are_counted() -> None:
    assert len(rows([0, 1])) == 2
    assert len(rows([])) == 0


def test_labels_come_as_class_numbers() -> None:
    assert rows([2, 0, 1]).labels("label").tolist() == [2, 0, 1]
    assert rows([]).labels("label").tolist() == []
    assert rows([0]).class_names("label") == ["no", "yes", "maybe"]


@pytest.mark.parametrize(
    ("labels", "why"),
    [([0, -1, -1], "row 1 has -1 .2 such rows."), ([0, None], "1 are null"), ([None, -1], "1 are null")],
)
def test_an_unlabelled_row_is_refused_with_how_many_there_are(labels: list[int | None], why: str) -> None:
    with pytest.raises(LabelError, match=f"Noise needs .*{why}"):
        rows(labels).labels("label")


def test_a_label_beyond_the_classes_is_refused() -> None:
    beyond = Rows(pa.table({"label": [0, 3]}), Features({"label": FEATURES["label"]}), "Noise")
    with pytest.raises(LabelError, match="labels from 0 to 2 in 'label', but row 1 has 3"):
        beyond.labels("label")


ENCODE = "data = data.class_encode_column('x')."


@pytest.mark.parametrize(
    ("values", "whole", "line"),
    [
        ([0, 1, 2, 1], True, "data = data.cast_column('x', datasets.ClassLabel(names=['0', '1', '2']))."),
        ([1, 2, 3, 1], True, ENCODE),
        ([-1, 0, 1], True, ENCODE),
        (["a", "b", "c", "d"], True, ENCODE),
        (["b", "a"], False, "data = data.cast_column('x', datasets.ClassLabel(names=['a', 'b'])), naming all classes."),
        ([1, 2], False, "data = data.cast_column('x', datasets.ClassLabel(names=[...])), naming all classes."),
        ([], False, "data = data.cast_column('x', datasets.ClassLabel(names=[...])), naming all classes."),
    ],
)
def test_a_column_without_class_names_is_refused_with_the_line_that_gives_them(
    values: list[Any], line: str, *, whole: bool
) -> None:
    data = Dataset.from_dict({"x": values})
    table = data.data.table if values else pa.table({"x": pa.array([], pa.int64())})
    with pytest.raises(LabelError) as refused:
        Rows(table, data.features if values else Features({"x": Value("int64")}), "Noise", whole=whole).labels("x")
    assert str(refused.value).endswith(line)
    if whole:  # the line is right
        scope = {"data": data, "datasets": datasets}
        exec(line.removesuffix("."), scope)  # noqa: S102 (a line of the library's own)
        encoded = scope["data"]
        Rows(encoded.data.table, encoded.features, "Noise").class_names("x")


def test_texts_are_class_names_in_their_order() -> None:
    table = pa.table({"x": ["no", "yes", "no", None]})
    found = Rows(table, Features({"x": Value("string")}), "Noise")
    assert found.class_names("x") == ["no", "yes"]
    with pytest.raises(LabelError, match="1 are null"):
        found.labels("x")
    three = Rows(table.slice(0, 3), Features({"x": Value("string")}), "Noise")
    assert three.labels("x").tolist() == [0, 1, 0]
    changed, _ = three.replace("x", pa.array([1, 1, 0]), np.array([True, False, False]))
    assert changed.column("x").to_pylist() == ["yes", "yes", "no"]
    assert changed.column("x_before").to_pylist() == ["no", None, None]


def test_a_single_class_cannot_be_mistaken_for_another() -> None:
    alone = Features({**FEATURES, "label": ClassLabel(names=["no"])})
    with pytest.raises(LabelError, match="two classes or more"):
        rows([0], alone).labels("label")


@pytest.mark.parametrize("ask", [Rows.column, Rows.text, Rows.labels, Rows.class_names])
def test_a_missing_column_is_refused_with_those_there_are(ask: Any) -> None:
    with pytest.raises(ColumnError, match=r"Noise reads the column 'premise', but the data have \['text', 'label'\]"):
        ask(rows([0]), "premise")


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_text_of_any_width_is_text(kind: pa.DataType) -> None:
    table = pa.table({"text": pa.array(["a", None], kind)})
    assert Rows(table, Features({"text": Value("string")}), "Noise").text("text").to_pylist() == ["a", None]


def test_numbers_are_no_text() -> None:
    with pytest.raises(ColumnError, match="the column holds int64; name a string column"):
        rows([0]).text("label")


def replaced(before: Rows, values: list[Any], name: str = "label") -> Rows:
    present = before.column(name).to_pylist()
    where = np.array([one != other for one, other in zip(present, values, strict=True)], np.bool_)
    table, added = before.replace(name, pa.array(values), where)
    return Rows(table, Features({**before.features, **added}), before.owner)


def test_a_replaced_value_keeps_its_first_one_beside_it() -> None:
    after = replaced(rows([0, 1, 2]), [0, 2, 2])
    assert after.column("label").to_pylist() == [0, 2, 2]
    assert after.column("label_before").to_pylist() == [None, 1, None]
    assert after.table.column_names == ["text", "label", "label_before"]
    assert after.features["label_before"] == FEATURES["label"]


def test_the_first_value_is_written_once_and_never_erased() -> None:
    once = replaced(rows([0, 1, 2]), [1, 1, 2])
    twice = replaced(once, [2, 0, 2])
    assert twice.column("label_before").to_pylist() == [0, 1, None]
    back = replaced(twice, [0, 1, 2])
    assert back.column("label").to_pylist() == [0, 1, 2]
    assert back.column("label_before").to_pylist() == [0, 1, None]
    assert back.table.column_names == ["text", "label", "label_before"]


def test_replacing_nothing_adds_an_empty_column_so_that_every_rate_gives_one_schema() -> None:
    after = replaced(rows([0, 1]), [0, 1])
    assert after.column("label_before").to_pylist() == [None, None]
    assert after.column("label_before").type == after.column("label").type


def test_text_is_replaced_as_labels_are() -> None:
    after = replaced(rows([0, 1]), ["t0", "new"], "text")
    assert after.column("text_before").to_pylist() == [None, "t1"]
    assert after.column("text").type == pa.string()


def test_replacing_leaves_the_rows_it_was_asked_of_alone() -> None:
    before = rows([0, 1, 2])
    replaced(before, [1, 2, 0])
    assert before.column("label").to_pylist() == [0, 1, 2]


def test_what_blocks_return_is_merged_as_each_detail_declares() -> None:
    table = rows([0]).table
    earlier = {"kinds": Count({"a": 1}), "seen": Distinct(["es"]), "columns": ["text"]}
    first = Change(table, {"x": Value("bool")}, 2, 2, 5, earlier)
    later = {"kinds": Count({"a": 2, "b": 4}), "seen": Distinct(["de", "es"]), "columns": ["text"]}
    merged = merge_changes("Noise", [first, Change(table, {}, 1, 3, 6, later)], table)
    assert (merged.changed, merged.acted, merged.of, merged.features) == (3, 5, 11, first.features)
    assert merged.record_details() == {"kinds": {"a": 3, "b": 4}, "seen": ["es", "de"], "columns": ["text"]}
    assert merge_changes("Noise", [Change(table), Change(table)], table) == Change(table)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"kept": 3}, {"kept": 4}),  # a number that does not say that it is summed
        ({"kept": Count(3)}, {"kept": 4}),
        ({"kept": Count(3)}, {}),
    ],
)
def test_a_detail_that_differs_between_blocks_and_declares_no_rule_is_refused(first: dict, second: dict) -> None:
    table = rows([0]).table
    with pytest.raises(TransformError, match="declare how the two are merged"):
        merge_changes("Noise", [Change(table, details=first), Change(table, details=second)], table)


def test_a_column_of_first_values_holds_what_its_column_holds() -> None:
    right = Features({**FEATURES, "text_before": Value("string")})
    wrong = Features({**FEATURES, "text_before": Value("int64")})
    table = rows([0]).table
    for features in (FEATURES, right):
        Rows(table, features, "Noise").check_first_values("text")
    with pytest.raises(ColumnError, match="Noise keeps first values in 'text_before'"):
        Rows(table, wrong, "Noise").check_first_values("text")
