"""Tags of every scheme come out of every transform valid in the scheme that came in, or are refused with a sentence."""

import itertools

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, Features, List, Value
from hypothesis import given
from hypothesis import strategies as st

import xquality as xq
from xquality.errors import LabelError, XqualityError
from xquality.testing import check_transform

# For each scheme the names of its tags, and the marks of a span of one token and of a longer one.
SCHEMES = {
    "bio": (["O", "B-A", "I-A", "B-B", "I-B"], "B", "BI"),
    "bio without types": (["B", "I", "O"], "B", "BI"),
    "bio in another order": (["I-B", "B-B", "O", "B-A", "I-A"], "B", "BI"),
    "bio without one I": (["O", "B-A", "I-A", "B-NUM"], "B", "BI"),
    "bio without O": (["B-A", "I-A", "B-B", "I-B"], "B", "BI"),
    "io": (["O", "I-A", "I-B"], "I", "II"),
    "io without types": (["O", "I"], "I", "II"),
    "io without O": (["I-A", "I-B"], "I", "II"),
    "iobes": (["O", *(f"{mark}-{kind}" for kind in "AB" for mark in "BIES")], "S", "BIE"),
    "iobes without types": (["B", "I", "E", "S", "O"], "S", "BIE"),
    "iobes without one S": (["O", "B-A", "I-A", "E-A", "S-A", "B-B", "I-B", "E-B"], "S", "BIE"),
    "bilou": (["O", *(f"{mark}-{kind}" for kind in "AB" for mark in "BILU")], "U", "BIL"),
    "plain": (["NOUN", "VERB", "I-am-a-tag", "X"], None, None),
}


def is_valid(tags: list[str], scheme: str) -> bool:
    """Return whether the tags of a sentence are valid, by the definition of the scheme."""
    name = scheme.partition(" ")[0]
    if name in ("plain", "io"):
        return True
    begin, inside, end = {"bio": ("B", "BI", "BI"), "iobes": ("B", "BI", "E"), "bilou": ("B", "BI", "L")}[name]
    for before, now in itertools.pairwise(["O", *tags, "O"]):
        same_type = before[1:] == now[1:]
        if now[0] in "IEL" and (now != "O") and not (before[0] in begin + inside and before != "O" and same_type):
            return False
        must_go_on = name != "bio" and before[0] in inside and before != "O"
        if must_go_on and not (now[0] in "I" + end and same_type and now != "O"):
            return False
    return True


def write_span(scheme: str, kind: str, length: int) -> list[str]:
    """Return the tags of a span; none where the scheme lacks one of them."""
    names, single, longer = SCHEMES[scheme]
    assert single is not None
    assert longer is not None
    marks = single if length == 1 else longer[0] + longer[1] * (length - 2) + longer[-1]
    tags = [f"{mark}-{kind}" if kind else mark for mark in marks]
    return tags if set(tags) <= set(names) else []


def sentence(scheme: str, draws: list[tuple[int, int, int]]) -> list[str]:
    """Return a valid sentence of spans with gaps between them."""
    names = SCHEMES[scheme][0]
    if scheme == "plain":
        return [names[(kind + length) % len(names)] for kind, length, _ in draws]
    kinds = sorted({name.partition("-")[2] for name in names if name != "O"})
    tags: list[str] = []
    for kind, length, gap in draws:
        tags += write_span(scheme, kinds[kind % len(kinds)], length)
        tags += ["O"] * gap if "O" in names else []
    return tags


def tagged(scheme: str, sentences: list[list[str]]) -> Dataset:
    names = SCHEMES[scheme][0]
    features = Features({"tokens": List(Value("string")), "tags": List(ClassLabel(names=names))})
    tokens = [[f"w{number}{tag}" for number, tag in enumerate(tags)] for tags in sentences]
    return Dataset.from_dict({"tokens": tokens, "tags": sentences}, features=features)


spans = st.lists(st.tuples(st.integers(0, 1), st.integers(1, 4), st.integers(0, 3)), min_size=1, max_size=5)


def names_of(data: Dataset) -> list[list[str]]:
    names = data.features["tags"].feature.names
    return [[names[tag] for tag in tags] for tags in data["tags"]]


