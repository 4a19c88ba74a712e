import itertools

import numpy as np
import pyarrow as pa
import pytest

from xquality.transforms import Draw
from xquality.transforms.translation_noise.replacement import Replacement
from xquality.transforms.translation_noise.segmentation import segment
from xquality.transforms.translation_noise.strikes import ROW_KINDS, WORD_KINDS, spared, strike

TEXTS = pa.array([" ".join(f"w{word}" for word in range(row % 9 + 1)) for row in range(3000)])
DRAW = Draw(1, "TranslationNoise", 0, np.arange(3000, dtype=np.uint64))
FREE = ("omission", "repetition", "reordering", "truncation", "hallucination")


def struck(severity, kinds=FREE, draw=DRAW, texts=TEXTS, column="text"):
    return strike(segment(texts), draw, severity, kinds, Replacement(), column)


def counted(found, texts):
    return found.counts(segment(texts), np.ones(len(texts), bool))


@pytest.mark.parametrize(("weak", "strong"), [(0.0, 0.1), (0.1, 0.3), (0.3, 1.0)])
def test_what_is_struck_at_a_low_severity_is_struck_alike_at_a_higher_one(weak, strong):
    less, more = struck(weak), struck(strong)
    for kind in ("omission", "repetition", "reordering"):
        assert set(less.units[kind]) <= set(more.units[kind])
    for kind in ROW_KINDS:
        assert set(less.rows[kind]) <= set(more.rows[kind])


def test_no_unit_is_struck_twice():
    found = np.concatenate(list(struck(0.8).units.values()))
    assert len(np.unique(found)) == len(found)


@pytest.mark.parametrize("severity", [0.05, 0.3])
def test_the_share_of_units_and_of_rows_is_the_severity(severity):
    found = struck(severity)
    units = len(segment(TEXTS).start)
    share = sum(map(len, found.units.values())) / units
    rows = sum(map(len, found.rows.values())) / len(TEXTS)
    assert abs(share - severity) < 4 * np.sqrt(severity / units)
    assert abs(rows - severity) < 4 * np.sqrt(severity / len(TEXTS))
    for several in (found.units, found.rows):
        counts = [len(one) for one in several.values()]
        assert max(counts) < 1.6 * min(counts)


def test_a_severity_of_one_strikes_all_that_can_be_struck():
    units = segment(TEXTS)
    assert struck(1.0, ("repetition",)).counts(units, np.ones(3000, bool)) == {"repetition": len(units.start)}
    lone = pa.array(["one"] * 10)
    draw = Draw(1, "t", 0, np.arange(10, dtype=np.uint64))
    none = struck(1.0, ("omission", "reordering", "truncation"), draw, lone)
    assert counted(none, lone) == {"omission": 0, "reordering": 0, "truncation": 0}


def test_a_kind_that_is_not_possible_gives_way():
    lone = pa.array(["one"] * 10)
    draw = Draw(1, "t", 0, np.arange(10, dtype=np.uint64))
    units, rows = (struck(1.0, kinds, draw, lone) for kinds in (("omission", "repetition"), ROW_KINDS))
    assert counted(units, lone) == {"omission": 0, "repetition": 10}
    assert counted(rows, lone) == {"truncation": 0, "hallucination": 10}


@pytest.mark.parametrize("kinds", list(itertools.permutations(("omission", "entity", "repetition", "untranslated"))))
def test_the_share_of_a_kind_that_is_not_possible_falls_to_the_others_evenly(kinds):
    texts = pa.array([" ".join(["word"] * 40)] * 200)  # nothing to alter, and nothing to take from the source
    found = strike(segment(texts), DRAW.of(DRAW.uids[:200]), 0.5, kinds, Replacement(None, segment(texts)), "text")
    counts = counted(found, texts)
    assert counts["entity"] == counts["untranslated"] == 0
    assert abs(counts["omission"] - counts["repetition"]) < 4 * np.sqrt(4000) + 100  # a few units are spared


@pytest.mark.parametrize("kinds", [("omission", "entity", "repetition"), ("entity", "omission", "repetition")])
def test_strikes_nest_where_kinds_give_way(kinds):
    texts = pa.array(["el tren a Madrid sale en 2020 y vuelve"] * 300)
    draw = DRAW.of(DRAW.uids[:300])
    less, more = (strike(segment(texts), draw, one, kinds, Replacement(), "text") for one in (0.2, 0.7))
    for kind in kinds:
        assert set(less.units[kind]) <= set(more.units[kind])
    assert len(less.units["entity"])
    assert set(less.renewed) <= set(more.renewed)
    new = dict(zip(more.renewed, more.texts.to_pylist(), strict=True))
    assert all(new[unit] == text for unit, text in zip(less.renewed, less.texts.to_pylist(), strict=True))


def test_strikes_are_counted_in_the_rows_that_are_asked_for():
    texts = pa.array(["uno dos tres", "cuatro cinco"])
    found = struck(1.0, ("repetition", "hallucination"), DRAW.of(DRAW.uids[:2]), texts)
    units = segment(texts)
    assert found.counts(units, np.array([True, False])) == {"repetition": 3, "hallucination": 1}
    assert found.counts(units, np.array([False, False])) == {"repetition": 0, "hallucination": 0}


def test_the_fate_of_a_row_does_not_depend_on_its_neighbours():
    order = np.random.default_rng(0).permutation(len(TEXTS))
    shuffled = struck(
        0.4, draw=Draw(1, "TranslationNoise", 0, order.astype(np.uint64)), texts=TEXTS.take(pa.array(order))
    )
    plain = struck(0.4)
    for kind in ("omission", "repetition", "reordering"):
        first, other = segment(TEXTS), segment(TEXTS.take(pa.array(order)))
        one = {(int(first.row[unit]), int(unit - first.first[first.row[unit]])) for unit in plain.units[kind]}
        two = {(int(order[other.row[unit]]), int(unit - other.first[other.row[unit]])) for unit in shuffled.units[kind]}
        assert one == two


def test_two_columns_of_one_row_are_struck_apart():
    assert set(struck(0.3).units["omission"]) != set(struck(0.3, column="other").units["omission"])


def test_the_spared_unit_stands_in_the_first_half_of_its_row():
    units = segment(TEXTS)
    found = struck(1.0, ("omission",))
    kept = spared(units, found.drawn)
    place = kept - units.first[:-1]
    assert (place >= 0).all()
    assert (place < (units.counts + 1) // 2).all()
    assert set(kept) | set(found.units["omission"]) == set(range(len(units.start)))
    assert not set(kept) & set(found.units["omission"])


def test_the_kinds_are_eight():
    assert len(WORD_KINDS + ROW_KINDS) == len(set(WORD_KINDS + ROW_KINDS)) == 8
