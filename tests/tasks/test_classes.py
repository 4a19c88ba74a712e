"""Labels and tags get the task's classes by name, whatever the data call them and however they are stored."""

from typing import Any

import pytest
from datasets import ClassLabel, Dataset, Features, LargeList, List, Value, concatenate_datasets
from hypothesis import given
from hypothesis import strategies as st

from xquality.errors import ColumnError, LabelError
from xquality.tasks.classes import with_classes

NAMES = ("O", "B-X", "I-X")
TAGGINGS = st.lists(st.one_of(st.none(), st.lists(st.sampled_from(NAMES), max_size=4)), min_size=1, max_size=8)


def listed(tags: list[Any], inner: Any, kind: type = List) -> Dataset:
    return Dataset.from_dict({"tags": tags}, features=Features({"tags": kind(inner)}))


@given(taggings=TAGGINGS, order=st.permutations(NAMES), wide=st.booleans(), start=st.integers(0, 3))
def test_lists_of_tags_keep_their_names_in_whatever_order_and_width_they_come(
    taggings: list[list[str] | None], order: list[str], wide: bool, start: int
) -> None:
    kind = LargeList if wide else List
    wanted = [None if one is None else [NAMES.index(tag) for tag in one] for one in taggings]
    named = listed(taggings, Value("large_string" if wide else "string"), kind)
    numbers = [None if one is None else [order.index(tag) for tag in one] for one in taggings]
    for data in (named, listed(numbers, ClassLabel(names=order), kind)):
        for rows in (data, concatenate_datasets([data, data]), data.select(range(start % len(data), len(data)))):
            again = 2 if len(rows) > len(data) else 1
            found = with_classes(rows, "tags", NAMES)
            assert found["tags"][:] == (wanted * again)[-len(rows) :]
            assert list(found.features["tags"].feature.names) == list(NAMES)


def test_what_has_the_classes_already_is_left_alone() -> None:
    data = listed([[0, 2]], ClassLabel(names=list(NAMES)))
    assert with_classes(data, "tags", NAMES) is data


def test_tags_that_have_no_class_stay_and_numbers_are_taken_as_they_are() -> None:
    assert with_classes(listed([[0, -1, None]], Value("int8")), "tags", NAMES)["tags"][:] == [[0, -1, None]]
    assert with_classes(listed([[-1, 1]], ClassLabel(names=["I-X", "O"])), "tags", NAMES)["tags"][:] == [[None, 0]]
    assert with_classes(listed([[], []], Value("null")), "tags", NAMES)["tags"][:] == [[], []]
    empty = listed([], Value("string"))
    assert with_classes(empty, "tags", NAMES).features["tags"] == List(ClassLabel(names=list(NAMES)))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (listed([["O", "B-Y"]], Value("string")), LabelError),
        (listed([[3]], Value("int64")), LabelError),
        (listed([[0]], ClassLabel(names=["PER"])), LabelError),
        (listed([[True]], Value("bool")), ColumnError),
        (Dataset.from_dict({"other": ["O"]}), ColumnError),
    ],
)
def test_tags_that_are_not_the_tasks_are_refused(data: Dataset, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        with_classes(data, "tags", NAMES)
