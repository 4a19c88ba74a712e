"""Out-of-sample probabilities: no row is judged by a model that saw it, and the order of rows changes nothing."""

import numpy as np
import pytest

from xquality import toy
from xquality.label_issues.tfidf import out_of_sample
from xquality.randomness import Bits, hash_uids
from xquality.transforms import Draw

ROWS = 120
UIDS = np.arange(ROWS, dtype=np.uint64)
CLASSES = len(toy.topics.head.labels)


def draw(uids: Bits = UIDS, seed: int = 1) -> Draw:
    return Draw(seed, "CleanlabFilter", 0, uids)


def groups_of(texts: list[str]) -> Bits:
    import pyarrow as pa

    return hash_uids(pa.array(texts))


@pytest.fixture(scope="module")
def rows() -> tuple[list[str], np.ndarray]:
    data = toy.topics.load("en", "train").select(range(ROWS))
    return list(data["text"]), np.array(data["label"])


def test_each_row_gets_probabilities_of_every_class(rows: tuple[list[str], np.ndarray]) -> None:
    texts, labels = rows
    found = out_of_sample([texts], labels, CLASSES + 1, groups_of(texts), draw(), 4)
    assert found.shape == (ROWS, CLASSES + 1)
    assert found.sum(axis=1) == pytest.approx(1)
    assert (found >= 0).all()
    assert (found[:, CLASSES] == 0).all()  # a class without rows


def test_text_that_tells_the_class_gives_the_class() -> None:
    words = ["kalt", "warm", "nass"]
    labels = np.arange(ROWS) % 3
    texts = [f"heute ist es {words[label]} am Ort {row}" for row, label in enumerate(labels)]
    found = out_of_sample([texts], labels, 3, groups_of(texts), draw(), 5)
    assert (found.argmax(axis=1) == labels).mean() > 0.95


def test_labels_that_the_text_does_not_tell_are_not_learned_by_heart() -> None:
    labels = draw().integers("label", 2)
    texts = [f"{value:016x}" for value in draw().bits("text")]
    found = out_of_sample([texts], labels, 2, groups_of(texts), draw(), 5)
    assert (found.argmax(axis=1) == labels).mean() < 0.7  # a model that saw the rows is right on all of them


def test_copies_of_a_row_do_not_betray_its_label() -> None:
    labels = draw().integers("label", 2)
    texts = [f"{value:016x}" for value in draw().bits("text")]
    twice, double = texts * 2, np.concatenate([labels, labels])
    uids = np.arange(2 * ROWS, dtype=np.uint64)
    apart = out_of_sample([twice], double, 2, uids, draw(uids), 5)
    together = out_of_sample([twice], double, 2, groups_of(twice), draw(uids), 5)
    assert (apart.argmax(axis=1) == double).mean() > 0.75
    assert (together.argmax(axis=1) == double).mean() < 0.65


def test_the_order_of_rows_changes_no_probability(rows: tuple[list[str], np.ndarray]) -> None:
    texts, labels = rows
    order = draw(seed=7).order("shuffle")
    straight = out_of_sample([texts], labels, CLASSES, groups_of(texts), draw(), 3)
    shuffled_texts = [texts[row] for row in order]
    shuffled = out_of_sample([shuffled_texts], labels[order], CLASSES, groups_of(shuffled_texts), draw(UIDS[order]), 3)
    assert (shuffled == straight[order]).all()


def test_another_seed_gives_other_folds_and_the_same_seed_the_same_bytes(rows: tuple[list[str], np.ndarray]) -> None:
    texts, labels = rows
    first, second, other = (
        out_of_sample([texts], labels, CLASSES, groups_of(texts), draw(seed=seed), 3) for seed in (1, 1, 2)
    )
    assert (first == second).all()
    assert (first != other).any()


def test_both_texts_of_a_pair_are_read() -> None:
    labels = np.arange(ROWS) % 2
    same = ["immer gleich"] * ROWS
    telling = [f"{'ja' if label else 'nein'} {row}" for row, label in enumerate(labels)]
    for columns in ([same, telling], [telling, same]):
        found = out_of_sample(columns, labels, 2, groups_of(telling), draw(), 4)
        assert (found.argmax(axis=1) == labels).mean() > 0.95


def test_rows_of_one_class_get_its_smoothed_share() -> None:
    texts = [f"text {row}" for row in range(ROWS)]
    found = out_of_sample([texts], np.zeros(ROWS, np.int64), 2, groups_of(texts), draw(), 4)
    assert found.sum(axis=1) == pytest.approx(1)
    assert (found[:, 0] > 0.9).all()
    assert (found[:, 1] > 0).all()
