"""Quotas and coverage: nested in the count, whatever the order of rows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from xquality.transforms import Draw
from xquality.transforms.quotas import by_quota, farthest_first


def draw_of(uids: np.ndarray) -> Draw:
    return Draw(3, "Subsample", 0, uids.astype(np.uint64))


@given(st.lists(st.integers(0, 4), min_size=1, max_size=80), st.floats(0.3, 20), st.data())
def test_quotas_nest_and_do_not_see_the_order(strata: list[int], temperature: float, data: st.DataObject) -> None:
    stratum, uids = np.array(strata), np.arange(len(strata)) * 11
    few, many = sorted(data.draw(st.tuples(st.integers(0, len(strata)), st.integers(0, len(strata)))))
    small, large = (set(uids[by_quota(stratum, draw_of(uids), count, temperature)]) for count in (few, many))
    assert small <= large
    assert len(large) == many
    places = np.random.default_rng(0).permutation(len(strata))
    again = uids[places][by_quota(stratum[places], draw_of(uids[places]), many, temperature)]
    assert set(again) == large


def test_coverage_nests_and_does_not_see_the_order() -> None:
    points, uids = np.random.default_rng(1).normal(size=(60, 3)), np.arange(60) * 7
    small, large = (set(uids[farthest_first(points, draw_of(uids), count)]) for count in (5, 20))
    places = np.random.default_rng(2).permutation(60)
    again = set(uids[places][farthest_first(points[places], draw_of(uids[places]), 20)])
    assert small < large == again


def test_equal_points_are_not_chosen_twice() -> None:
    assert len(set(farthest_first(np.zeros((6, 2)), draw_of(np.arange(6)), 6).tolist())) == 6
