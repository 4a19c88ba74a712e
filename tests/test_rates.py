"""Realised rates: round(rate * units) in every kind of noise and in sampling, for few and many rows and classes.

Every property is checked at two rates of one seed, so that what is changed at the lower one is changed alike at the
higher one. Sizes are drawn evenly over their logarithm, from ten rows to a hundred thousand.
"""

import dataclasses
import operator
from typing import Any

import numpy as np
import pytest
from conftest import label_rows
from datasets import ClassLabel, Dataset, Features, List, Value
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

import xquality as xq
from xquality.data._datasets import table_of
from xquality.transforms import Transform

pytestmark = pytest.mark.filterwarnings("ignore::xquality.errors.RateWarning")

MANY = 100_000
COUNTS = st.floats(1, 5).map(lambda power: round(10**power))
FEWER = st.floats(1, 3).map(lambda power: round(10**power))  # where each row is a Python list
CLASSES = st.integers(2, 100)
RATES = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted)
# Shrinking would repeat calls on large data for minutes; a failure names its sizes.
FEW_EXAMPLES = settings(max_examples=20, phases=(Phase.explicit, Phase.reuse, Phase.generate))


def column(data: Dataset, name: str = "label") -> np.ndarray:
    return table_of(data).column(name).to_numpy()


def check(noise: Transform, rates: list[float], data: Dataset, units: int) -> list[Dataset]:
    """Check the counts in rows and records at two rates, and return what came out at each."""
    made = [dataclasses.replace(noise, rate=rate)(data, seed=units) for rate in rates]
    for noisy, rate in zip(made, rates, strict=True):
        record = xq.history(noisy)[-1]
        assert record.realised_rate == round(rate * units) / units
    return made


def check_labels(noise: Transform, rates: list[float], data: Dataset) -> None:
    """Check the counts of wrong labels, and that those of the lower rate are among those of the higher one."""
    clean = column(data)
    low, high = (column(labels) for labels in check(noise, rates, data, len(data)))
    assert [int((low != clean).sum()), int((high != clean).sum())] == [round(rate * len(data)) for rate in rates]
    assert ((high == low) | (low == clean)).all()


@FEW_EXAMPLES
@given(COUNTS, CLASSES, RATES)
@example(MANY, 100, [0.1, 0.3])
@example(10, 2, [0.05, 0.25])  # half a row, and two and a half: Python rounds to the even number
@example(MANY, 2, [0.0, 1.0])
def test_of_labels_exactly_the_share_is_wrong(count: int, classes: int, rates: list[float]) -> None:
    data = label_rows(count, classes)
    check_labels(xq.LabelNoise(0), rates, data)
    check_labels(xq.PairNoise(0), rates, data)
    hard = data.add_column("difficulty", np.arange(count) % 7 / 7)  # a seventh of the rows come last of all
    check_labels(xq.InstanceNoise(0), rates, hard)


@FEW_EXAMPLES
@given(COUNTS, CLASSES, RATES)
@example(MANY, 100, [0.1, 0.3])
def test_of_answers_exactly_the_share_is_wrong(count: int, options: int, rates: list[float]) -> None:
    answers = column(label_rows(count, options))
    check_labels(xq.ChoiceNoise(0, options), rates, Dataset.from_dict({"label": answers}))
    named = Dataset.from_dict({"label": [str(answer) for answer in answers[:1000]]})
    texts = [np.array(noisy["label"]) for noisy in check(xq.ChoiceNoise(0, options), rates, named, len(named))]
    assert [(noisy != np.array(named["label"])).sum() for noisy in texts] == [
        round(rate * len(named)) for rate in rates
    ]


@FEW_EXAMPLES
@given(COUNTS, CLASSES, RATES)
@example(MANY, 100, [0.1, 0.3])
def test_of_rows_exactly_the_share_is_kept(count: int, classes: int, fractions: list[float]) -> None:
    data = xq.with_uid(label_rows(count, classes))
    for stratify_by in (None, "label"):
        few, many = (xq.Subsample(fraction=share, stratify_by=stratify_by)(data, seed=count) for share in fractions)
        for kept, fraction in ((few, fractions[0]), (many, fractions[1])):
            assert len(kept) == round(fraction * count)
            assert xq.history(kept)[-1].realised_rate == len(kept) / count
        assert np.isin(column(few, "uid"), column(many, "uid")).all()


