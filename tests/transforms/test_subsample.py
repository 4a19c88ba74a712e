"""Subsample: counts, nesting, shares."""

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, Features, List, Value
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
def test_a_smaller_share_is_contained_in_a_larger_one(
    count: int, first: float, second: float, stratified: bool
) -> None:
    by = "label" if stratified else None
    few, many = (
        xq.Subsample(fraction=share, stratify_by=by)(rows(count), seed=3)["uid"][:] for share in sorted((first, second))
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
    assert rivals.max() <= quotients[kept > 0].min(initial=np.inf) + 1e-9


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
        ({"n": 2, "stratify_by": "length:nothing"}, rows(10), ColumnError),
        ({"n": 2, "stratify_by": "length:label"}, rows(10), ColumnError),
        ({"n": 2, "stratify_by": "length:text"}, Dataset.from_dict({"text": ["a", None, "b"]}), ColumnError),
    ],
)
def test_what_cannot_be_kept_is_refused(settings, data: Dataset, fault: type[Exception]) -> None:
    with pytest.raises(fault):
        xq.Subsample(**settings)(data, seed=0)


def test_temperature_favours_small_strata_with_exact_counts_and_no_row_twice() -> None:
    sizes = {"en": 800, "sw": 150, "yo": 50}
    languages = [language for language, count in sizes.items() for _ in range(count)]
    data = xq.with_uid(Dataset.from_dict({"language": languages}))
    shares = {}
    for temperature in (1.0, 3.0, 100.0):
        kept = xq.Subsample(n=200, stratify_by="language", temperature=temperature)(data, seed=1)
        assert len(set(kept["uid"])) == 200
        shares[temperature] = [kept["language"][:].count(language) for language in sizes]
    assert shares[1.0] == [160, 30, 10]
    weights = np.array([800, 150, 50]) ** (1 / 3)
    assert np.abs(np.array(shares[3.0]) - np.minimum(200 * weights / weights.sum(), 50 + 150)).max() < 12
    assert shares[100.0][2] == 50  # all there are


def test_lengths_keep_their_shares_in_bins_that_depend_on_the_row_alone() -> None:
    lengths = [0] * 10 + [1] * 10 + [2, 3] * 10 + [4, 7] * 20 + [8, 15] * 30 + [16] * 60
    data = xq.with_uid(Dataset.from_dict({"text": ["\u6771" * length for length in lengths]}))
    kept = xq.Subsample(fraction=0.5, stratify_by="length:text")(data, seed=1)
    bins = [len(text).bit_length() for text in kept["text"]]
    assert [bins.count(number) for number in range(6)] == [5, 5, 10, 20, 30, 30]
    # The longest text of a part does not move the bounds: the same rows in the same order of draws.
    part = data.filter(lambda row: len(row["text"]) < 16)
    assert xq.Subsample(fraction=0.5, stratify_by="length:text")(part, seed=1)["uid"][:] == [
        row["uid"] for row in kept if len(row["text"]) < 16
    ]


