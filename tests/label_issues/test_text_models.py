"""Text models: no row or token is predicted by a model that saw it, and the order of rows changes nothing."""

from typing import Any

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, Features, List, Value

from xquality import toy
from xquality.data._datasets import table_of
from xquality.data.arrow import value_indices
from xquality.label_issues.folds import hash_texts
from xquality.label_issues.predictions import Tagging, read_tagging
from xquality.label_issues.text_models import class_probabilities, predict_classes, predict_tags, tag_probabilities
from xquality.randomness import Bits
from xquality.transforms import Draw, Rows

ROWS = 120
UIDS = np.arange(ROWS, dtype=np.uint64)
CLASSES = len(toy.topics.head.labels)
TEXTS = Features({"a": Value("string"), "b": Value("string"), "label": ClassLabel(names=["x", "y"])})
TOKENS = Features(
    {"tokens": List(Value("string")), "langs": List(Value("string")), "tags": List(ClassLabel(names=["A", "B"]))}
)


def draw(uids: Bits = UIDS, seed: int = 1) -> Draw:
    return Draw(seed, "CleanlabFilter", 0, uids)


def random_texts() -> list[str]:
    return [f"{value:016x}" for value in draw().bits("text")]


def of_texts(texts: list[str], labels: np.ndarray, classes: int, keyed: Draw, folds: int) -> np.ndarray:
    return class_probabilities([texts], labels, classes, hash_texts([texts]), keyed, folds)


def of_tokens(
    sentences: list[list[str]], tags: list[list[int]], classes: int, keyed: Draw, folds: int = 4
) -> np.ndarray:
    tokens, flat = ([value for row in rows for value in row] for rows in (sentences, tags))
    counts = np.array([len(sentence) for sentence in sentences])
    tagging = Tagging(np.array(flat), counts, tuple(map(str, range(classes))))
    groups = hash_texts([[" ".join(sentence) for sentence in sentences]])
    return tag_probabilities([tokens], tagging, groups, keyed, folds)


@pytest.fixture(scope="module")
def topics() -> tuple[list[str], np.ndarray]:
    data = toy.topics.load("en", "train").select(range(ROWS))
    return list(data["text"]), np.array(data["label"])


@pytest.fixture(scope="module", params=["es", "zh"])
def tagged(request: pytest.FixtureRequest) -> tuple[list[list[str]], list[list[int]]]:
    data = toy.entities.load(request.param, "train").select(range(ROWS))
    return data["tokens"][:], data["ner_tags"][:]


def test_each_row_gets_probabilities_of_every_class(topics: tuple[list[str], np.ndarray]) -> None:
    probabilities = of_texts(*topics, CLASSES + 1, draw(), 4)
    assert probabilities.shape == (ROWS, CLASSES + 1)
    assert probabilities.sum(axis=1) == pytest.approx(1)
    assert (probabilities >= 0).all()
    assert (probabilities[:, CLASSES] == 0).all()  # a class without rows


def test_a_word_that_decides_the_class_is_learnt() -> None:
    words = ["kalt", "warm", "nass"]
    labels = np.arange(ROWS) % 3
    texts = [f"heute ist es {words[label]} am Ort {row}" for row, label in enumerate(labels)]
    assert (of_texts(texts, labels, 3, draw(), 5).argmax(axis=1) == labels).mean() > 0.95


def test_random_labels_are_not_memorised() -> None:
    labels = draw().integers("label", 2)
    predicted = of_texts(random_texts(), labels, 2, draw(), 5).argmax(axis=1)
    assert (predicted == labels).mean() < 0.7  # a model that saw the rows is right on all of them


def test_a_copy_of_a_row_does_not_reveal_its_label() -> None:
    labels = draw().integers("label", 2)
    twice, doubled = random_texts() * 2, np.concatenate([labels, labels])
    uids = np.arange(2 * ROWS, dtype=np.uint64)
    separate = class_probabilities([twice], doubled, 2, uids, draw(uids), 5)
    together = of_texts(twice, doubled, 2, draw(uids), 5)
    assert (separate.argmax(axis=1) == doubled).mean() > 0.75
    assert (together.argmax(axis=1) == doubled).mean() < 0.65


def test_the_order_of_rows_changes_no_probability(topics: tuple[list[str], np.ndarray]) -> None:
    texts, labels = topics
    order = draw(seed=7).order("shuffle")
    straight = of_texts(texts, labels, CLASSES, draw(), 3)
    shuffled = of_texts([texts[row] for row in order], labels[order], CLASSES, draw(UIDS[order]), 3)
    assert (shuffled == straight[order]).all()


