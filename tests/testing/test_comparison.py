"""Comparing rows: by uid, whatever their order and chunks; cells and tokens that were changed."""

from datasets import Dataset

import xquality as xq
from xquality.testing.comparison import by_uid, changed_cells, rechunked, within


def test_equal_rows_are_equal_in_any_order_and_chunks(spanish: Dataset) -> None:
    wanted = by_uid(spanish)
    assert by_uid(spanish.shuffle(seed=1)).equals(wanted)
    assert by_uid(rechunked(spanish)).equals(wanted)
    assert not by_uid(spanish.select(range(1, 200))).equals(wanted)
    assert rechunked(spanish)._data.column("text").num_chunks == 67


def test_changed_cells_are_those_whose_first_value_was_kept(spanish: Dataset) -> None:
    noisy = xq.LabelNoise(0.1)(spanish, seed=1)
    cells = changed_cells(noisy, "label_before")
    assert len(cells) == 20
    assert all(noisy[uid]["label"] == value != spanish[uid]["label"] for uid, value in cells.items())


def test_a_change_lies_within_a_stronger_one_token_by_token() -> None:
    assert within("a", "b", "b")
    assert not within("a", "b", "c")
    assert within([1, 2], [1, 5], [4, 5])
    assert not within([1, 2], [1, 5], [4, 6])
    assert not within([1, 2], [1, 2, 5], [4, 6])  # lists of other lengths are compared as they are
    assert within([1, 2], None, None)
