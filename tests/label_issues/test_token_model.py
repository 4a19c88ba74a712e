"""Out-of-sample tags: no token is judged by a model that saw its row, and the order of rows changes nothing."""

import numpy as np
import pyarrow as pa
import pytest

from xquality import toy
from xquality.data.arrow import value_indices
from xquality.label_issues.token_model import out_of_sample_tags
from xquality.randomness import Bits, hash_uids
from xquality.transforms import Draw

ROWS = 150
UIDS = np.arange(ROWS, dtype=np.uint64)


def draw(uids: Bits = UIDS, seed: int = 1) -> Draw:
    return Draw(seed, "CleanlabFilter", 0, uids)


def groups_of(sentences: list[list[str]]) -> Bits:
    return hash_uids(pa.array([" ".join(one) for one in sentences]))


def judged(sentences: list[list[str]], tags: list[list[int]], classes: int, draw: Draw, folds: int = 4) -> np.ndarray:
    tokens, flat = ([one for row in rows for one in row] for rows in (sentences, tags))
    counts = np.array([len(one) for one in sentences])
    return out_of_sample_tags([tokens], np.array(flat), counts, classes, groups_of(sentences), draw, folds)


@pytest.fixture(scope="module", params=["es", "zh"])
def tagged(request: pytest.FixtureRequest) -> tuple[list[list[str]], list[list[int]]]:
    data = toy.entities.load(request.param, "train").select(range(ROWS))
    return data["tokens"][:], data["ner_tags"][:]


def test_each_token_gets_probabilities_of_every_tag(tagged: tuple[list[list[str]], list[list[int]]]) -> None:
    found = judged(*tagged, 8, draw())
    assert found.shape == (sum(map(len, tagged[0])), 8)
    assert found.sum(axis=1) == pytest.approx(1)
    assert (found[:, 7] == 0).all()  # a tag without tokens


def test_tokens_tell_their_tags(tagged: tuple[list[list[str]], list[list[int]]]) -> None:
    found = judged(*tagged, 7, draw())
    assert (found.argmax(axis=1) == np.concatenate(tagged[1])).mean() > 0.8


def test_neighbours_tell_what_a_token_alone_does_not() -> None:
    sentences = [["the" if row % 2 else "to", "duck", f"w{row}"] for row in range(ROWS)]
    tags = [[0, 1 if row % 2 else 2, 3] for row in range(ROWS)]
    found = judged(sentences, tags, 4, draw())
    assert (found.argmax(axis=1) == np.concatenate(tags)).mean() > 0.95


def test_tags_that_tokens_do_not_tell_are_not_learned_by_heart() -> None:
    tags = draw().integers("tag", 2)
    sentences = [[f"{value:016x}"] for value in draw().bits("text")]
    found = judged(sentences, [[int(one)] for one in tags], 2, draw())
    assert (found.argmax(axis=1) == tags).mean() < 0.7


def test_the_order_of_rows_changes_no_probability(tagged: tuple[list[list[str]], list[list[int]]]) -> None:
    sentences, tags = tagged
    order = draw(seed=7).order("shuffle")
    straight = judged(sentences, tags, 7, draw())
    shuffled = judged([sentences[row] for row in order], [tags[row] for row in order], 7, draw(UIDS[order]))
    assert (shuffled == straight[value_indices(np.array([len(one) for one in sentences]), order)]).all()


def test_rows_without_tokens_are_passed_over() -> None:
    sentences = [[], ["a", "b"], [], ["c"], ["a", "d"], ["b"], []]
    tags = [[], [0, 1], [], [1], [0, 1], [1], []]
    found = judged(sentences, tags, 2, draw(UIDS[:7]), 2)
    assert found.shape == (6, 2)
    assert np.isfinite(found).all()