@pytest.mark.parametrize("scheme", SCHEMES)
@given(draws=st.lists(spans, min_size=1, max_size=6), seed=st.integers(0, 5))
def test_noise_in_tags_or_tokens_keeps_the_scheme(scheme: str, draws, seed: int) -> None:
    sentences = [tags for tags in (sentence(scheme, draw) for draw in draws) if tags] or [
        sentence(scheme, [(0, 2, 1), (1, 2, 0)])
    ]
    data = tagged(scheme, sentences)
    assert all(is_valid(tags, scheme) for tags in sentences)
    after = xq.TagNoise(0.7, column="tags")(data, seed=seed)
    assert [tags for tags in names_of(after) if not is_valid(tags, scheme)] == []
    noise = xq.TranslationNoise(0.4, columns=("tokens",))
    if scheme == "iobes without one S":
        with pytest.raises(LabelError, match="which may need 'S-B', but 'tags' has no such tag"):
            noise(data, seed=seed)
    else:
        assert [tags for tags in names_of(noise(data, seed=seed)) if not is_valid(tags, scheme)] == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_relabelled_tags_keep_the_scheme(scheme: str) -> None:
    draws = np.random.default_rng(0).integers((0, 1, 0), (2, 5, 4), (40, 4, 3)).tolist()
    clean = tagged(scheme, [sentence(scheme, draw) for draw in draws])
    noisy = xq.TagNoise(0.4, column="tags")(clean, seed=1)
    size = len(SCHEMES[scheme][0])
    sure = np.full((size, size), 0.2 / (size - 1))
    np.fill_diagonal(sure, 0.8)
    draw = np.random.default_rng(1)
    given_p = [[draw.dirichlet(9 * sure[tag]).tolist() for tag in tags] for tags in clean["tags"]]
    noisy = noisy.add_column("p", given_p)
    after = xq.CleanlabFilter("relabel", "p", column="tags", filter_by="predicted_neq_given")(noisy, seed=1)
    assert after["tags"][:] != noisy["tags"][:]
    assert [tags for tags in names_of(after) if not is_valid(tags, scheme)] == []


def test_the_tags_without_types_that_came_out_invalid() -> None:
    sentences = [["O", "B", "I", "O", "O", "B", "O", "O", "B", "I", "I", "O"]] * 100
    noisy = xq.TagNoise(0.3, column="tags")(tagged("bio without types", sentences), seed=1)
    assert all(is_valid(tags, "bio") for tags in names_of(noisy))
    assert sum(first is not None for first in noisy["tags_before"]) > 50


@pytest.mark.parametrize("scheme", ["iobes", "bilou", "io", "bio without O"])
def test_the_laws_hold_in_every_scheme(scheme: str) -> None:
    draws = np.random.default_rng(0).integers((0, 1, 1), (2, 4, 4), (20, 3, 3)).tolist()
    check_transform(xq.TagNoise(0.5, column="tags"), tagged(scheme, [sentence(scheme, draw) for draw in draws]))


@pytest.mark.parametrize(
    "names",
    [
        ["O", "B-X", "E-X"],
        ["O", "B-X", "I-X", "PER"],
        ["O", "B", "I-X"],
        ["o", "b-per", "i-per"],
        ["O", "PER_B", "PER_I"],
        ["O", "B-X", "M-X", "E-X", "S-X"],
        ["O", "B-X", "I-X", "E-X", "L-X", "S-X"],
    ],
)
def test_unknown_schemes_are_refused_by_every_transform(names: list[str]) -> None:
    features = Features({"tokens": List(Value("string")), "tags": List(ClassLabel(names=names))})
    data = Dataset.from_dict(
        {"tokens": [["a", "b"], ["c", "d"]] * 20, "tags": [[1, 2], [0, 1]] * 20}, features=features
    )
    for transform in (
        xq.TagNoise(0.5, column="tags"),
        xq.TranslationNoise(0.5, columns=("tokens",)),
        xq.CleanlabFilter("relabel", column="tags"),
    ):
        with pytest.raises(XqualityError):
            transform(data, seed=1)


@pytest.mark.parametrize("tags", [["B-A", "O"], ["I-A"], ["B-A", "E-B"], ["O", "B-A"], ["B-A", "S-A"]])
def test_invalid_tags_of_longer_schemes_are_refused(tags: list[str]) -> None:
    data = tagged("iobes", [tags, ["O", "S-A"]])
    with pytest.raises(LabelError, match=r"inside a span; correct it|follows no B-A or I-A|follows no B-B or I-B"):
        xq.TagNoise(0.5, column="tags")(data, seed=1)
