"""LabelNoise: exact, wrong, nested, even over classes, undone."""

import numpy as np
import pytest
from conftest import label_rows as rows
from datasets import ClassLabel, Dataset, Features, Value
from hypothesis import given, settings
from hypothesis import strategies as st

import xquality as xq
from xquality.errors import ColumnError, LabelError, RateWarning


@pytest.mark.filterwarnings("ignore::xquality.errors.RateWarning")
@settings(max_examples=40)
@given(st.integers(0, 3000), st.integers(2, 100), st.floats(0, 1), st.integers(0, 9))
def test_exactly_the_rounded_share_is_wrong(count: int, classes: int, rate: float, seed: int) -> None:
    data = rows(count, classes)
    noisy = xq.LabelNoise(rate)(data, seed=seed)
    before, after = np.array(data["label"][:]), np.array(noisy["label"][:])
    assert (before != after).sum() == round(rate * count)
    assert xq.history(noisy)[-1].changed == round(rate * count)
    assert ((after >= 0) & (after < classes)).all()


def test_flips_nest_in_the_rate_and_keep_their_wrong_label() -> None:
    data = rows(1000, 7)
    low, high = (np.array(xq.LabelNoise(rate)(data, seed=4)["label"][:]) for rate in (0.1, 0.4))
    clean = np.array(data["label"][:])
    flipped = low != clean
    assert (high[flipped] == low[flipped]).all()


def test_every_wrong_class_is_equally_likely() -> None:
    data = rows(60_000, 4)
    noisy = xq.LabelNoise(rate=1.0)(data, seed=2)
    table = np.zeros((4, 4))
    np.add.at(table, (np.array(data["label"][:]), np.array(noisy["label"][:])), 1)
    expected = table.sum(1, keepdims=True) / 3 * (1 - np.eye(4))
    off = ~np.eye(4, dtype=bool)
    assert ((table - expected)[off] ** 2 / expected[off]).sum() < 30  # chi-square with 8 degrees: 30 is beyond 0.9997


def test_the_first_label_is_kept_once_and_never_erased() -> None:
    data = rows(400, 3)
    once = xq.LabelNoise(0.5)(data, seed=1)
    twice = xq.LabelNoise(0.5, stream=1)(once, seed=1)
    clean, first, last = (np.array(one["label"][:]) for one in (data, once, twice))
    kept = twice["label_before"][:]
    touched = np.array([one is not None for one in kept])
    assert all(value == clean[row] for row, value in enumerate(kept) if value is not None)
    assert (touched == ((first != clean) | (last != first))).all()


def test_a_stream_gives_each_row_the_fate_it_has_in_a_dataset() -> None:
    data = xq.with_uid(rows(300, 5))
    noise = xq.LabelNoise(0.4, exact=False)
    assert list(noise(data.to_iterable_dataset(num_shards=3), seed=6)) == noise(data, seed=6).to_list()
    unstamped = data.remove_columns("uid").to_iterable_dataset()
    assert list(noise(unstamped, seed=6)) == noise(data.remove_columns("uid"), seed=6).to_list()


def test_compose_gives_a_repeated_class_its_own_stream() -> None:
    data = rows(1000, 3)
    noisy = (xq.LabelNoise(0.2) >> xq.LabelNoise(0.2))(data, seed=1)
    assert [one.settings["stream"] for one in xq.history(noisy)] == [0, 1]
    changed = np.mean(np.array(noisy["label"][:]) != np.array(data["label"][:]))
    assert 0.3 < changed < 0.36  # 1 - .8 * .8, less the flips that flip back


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (Dataset.from_dict({"text": ["a"]}), ColumnError),
        (Dataset.from_dict({"label": ["a"]}), LabelError),
        (Dataset.from_dict({"label": [0]}), LabelError),
        (Dataset.from_dict({"label": [0]}, features=Features({"label": ClassLabel(names=["only"])})), LabelError),
        (Dataset.from_dict({"label": [0, -1]}, features=Features({"label": ClassLabel(names=["a", "b"])})), LabelError),
        (
            Dataset.from_dict({"label": [0, None]}, features=Features({"label": ClassLabel(names=["a", "b"])})),
            LabelError,
        ),
        (Dataset.from_dict({"label": [0.5]}, features=Features({"label": Value("float64")})), LabelError),
    ],
)
def test_labels_that_cannot_be_flipped_are_refused(data: Dataset, fault: type[Exception]) -> None:
    with pytest.raises(fault):
        xq.LabelNoise(0.5)(data, seed=0)


def test_a_rate_that_rounds_to_nothing_says_so() -> None:
    with pytest.warns(RateWarning, match="rounds to none of 4 rows"):
        xq.LabelNoise(0.1)(rows(4, 3), seed=0)