def test_another_seed_gives_other_folds_and_the_same_seed_the_same_bytes(topics: tuple[list[str], np.ndarray]) -> None:
    first, second, other = (of_texts(*topics, CLASSES, draw(seed=seed), 3) for seed in (1, 1, 2))
    assert (first == second).all()
    assert (first != other).any()


def test_both_texts_of_a_pair_are_read() -> None:
    labels = np.arange(ROWS) % 2
    same = ["immer gleich"] * ROWS
    decisive = [f"{'ja' if label else 'nein'} {row}" for row, label in enumerate(labels)]
    for columns in ([same, decisive], [decisive, same]):
        probabilities = class_probabilities(columns, labels, 2, hash_texts([decisive]), draw(), 4)
        assert (probabilities.argmax(axis=1) == labels).mean() > 0.95


def test_each_token_gets_probabilities_of_every_tag(tagged: tuple[list[list[str]], list[list[int]]]) -> None:
    probabilities = of_tokens(*tagged, 8, draw())
    assert probabilities.shape == (sum(map(len, tagged[0])), 8)
    assert probabilities.sum(axis=1) == pytest.approx(1)
    assert (probabilities[:, 7] == 0).all()  # a tag without tokens
    assert (probabilities[:, :7].argmax(axis=1) == np.concatenate(tagged[1])).mean() > 0.8


def test_the_tokens_beside_it_decide_a_tag_where_the_token_does_not() -> None:
    sentences = [["the" if row % 2 else "to", "duck", f"w{row}"] for row in range(ROWS)]
    tags = [[0, 1 if row % 2 else 2, 3] for row in range(ROWS)]
    assert (of_tokens(sentences, tags, 4, draw()).argmax(axis=1) == np.concatenate(tags)).mean() > 0.95


def test_random_tags_are_not_memorised() -> None:
    tags = draw().integers("tag", 2)
    predicted = of_tokens([[text] for text in random_texts()], [[int(tag)] for tag in tags], 2, draw()).argmax(axis=1)
    assert (predicted == tags).mean() < 0.7


def test_the_order_of_rows_changes_no_probability_of_a_tag(tagged: tuple[list[list[str]], list[list[int]]]) -> None:
    sentences, tags = tagged
    order = draw(seed=7).order("shuffle")
    straight = of_tokens(sentences, tags, 7, draw())
    shuffled = of_tokens([sentences[row] for row in order], [tags[row] for row in order], 7, draw(UIDS[order]))
    assert (shuffled == straight[value_indices(np.array([len(sentence) for sentence in sentences]), order)]).all()


def test_rows_without_tokens_are_passed_over() -> None:
    sentences = [[], ["a", "b"], [], ["c"], ["a", "d"], ["b"], []]
    tags = [[], [0, 1], [], [1], [0, 1], [1], []]
    probabilities = of_tokens(sentences, tags, 2, draw(UIDS[:7]), 2)
    assert probabilities.shape == (6, 2)
    assert np.isfinite(probabilities).all()


def text_rows(count: int) -> Rows:
    columns: dict[str, list[Any]] = {"a": [f"text {row}" for row in range(count)], "b": [""] * count}
    data = Dataset.from_dict({**columns, "label": [row % 2 for row in range(count)]}, features=TEXTS)
    return Rows(table_of(data), data.features, "Test")


def token_rows(count: int) -> tuple[Rows, Tagging]:
    columns = {"tokens": [[f"w{row}", "und"] for row in range(count)], "langs": [["de", "de"]] * count}
    data = Dataset.from_dict({**columns, "tags": [[0, 1]] * count}, features=TOKENS)
    rows = Rows(table_of(data), data.features, "Test")
    return rows, read_tagging(rows, "tags", ("A", "B"), valid=False)


@pytest.mark.parametrize("count", [10, 0])
def test_predictions_come_with_the_columns_that_were_read(count: int) -> None:
    keyed = draw(UIDS[:count])
    classes, names = predict_classes(text_rows(count), "label", None, keyed, 2)
    assert names == (("a",) if count else ("a", "b"))
    assert classes.probabilities.array().shape == (count, 2)
    assert classes.probabilities.has_distributions()
    rows, tagging = token_rows(count)
    tags, names = predict_tags(rows, tagging, None, keyed, 2)
    assert names == ("tokens", "langs")
    assert tags.probabilities.array().shape == (2 * count, 2)
    assert tags.predicted.all()
