"""Label noise: exact counts, wrong labels, nested in the rate, undone; by pairs, by a matrix and by difficulty."""

import numpy as np
import pytest
from conftest import label_rows as rows
from datasets import ClassLabel, Dataset, Features, Value
from hypothesis import given, settings
from hypothesis import strategies as st

import xquality as xq
from xquality.errors import ColumnError, LabelError, RateWarning, SettingError


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
    clean, first, last = (np.array(version["label"][:]) for version in (data, once, twice))
    kept = twice["label_before"][:]
    touched = np.array([first_label is not None for first_label in kept])
    assert all(value == clean[row] for row, value in enumerate(kept) if value is not None)
    assert (touched == ((first != clean) | (last != first))).all()


def test_a_stream_gives_the_rows_of_a_dataset() -> None:
    data = xq.with_uid(rows(300, 5))
    noise = xq.LabelNoise(0.4, exact=False)
    assert list(noise(data.to_iterable_dataset(num_shards=3), seed=6)) == noise(data, seed=6).to_list()
    unstamped = data.remove_columns("uid").to_iterable_dataset()
    assert list(noise(unstamped, seed=6)) == noise(data.remove_columns("uid"), seed=6).to_list()


def test_compose_gives_a_repeated_class_its_own_stream() -> None:
    data = rows(1000, 3)
    noisy = (xq.LabelNoise(0.2) >> xq.LabelNoise(0.2))(data, seed=1)
    assert [record.settings["stream"] for record in xq.history(noisy)] == [0, 1]
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


NAMES = [str(number) for number in range(5)]


@pytest.mark.filterwarnings("ignore::xquality.errors.RateWarning")
@given(st.integers(0, 1000), st.integers(2, 50), st.floats(0, 1))
def test_exactly_the_rounded_share_goes_to_the_next_class(count: int, classes: int, rate: float) -> None:
    data = rows(count, classes)
    before, after = (np.array(version["label"][:]) for version in (data, xq.PairNoise(rate)(data, seed=1)))
    flipped = before != after
    assert flipped.sum() == round(rate * count)
    assert (after[flipped] == (before[flipped] + 1) % classes).all()


def test_classes_without_a_pair_are_left_alone() -> None:
    data = rows(500, 5)
    before, after = (
        np.array(version["label"][:]) for version in (data, xq.PairNoise(0.4, {"0": "3", "3": "0"})(data, seed=1))
    )
    paired = np.isin(before, (0, 3))
    assert (before[~paired] == after[~paired]).all()
    assert (before != after).sum() == round(0.4 * paired.sum())


def test_pairs_are_one_value_however_they_are_written() -> None:
    assert xq.PairNoise(0.1, {"b": "a", "a": "b"}) == xq.PairNoise(0.1, (("a", "b"), ("b", "a")))
    assert xq.from_dict(xq.PairNoise(0.1, {"b": "a"}).to_dict()) == xq.PairNoise(0.1, {"b": "a"})


@pytest.mark.parametrize("pairs", [{}, "ab", {"a": "a"}, (("a", "b"), ("a", "c")), (("a",),), {"a": 1}, 7])
def test_bad_pairs_are_refused(pairs: object) -> None:
    with pytest.raises(SettingError):
        xq.PairNoise(0.1, pairs)


def test_unknown_classes_and_too_few_rows_are_named() -> None:
    with pytest.raises(SettingError, match="cat"):
        xq.PairNoise(0.1, {"cat": "0"})(rows(50, 5), seed=0)
    with pytest.warns(RateWarning):
        xq.PairNoise(0.1)(rows(3, 2), seed=0)


MATRIX = ((0.7, 0.3, 0.0), (0.05, 0.9, 0.05), (0.2, 0.3, 0.5))


def joint(data, noisy) -> np.ndarray:
    table = np.zeros((3, 3), int)
    np.add.at(table, (np.array(data["label"][:], int), np.array(noisy["label"][:], int)), 1)
    return table


