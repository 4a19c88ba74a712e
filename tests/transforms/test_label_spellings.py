"""Labels as class names are taken like ClassLabel where the data name the classes; else the error holds the line."""

from typing import Any

import datasets
import pytest
from datasets import ClassLabel, Dataset, Value

import xquality as xq
from xquality import toy
from xquality.errors import ColumnError, LabelError
from xquality.transforms import Transform

MATRIX = tuple(tuple(0.7 if row == column else 0.1 for column in range(4)) for row in range(4))


@pytest.fixture(scope="module")
def classes() -> Dataset:
    """Rows whose classes are in alphabetical order, as those of texts are."""
    data = toy.topics.load("es", "test")
    names = data.features["label"].names
    labels = [names[label] for label in data["label"]]
    plain = data.remove_columns("label").add_column("label", labels)
    return plain.cast_column("label", ClassLabel(names=sorted(names))).add_column("difficulty", [1.0] * len(data))


def spell(data: Dataset) -> Dataset:
    """Return the same rows with the names of their classes in place of the numbers."""
    names = data.features["label"].names
    labels = [names[label] for label in data["label"]]
    return data.remove_columns("label").add_column("label", labels).select_columns(data.column_names)


def names_in(data: Dataset, column: str) -> list[str | None]:
    feature = data.features[column]
    if not isinstance(feature, ClassLabel):
        return data[column][:]
    return [None if label is None else feature.names[label] for label in data[column]]


@pytest.mark.parametrize(
    "transform",
    [
        xq.LabelNoise(0.3),
        xq.PairNoise(0.3),
        xq.PairNoise(0.5, {"food": "music"}),
        xq.InstanceNoise(0.3),
        xq.ChoiceNoise(0.3),
        xq.LabelNoise(0.3) >> xq.LabelNoise(0.2),
        xq.LabelNoise(0.3) >> xq.CleanlabFilter(text_columns=("text",)),
        xq.LabelNoise(0.3) >> xq.CleanlabFilter(action="relabel", text_columns=("text",)),
        xq.Subsample(fraction=0.5, stratify_by="label"),
    ],
    ids=repr,
)
def test_names_and_classes_have_the_same_outcome(classes: Dataset, transform: Transform) -> None:
    expected, found = transform(classes, seed=1), transform(spell(classes), seed=1)
    assert found["uid"][:] == expected["uid"][:]
    for column in (name for name in expected.column_names if name.startswith("label") and name != "label_issue"):
        assert found.features[column] == Value("string")
        assert names_in(found, column) == names_in(expected, column)


@pytest.mark.parametrize("labels", ["names", "numbers"])
@pytest.mark.parametrize(
    "transform",
    [xq.LabelNoise(0.3, exact=False), xq.PairNoise(0.3, exact=False), xq.CleanlabFilter(), xq.LabelNoise(0.3)],
    ids=repr,
)
def test_where_the_classes_are_not_known_the_error_holds_the_line(
    classes: Dataset, transform: Transform, labels: str
) -> None:
    data = spell(classes) if labels == "names" else classes.cast_column("label", Value("int64"))
    if labels == "names" and not getattr(transform, "per_row", False):
        data = data.remove_columns("label").add_column("label", [f"text {row}" for row in range(len(data))])
    elif labels == "names" and transform.exact:
        return
    with pytest.raises(LabelError, match="write data = data") as refused:
        transform(data, seed=1)
    line = str(refused.value).partition("write ")[2].partition(")).")[0].partition(")),")[0]
    if "class_encode_column" in line:
        return
    scope: dict[str, Any] = {"data": data, "datasets": datasets}
    exec(f"{line}))", scope)  # noqa: S102 (a line of the library's own)
    transform(scope["data"], seed=1)


def test_on_a_stream_the_line_is_one_that_a_stream_has(classes: Dataset) -> None:
    stream = spell(classes).to_iterable_dataset()
    with pytest.raises(LabelError, match=r"write data = data\.cast_column\('label', datasets\.ClassLabel\("):
        next(iter(xq.LabelNoise(0.3, exact=False)(stream, seed=1)))
    names = classes.features["label"].names
    cast = stream.cast_column("label", ClassLabel(names=names))
    assert len(list(xq.LabelNoise(0.3, exact=False)(cast, seed=1))) == len(classes)


def test_an_audit_of_dropped_rows_says_how_to_keep_them(classes: Dataset) -> None:
    noisy = xq.LabelNoise(0.3)(classes, seed=1)
    with pytest.raises(ColumnError, match=r"CleanlabFilter\(action='flag'\)"):
        xq.audit(xq.CleanlabFilter(text_columns=("text",))(noisy, seed=1))
