"""Subsample: counts, nesting, shares."""

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, Features, Value
from hypothesis import given
from hypothesis import strategies as st

import xquality as xq
from xquality.errors import ColumnError, LabelError, SettingError


def rows(count: int, classes: int = 3) -> Dataset:
    features = Features({"text": Value("string"), "label": ClassLabel(num_classes=classes)})
    labels = [min(row % (2 * classes), classes - 1) for row in range(count)]
    return Dataset.from_dict({"text": [f"t{row}" for row in range(count)], "label": labels}, features=features)


@given(st.integers(0, 300), st.floats(0, 1), st.integers(0, 5))
def test_the_count_is_the_rounded_share(count: int, fraction: float, seed: int) -> None:
    kept = xq.Subsample(fraction=fraction)(rows(count), seed=seed)
    assert len(kept) == round(fraction * count)
    assert xq.history(kept)[-1].realised_rate == (len(kept) / count if count else 0)


@given(st.integers(1, 300), st.floats(0, 1), st.floats(0, 1), st.booleans())
def test_a_smaller_share_is_contained_in_a_larger_one(count: int, one: float, other: float, stratified: bool) -> None:
    by = "label" if stratified else None
    few, many = (
        xq.Subsample(fraction=share, stratify_by=by)(rows(count), seed=3)["uid"][:] for share in sorted((one, other))
    )
    assert set(few) <= set(many)


def test_n_and_fraction_of_one_seed_are_the_same_draw() -> None:
    data = rows(200)
    assert xq.Subsample(n=50)(data, seed=1)["uid"][:] == xq.Subsample(fraction=0.25)(data, seed=1)["uid"][:]


def test_rows_keep_their_order_and_values() -> None:
    data = xq.with_uid(rows(100))
    kept = xq.Subsample(n=30)(data, seed=1)
    assert kept["uid"][:] == sorted(kept["uid"])
    assert kept["text"][:] == [f"t{uid}" for uid in kept["uid"]]
    assert kept._indices is None


@given(st.integers(6, 400), st.integers(0, 400))
def test_stratified_quotas_follow_sainte_lague(count: int, n: int) -> None:
    n = min(n, count)
    data = rows(count)
    sizes = np.bincount(data["label"][:], minlength=3)
    seats = np.zeros(3, int)
    for _ in range(n):  # the textbook's loop: the next seat goes to the highest quotient
        seats[int(np.argmax(sizes / (2 * seats + 1)))] += 1
    kept = np.bincount(xq.Subsample(n=n, stratify_by="label")(data, seed=0)["label"][:], minlength=3)
    quotients = sizes / (2 * kept - 1 + 1e-12)
    rivals = sizes / (2 * kept + 1)
    # Ties between classes may go either way: no class outside has a better claim than one inside.
    assert kept.sum() == n == seats.sum()
    assert not any(kept[one] and rivals[other] > quotients[one] + 1e-9 for one in range(3) for other in range(3))


def test_drawing_each_row_alone_keeps_about_the_share() -> None:
    kept = xq.Subsample(fraction=0.3, exact=False)(rows(20_000), seed=0)
    assert abs(len(kept) / 20_000 - 0.3) < 4 * np.sqrt(0.3 * 0.7 / 20_000)


def test_subsampling_and_noise_commute_when_rows_are_drawn_alone() -> None:
    data = xq.with_uid(rows(500))
    noise, part = xq.LabelNoise(0.3, exact=False), xq.Subsample(fraction=0.4, exact=False)
    assert xq.digest((noise >> part)(data, seed=1)) == xq.digest((part >> noise)(data, seed=1))


@pytest.mark.parametrize(
    ("settings", "data", "fault"),
    [
        ({"n": 11}, rows(10), SettingError),
        ({"n": 2, "stratify_by": "nothing"}, rows(10), ColumnError),
        ({"n": 2, "stratify_by": "label"}, rows(10).map(lambda _: {"label": -1}), LabelError),
        ({"n": 2, "stratify_by": "text"}, Dataset.from_dict({"text": ["a", None, "b"]}), ColumnError),
        ({"n": 2, "stratify_by": "words"}, Dataset.from_dict({"words": [["a"], ["b"], ["c"]]}), ColumnError),
    ],
)
def test_what_cannot_be_kept_is_refused(settings, data: Dataset, fault: type[Exception]) -> None:
    with pytest.raises(fault):
        xq.Subsample(**settings)(data, seed=0)