@pytest.mark.filterwarnings("ignore::xquality.errors.RateWarning")
@given(st.integers(0, 2000), st.integers(0, 5))
def test_counts_follow_the_matrix_to_within_one_row(count: int, seed: int) -> None:
    data = rows(count, 3, seed)
    found = joint(data, xq.MatrixNoise(MATRIX)(data, seed=seed))
    wanted = np.array(MATRIX) * found.sum(1, keepdims=True)
    assert (np.abs(found - wanted) < 1).all()


def test_each_row_alone_meets_the_matrix_in_the_mean() -> None:
    data = rows(60_000, 3)
    found = joint(data, xq.MatrixNoise(MATRIX, exact=False)(data, seed=1))
    assert np.abs(found / found.sum(1, keepdims=True) - MATRIX).max() < 0.012
    assert found[0, 2] == 0


def test_a_class_with_too_few_rows_for_its_noise_is_named() -> None:
    with pytest.warns(RateWarning, match="rows of class"):
        xq.MatrixNoise(((0.9, 0.1), (0.1, 0.9)))(rows(6, 2), seed=0)


@pytest.mark.parametrize(
    "matrix",
    [7, (), ((1.0,),), ((0.5, 0.5),), ((0.5, 0.5), (1.0,)), ((0.5, 0.4), (0.5, 0.5)), ((1.5, -0.5), (0, 1)), "ab"],
)
def test_bad_matrices_are_refused(matrix: object) -> None:
    with pytest.raises(SettingError):
        xq.MatrixNoise(matrix)


def test_a_matrix_of_another_size_is_refused() -> None:
    with pytest.raises(LabelError):
        xq.MatrixNoise(MATRIX)(rows(20, 4), seed=0)


def graded(count: int, difficulty: list[float] | None = None) -> Dataset:
    return rows(count, 3).add_column("difficulty", difficulty or [1.0 + row % 4 for row in range(count)])


def flipped_by_difficulty(data: Dataset, rate: float, seed: int = 1) -> np.ndarray:
    return np.array(
        [first_label is not None for first_label in xq.InstanceNoise(rate)(data, seed=seed)["label_before"]]
    )


@pytest.mark.parametrize("rate", [0.0, 0.13, 0.5, 1.0])
def test_the_count_of_flipped_rows_is_the_rounded_share(rate: float) -> None:
    assert flipped_by_difficulty(graded(333), rate).sum() == round(rate * 333)


def test_harder_rows_are_flipped_in_proportion_at_a_low_rate() -> None:
    found = flipped_by_difficulty(graded(40_000), 0.02)
    shares = np.array([found[grade::4].mean() for grade in range(4)])
    assert np.allclose(shares / shares.sum(), [0.1, 0.2, 0.3, 0.4], atol=0.03)


def test_rows_without_difficulty_come_last() -> None:
    data = graded(100, [0.0] * 60 + [1.0] * 40)
    assert not flipped_by_difficulty(data, 0.4)[:60].any()
    assert flipped_by_difficulty(data, 0.5).sum() == 50


def test_bad_difficulties_are_refused() -> None:
    for values in ([-1.0] * 9, [float("nan")] * 9, [float("inf")] * 9, [None] * 9, ["hard"] * 9):
        with pytest.raises(ColumnError):
            flipped_by_difficulty(graded(9, values), 0.5)
    with pytest.raises(ColumnError):
        xq.InstanceNoise(0.5, difficulty="loss")(graded(9), seed=0)
    with pytest.warns(RateWarning):
        flipped_by_difficulty(graded(9), 0.01)


@pytest.mark.parametrize("scale", [1e-310, 1e-260, 1e300])
def test_the_scale_of_difficulties_does_not_matter(scale: float) -> None:
    data = graded(40).remove_columns("difficulty")
    difficulty = np.arange(40) % 4
    noisy = [
        xq.InstanceNoise(0.5)(data.add_column("difficulty", (difficulty * factor).tolist()), seed=1)["label_before"][:]
        for factor in (1.0, scale)
    ]
    assert noisy[0] == noisy[1]
    assert all(first is None for first, hard in zip(noisy[1], difficulty, strict=True) if not hard)