def test_lengths_cross_with_labels_and_lists_are_counted_by_their_items() -> None:
    features = Features({"tokens": List(Value("string")), "label": ClassLabel(num_classes=2)})
    tokens = [["a"] * (1 + 3 * (row % 2)) for row in range(80)]
    data = Dataset.from_dict({"tokens": tokens, "label": [row % 4 // 2 for row in range(80)]}, features=features)
    kept = xq.Subsample(fraction=0.25, stratify_by=("label", "length:tokens"))(data, seed=2)
    pairs = [(row["label"], len(row["tokens"])) for row in kept]
    assert [pairs.count(pair) for pair in ((0, 1), (0, 4), (1, 1), (1, 4))] == [5, 5, 5, 5]


def test_a_column_of_that_very_name_goes_first() -> None:
    data = Dataset.from_dict({"length:text": ["a", "b"] * 20, "text": ["x" * row for row in range(40)]})
    kept = xq.Subsample(n=10, stratify_by="length:text")(data, seed=1)
    assert kept["length:text"][:].count("a") == 5


def test_hardest_and_easiest_are_the_ends_of_the_scores() -> None:
    data = Dataset.from_dict({"loss": [0.1, 0.9, 0.5, 0.9, 0.2]})
    assert xq.Subsample(n=3, method="hardest", by="loss")(data, seed=1)["loss"][:] == [0.9, 0.5, 0.9]
    assert xq.Subsample(n=2, method="easiest", by="loss")(data, seed=1)["loss"][:] == [0.1, 0.2]


def test_a_diverse_sample_takes_one_row_of_each_heap_first() -> None:
    heaps = [(0, 0), (10, 0), (0, 10), (10, 10)]
    points = [[x + 0.01 * row, y - 0.02 * row] for row in range(25) for x, y in heaps]
    data = Dataset.from_dict({"embedding": points})
    kept = xq.Subsample(n=4, method="diverse", by="embedding")(data, seed=1)["embedding"][:]
    assert {(round(x / 10), round(y / 10)) for x, y in kept} == {(0, 0), (1, 0), (0, 1), (1, 1)}


@pytest.mark.parametrize(
    ("column", "method"),
    [
        (["a", "b", "c"], "hardest"),
        ([1.0, None, 2.0], "hardest"),
        ([1.0, float("nan"), 2.0], "easiest"),
        ([1.0, 2.0, 3.0], "diverse"),
        ([[1.0], [1.0, 2.0], [3.0]], "diverse"),
        ([["a"], ["b"], ["c"]], "diverse"),
        ([[1.0], [1.0], [3.0]], "hardest"),
    ],
)
def test_bad_scores_and_embeddings_are_refused(column: list[object], method: str) -> None:
    with pytest.raises(ColumnError):
        xq.Subsample(n=1, method=method, by="x")(Dataset.from_dict({"x": column}), seed=0)


@pytest.mark.parametrize(
    "settings",
    [
        {"n": 1, "method": "best"},
        {"n": 1, "method": "hardest"},
        {"n": 1, "by": "loss"},
        {"n": 1, "method": "hardest", "by": "loss", "stratify_by": "label"},
        {"n": 1, "temperature": 2.0},
        {"n": 1, "stratify_by": "label", "temperature": 0},
        {"fraction": 0.5, "exact": False, "method": "hardest", "by": "loss"},
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings) -> None:
    with pytest.raises(SettingError):
        xq.Subsample(**settings)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=80), st.floats(0.3, 20), st.data())
def test_quotas_nest_and_do_not_depend_on_the_order(strata: list[int], temperature: float, data: st.DataObject) -> None:
    given_rows = Dataset.from_dict({"stratum": strata, "uid": [11 * row for row in range(len(strata))]})
    few, many = sorted(data.draw(st.tuples(st.integers(0, len(strata)), st.integers(0, len(strata)))))
    small, large = (
        xq.Subsample(n=count, stratify_by="stratum", temperature=temperature)(given_rows, seed=3)
        for count in (few, many)
    )
    assert set(small["uid"]) <= set(large["uid"])
    assert len(set(large["uid"])) == many
    shuffled = given_rows.select(np.random.default_rng(0).permutation(len(strata)))
    again = xq.Subsample(n=many, stratify_by="stratum", temperature=temperature)(shuffled, seed=3)
    assert set(again["uid"]) == set(large["uid"])


def test_diverse_samples_nest_and_do_not_depend_on_the_order() -> None:
    points = Dataset.from_dict({"at": np.random.default_rng(1).normal(size=(60, 3)), "uid": range(0, 420, 7)})
    few, many = (xq.Subsample(n=count, method="diverse", by="at") for count in (5, 20))
    small, large = (set(sample(points, seed=3)["uid"]) for sample in (few, many))
    shuffled = points.select(np.random.default_rng(2).permutation(60))
    assert small < large == set(many(shuffled, seed=3)["uid"])


def test_equal_points_are_not_chosen_twice() -> None:
    points = Dataset.from_dict({"at": [[0.0, 0.0]] * 6})
    assert len(xq.Subsample(n=6, method="diverse", by="at")(points, seed=3)) == 6


@pytest.mark.parametrize("temperature", [0.02, 0.005, 0.001, 1e-20, 1e-300, 5e-324])
def test_a_low_temperature_takes_the_largest_stratum_first(temperature: float) -> None:
    data = Dataset.from_dict({"lang": ["a"] * 100 + ["b"] * 700 + ["c"] * 200})
    kept = [
        xq.Subsample(n=n, stratify_by="lang", temperature=temperature)(data, seed=1)["lang"][:] for n in (200, 800, 950)
    ]
    assert [[part.count(stratum) for stratum in "bca"] for part in kept] == [[200, 0, 0], [700, 100, 0], [700, 200, 50]]


def test_strata_of_many_values_in_several_columns_are_kept_apart() -> None:
    rows = 40_000  # of four columns the product of the values is beyond 64 bits
    columns = {name: np.random.default_rng(seed).permutation(rows) for seed, name in enumerate("abcd")}
    data = Dataset.from_dict({**columns, "e": [0, 1] * (rows // 2)})
    every = xq.Subsample(n=100, stratify_by=("a", "b", "c", "d", "e"))(data, seed=1)
    one = xq.Subsample(n=100, stratify_by="a")(data, seed=1)
    assert every["uid"][:] == one["uid"][:]  # each row is a stratum of its own


@pytest.mark.parametrize("scale", [1e308, 1e-200, 1e200])
def test_the_scale_of_points_does_not_matter(scale: float) -> None:
    points = np.random.default_rng(0).integers(-8, 9, (40, 3)) / 8
    kept = [
        xq.Subsample(n=9, method="diverse", by="p")(Dataset.from_dict({"p": (points * factor).tolist()}), seed=1)["uid"]
        for factor in (1.0, scale)
    ]
    assert kept[0][:] == kept[1][:]
