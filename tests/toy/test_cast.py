"""The words that a row may use: drawn for each row apart, never twice the same in one row."""

from collections import Counter

import numpy as np
import pytest

from xquality.toy.cast import casts, shuffled
from xquality.toy.lexicon import TOPICS, lexicon
from xquality.transforms import Draw


def draw(start: int, stop: int, seed: int = 0) -> Draw:
    return Draw(seed=seed, scope="test", stream=0, uids=np.arange(start, stop, dtype=np.uint64))


def test_every_row_has_its_own_permutation() -> None:
    orders = shuffled(draw(0, 600), "order", 3)
    assert (np.sort(orders, axis=1) == [0, 1, 2]).all()
    counts = Counter(map(tuple, orders.tolist()))
    assert len(counts) == 6
    assert max(counts.values()) < 1.5 * min(counts.values())


def test_a_permutation_is_fixed_by_the_rows_uid_the_seed_and_the_purpose() -> None:
    assert (shuffled(draw(0, 20), "order", 5)[7:9] == shuffled(draw(7, 9), "order", 5)).all()
    assert (shuffled(draw(0, 20), "order", 5) != shuffled(draw(0, 20), "other", 5)).any()
    assert (shuffled(draw(0, 20), "order", 5) != shuffled(draw(0, 20, seed=1), "order", 5)).any()


@pytest.mark.parametrize("rows", [0, 1])
def test_few_rows_have_few_casts(rows: int) -> None:
    assert len(casts(draw(0, rows))) == rows


def test_a_cast_is_fixed_by_the_rows_uid() -> None:
    assert casts(draw(0, 30))[10:12] == casts(draw(10, 12))


def test_no_word_stands_in_two_slots_of_a_row() -> None:
    for cast in casts(draw(0, 300)):
        words = [word for slot in cast for word in cast[slot]]
        assert len(set(words)) == len(words)


def test_slots_hold_words_of_their_group_that_the_lexicon_has() -> None:
    for cast in casts(draw(0, 300)):
        for slot, words in cast.items():
            for group, place in words:
                assert group in (TOPICS if slot.isdigit() else (slot.removesuffix("2"),))
                assert 0 <= place < len(lexicon().words[group])


def test_some_first_persons_have_two_given_names_and_no_other_slot_has_two_words() -> None:
    rows = casts(draw(0, 1000))
    assert 0.3 < sum(len(cast["person"]) == 2 for cast in rows) / len(rows) < 0.5
    assert {len(cast[slot]) for cast in rows for slot in cast if slot != "person"} == {1}


def test_every_word_is_used_by_some_row() -> None:
    used = {word for cast in casts(draw(0, 1000)) for words in cast.values() for word in words}
    assert used == {(group, place) for group, words in lexicon().words.items() for place in range(len(words))}