@FEW_EXAMPLES
@given(COUNTS, CLASSES, st.floats(0, 1), st.integers(0, 2**32))
@example(MANY, 100, 0.3, 1)
def test_a_matrix_is_met_by_the_largest_remainders(count: int, classes: int, rate: float, seed: int) -> None:
    others = np.random.default_rng(seed).dirichlet(np.ones(classes), classes) * (1 - np.eye(classes))
    matrix = (1 - rate) * np.eye(classes) + rate * others / others.sum(axis=1, keepdims=True)
    data = label_rows(count, classes, seed % 97)
    noisy = xq.MatrixNoise(matrix.tolist())(data, seed=seed)
    joint = np.zeros((classes, classes), np.int64)
    np.add.at(joint, (column(data), column(noisy)), 1)
    wanted = matrix * joint.sum(axis=1, keepdims=True)
    assert (joint.sum(axis=1) == np.bincount(column(data), minlength=classes)).all()
    assert (np.abs(joint - wanted) < 1 + 1e-6).all()
    up, rest = joint > wanted + 1e-6, wanted - np.floor(wanted + 1e-6)
    for true in range(classes):  # no cell was rounded down whose remainder is larger than that of one rounded up
        down = ~up[true] & (rest[true] > 1e-6)
        assert not up[true].any() or not down.any() or rest[true][up[true]].min() >= rest[true][down].max() - 1e-6
    changed = int(joint.sum() - np.trace(joint))
    assert xq.history(noisy)[-1].changed == changed
    assert xq.history(noisy)[-1].realised_rate == changed / count


def tagged(count: int, types: int) -> tuple[Dataset, int]:
    """Return sentences with one to three spans in valid BIO, and the number of spans."""
    names = ["O", *(f"{mark}-{kind}" for kind in range(types) for mark in "BI")]
    source = np.random.default_rng(count)
    tags, spans = [], 0
    for _ in range(count):
        row = [0]
        for kind in source.integers(0, types, source.integers(1, 4)).tolist():
            row += [1 + 2 * kind, *[2 + 2 * kind] * int(source.integers(0, 2)), 0, 0]
            spans += 1
        tags.append(row)
    features = Features({"ner_tags": List(ClassLabel(names=names))})
    return Dataset.from_dict({"ner_tags": tags}, features=features), spans


def check_lists(noise: Transform, rates: list[float], data: Dataset, name: str, units: int) -> None:
    """Check counts of spans or tokens, and that lists changed at the lower rate keep each change at the higher one."""
    clean, low, high = (
        np.concatenate(tagged_rows[name][:]) for tagged_rows in (data, *check(noise, rates, data, units))
    )
    assert ((high == low) | (low == clean)).all()


@settings(FEW_EXAMPLES, max_examples=10)
@given(FEWER, st.integers(2, 9), RATES)
def test_of_spans_and_tokens_exactly_the_share_is_changed(count: int, types: int, rates: list[float]) -> None:
    data, spans = tagged(count, types)
    check_lists(xq.TagNoise(0), rates, data, "ner_tags", spans)
    parts = Features({"pos_tags": List(ClassLabel(num_classes=types))})
    words = Dataset.from_dict({"pos_tags": [[row % types] * (1 + row % 3) for row in range(count)]}, features=parts)
    tokens = sum(map(len, words["pos_tags"]))
    check_lists(xq.TagNoise(0, column="pos_tags"), rates, words, "pos_tags", tokens)
    for noisy, rate in zip(check(xq.TagNoise(0, column="pos_tags"), rates, words, tokens), rates, strict=True):
        assert (np.concatenate(noisy["pos_tags"][:]) != np.concatenate(words["pos_tags"][:])).sum() == round(
            rate * tokens
        )


def question_rows(count: int) -> Dataset:
    """Return questions with an answer of one to three words in a context of eight."""
    words = "uno dos tres cuatro cinco seis siete ocho".split()
    starts = [sum(map(len, words[:number])) + number for number in range(8)]
    spans = [(row % 5, 1 + row % 3) for row in range(count)]
    answers: list[dict[str, Any]] = [
        {"text": [" ".join(words[at : at + length])], "answer_start": [starts[at]]} for at, length in spans
    ]
    return Dataset.from_dict({"context": [" ".join(words)] * count, "answers": answers})


@settings(FEW_EXAMPLES, max_examples=10)
@given(FEWER, RATES)
def test_of_answered_questions_exactly_the_share_is_changed(count: int, rates: list[float]) -> None:
    data = question_rows(count)
    low, high = ([row["answers"] for row in noisy] for noisy in check(xq.SpanNoise(0), rates, data, count))
    clean = [row["answers"] for row in data]
    changed = [sum(map(operator.ne, clean, noisy)) for noisy in (low, high)]
    assert changed == [round(rate * count) for rate in rates]
    assert all(answer in (first, last) for first, answer, last in zip(clean, low, high, strict=True))


def test_many_spans_and_questions_are_counted_as_exactly() -> None:
    data, spans = tagged(MANY // 2, 4)
    assert spans > MANY - 10_000
    check(xq.TagNoise(0), [0.0001], data, spans)
    check(xq.SpanNoise(0), [0.1], question_rows(MANY // 4), MANY // 4)


def test_a_question_without_an_answer_is_not_counted() -> None:
    empty = {"text": [], "answer_start": []}
    answers = [row["answers"] if place % 2 else empty for place, row in enumerate(question_rows(100))]
    data = Dataset.from_dict(
        {"context": question_rows(100)["context"][:], "answers": answers},
        features=Features(
            {
                "context": Value("string"),
                "answers": {"text": List(Value("string")), "answer_start": List(Value("int64"))},
            }
        ),
    )
    assert xq.history(xq.SpanNoise(0.3)(data, seed=1))[-1].changed == 15
