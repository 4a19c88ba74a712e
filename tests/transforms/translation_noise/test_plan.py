from collections import Counter

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from xquality.transforms import Draw
from xquality.transforms.translation_noise.plan import plan
from xquality.transforms.translation_noise.replacement import Replacement
from xquality.transforms.translation_noise.segmentation import segment
from xquality.transforms.translation_noise.strikes import strike

lengths = st.lists(st.integers(0, 12), min_size=1, max_size=8)
severities = st.sampled_from([0.0, 0.2, 0.5, 1.0])
seeds = st.integers(0, 50)


def planned(counts, severity, kinds, seed):
    units = segment(pa.array([" ".join(f"w{one}" for one in range(count)) for count in counts]))
    draw = Draw(seed, "plan", 0, np.arange(len(counts), dtype=np.uint64))
    strikes = strike(units, draw, severity, kinds, Replacement(), "text")
    return units, strikes, plan(units, strikes)


def of_rows(units, made, row):
    own = slice(made.first[row], made.first[row + 1])
    return (made.unit[own] - units.first[row]).tolist(), made.slot[own]


@given(lengths, severities, seeds)
def test_nothing_struck_is_nothing_changed(counts, severity, seed):
    units, _, made = planned(counts, severity, (), seed)
    assert made.unit.tolist() == made.slot.tolist() == list(range(len(units.start)))
    assert not made.cut.any()


@given(lengths, severities, seeds)
def test_omission_takes_the_struck_units_and_never_all(counts, severity, seed):
    units, strikes, made = planned(counts, severity, ("omission",), seed)
    assert sorted({*made.unit, *strikes.units["omission"]}) == list(range(len(units.start)))
    assert (np.diff(made.unit) > 0).all()
    assert ((np.diff(made.first) > 0) == (np.array(counts) > 0)).all()


@given(lengths, severities, seeds)
def test_repetition_says_a_struck_unit_at_once_again(counts, severity, seed):
    _, strikes, made = planned(counts, severity, ("repetition",), seed)
    twice = Counter(made.unit.tolist())
    assert {unit for unit, times in twice.items() if times == 2} == set(strikes.units["repetition"].tolist())
    assert (np.diff(made.unit) >= 0).all()
    assert (made.slot < 0).sum() == len(strikes.units["repetition"])


@given(lengths, severities, seeds)
def test_reordering_moves_units_by_a_few_places_within_their_row(counts, severity, seed):
    units, strikes, made = planned(counts, severity, ("reordering",), seed)
    moved = set(strikes.units["reordering"].tolist())
    assert sorted(made.unit) == list(range(len(units.start)))
    assert made.slot.tolist() == list(range(len(units.start)))
    for row in range(len(counts)):
        own, _ = of_rows(units, made, row)
        first = int(units.first[row])
        still = [one for one in own if one + first not in moved]
        assert still == sorted(still)  # those that were not struck keep their order
        assert (own != sorted(own)) == bool(moved & set(range(first, int(units.first[row + 1]))))


def test_a_lone_move_goes_one_to_three_places():
    far = Counter()
    for seed in range(400):
        _, strikes, made = planned([9], 0.06, ("reordering",), seed)
        if len(strikes.units["reordering"]) == 1:
            unit = int(strikes.units["reordering"][0])
            far[abs(made.unit.tolist().index(unit) - unit)] += 1
    assert set(far) == {1, 2, 3}


@given(lengths, severities, seeds)
def test_truncation_loses_an_end_and_at_most_half(counts, severity, seed):
    units, strikes, made = planned(counts, severity, ("truncation",), seed)
    for row, count in enumerate(counts):
        own, _ = of_rows(units, made, row)
        assert own == list(range(len(own)))
        struck = row in strikes.rows["truncation"]
        assert made.cut[row] == struck
        assert (count + 1) // 2 <= len(own) < count if struck else len(own) == count


@given(lengths, severities, seeds)
def test_a_hallucinated_tail_says_a_phrase_of_the_row_again_and_again(counts, severity, seed):
    units, strikes, made = planned(counts, severity, ("hallucination",), seed)
    for row, count in enumerate(counts):
        own, slots = of_rows(units, made, row)
        tail = own[count:]
        assert own[:count] == list(range(count))
        assert (slots[count:] == -1).all()
        if row in strikes.rows["hallucination"]:
            phrases = [tail[: len(tail) // times] * times for times in (2, 3) if len(tail) % times == 0]
            assert tail in phrases
            length = next(len(tail) // times for times in (2, 3) if tail == tail[: len(tail) // times] * times)
            assert tail[:length] == list(range(tail[0], tail[0] + length))
        else:
            assert not tail


@given(lengths, severities, seeds)
def test_all_kinds_together_leave_every_row_a_unit_of_its_own(counts, severity, seed):
    kinds = ("omission", "repetition", "reordering", "truncation", "hallucination")
    units, _, made = planned(counts, severity, kinds, seed)
    assert ((np.diff(made.first) > 0) == (np.array(counts) > 0)).all()
    assert (units.row[made.unit] == np.repeat(np.arange(len(counts)), np.diff(made.first))).all()
    real = made.slot[made.slot >= 0]
    assert (np.diff(real) > 0).all()
