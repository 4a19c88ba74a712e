"""Thresholds and F1 of pairs, against trying every cut; the official cases stand in test_parity.py."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xquality.errors import MetricError
from xquality.metrics.bitext import best_threshold, bitext_f1, extract

pairs = st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("uvwxyz"))
scored = st.lists(
    st.tuples(st.floats(-1, 2).map(lambda value: round(value, 1)), pairs), max_size=25, unique_by=lambda one: one[1]
).map(lambda found: [(score, *pair) for score, pair in found])
golds = st.sets(pairs, max_size=12)


@given(scored, golds)
def test_without_equal_scores_the_threshold_is_the_best_of_all_cuts(found: Any, gold: Any) -> None:
    found = [(score + place * 1e-6, one, other) for place, (score, one, other) in enumerate(found)]
    cuts = sorted((score for score, _, _ in found), reverse=True)
    best = max((bitext_f1(extract(found, cut), gold)["f1"] for cut in cuts), default=0.0)
    chosen = best_threshold(found, gold, at_end="keep")
    if best:
        assert chosen["f1"] == best
        assert {name: chosen[name] for name in ("f1", "precision", "recall")} == bitext_f1(
            extract(found, chosen["threshold"]), gold
        )
    else:
        assert chosen["threshold"] == 0.0


@given(scored, golds)
def test_the_end_is_refused_or_kept_and_nothing_else_differs(found: Any, gold: Any) -> None:
    kept = best_threshold(found, gold, at_end="keep")
    try:
        assert best_threshold(found, gold) == kept
    except MetricError:
        assert kept["threshold"] == min(score for score, _, _ in found)


@given(scored, golds)
def test_extracted_are_those_at_least_at_the_threshold(found: Any, gold: Any) -> None:
    assert extract(found, 0.5) == [(one, other) for score, one, other in found if score >= 0.5]


@given(st.lists(pairs), st.lists(pairs))
def test_f1_is_that_of_sets(found: Any, gold: Any) -> None:
    shared = len(set(found) & set(gold))
    scores = bitext_f1(found, gold)
    assert scores["f1"] == pytest.approx(200 * shared / max(1, len(set(found)) + len(set(gold))))
    assert bitext_f1(found, found)["f1"] == (100.0 if found else 0.0)
    assert bitext_f1(reversed(found), gold) == scores


def test_lines_are_split_at_tabs() -> None:
    assert bitext_f1(["a\tx"], [("a", "x")])["f1"] == 100.0
    assert bitext_f1(["0.9\ta\tx"], [("a", "x")])["f1"] == 0.0
    assert bitext_f1([""], [""])["f1"] == 100.0
    assert best_threshold([(1.0, "a", "x"), (0.5, "b", "y")], ["a\tx"])["threshold"] == 0.75


def test_rows_are_pairs_too() -> None:
    assert best_threshold([(1.0, 0, 3), (0.5, 1, 2)], [[0, 3]])["f1"] == 100.0


def test_equal_scores_around_the_cut_are_all_taken() -> None:
    chosen = best_threshold([(1.2, "a", "x"), (1.2, "b", "y"), (1.0, "c", "z")], [("a", "x")])
    assert chosen == {"threshold": 1.2, "f1": pytest.approx(200 / 3), "precision": 50.0, "recall": 100.0}


def test_a_repeated_pair_keeps_its_larger_score_at_its_first_place() -> None:
    found = [(1.0, "a", "x"), (1.1, "b", "y"), (1.3, "a", "x")]
    assert extract(found, 1.1) == [("a", "x"), ("b", "y")]
    assert best_threshold(found, [("a", "x")])["threshold"] == (1.3 + 1.1) / 2


def test_infinite_scores_are_scores() -> None:
    assert best_threshold([(math.inf, "a", "x"), (1.0, "b", "y")], [("a", "x")])["threshold"] == math.inf
    # Halfway between both infinities lies nothing, and nothing is at least that.
    odd = best_threshold([(math.inf, "a", "x"), (-math.inf, "b", "y")], [("a", "x")])
    assert math.isnan(odd["threshold"])
    assert odd["f1"] == 0.0


def test_nothing_right_takes_all_that_is_not_negative() -> None:
    assert best_threshold([(1.0, "a", "x"), (-1.0, "b", "y")], [("c", "z")])["threshold"] == 0.0
    assert best_threshold([], [])["f1"] == 0.0


@pytest.mark.parametrize(
    "candidates", [[("a", "x")], [(None, "a", "x")], [("high", "a", "x")], [3], [(1.0, ["a"], "x", 2)]]
)
def test_what_is_no_scored_pair_is_refused(candidates: Any) -> None:
    with pytest.raises(MetricError, match="A candidate is"):
        best_threshold(candidates, [])


def test_the_end_is_refused_with_a_way_out() -> None:
    with pytest.raises(MetricError, match="at_end='keep'"):
        best_threshold([(1.0, "a", "x")], [("a", "x")])
    with pytest.raises(MetricError, match="'refuse', 'keep'"):
        best_threshold([], [], at_end="last")


def test_what_is_no_pair_and_no_number_is_refused() -> None:
    with pytest.raises(MetricError, match="A pair is"):
        bitext_f1([1, 2], [1])
    with pytest.raises(MetricError, match="no number"):
        best_threshold([(math.nan, "a", "x"), (1.0, "b", "y")], [("a", "x")])
