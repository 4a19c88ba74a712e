"""Bitext mining against its definition written out with loops, and its laws; thresholds and F1 against all cuts.

The official cases are in test_parity.py.
"""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from xquality.errors import MetricError
from xquality.metrics.retrieval import best_threshold, bitext_f1, extract, mine

sizes = st.integers(1, 25)
seeds = st.integers(0, 2**32)
margins = st.sampled_from(["ratio", "distance", "absolute"])


def vectors(seed: int, rows: int, width: int = 6) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((rows, width)).astype(np.float32)


def by_definition(x: Any, y: Any, k: int, margin: str, retrieval: str) -> list[tuple[float, int, int]]:
    """Mine with loops over all pairs."""
    x, y = (side.astype(np.float64) / np.linalg.norm(side.astype(np.float64), axis=1)[:, None] for side in (x, y))
    cosines = x @ y.T
    near = [sorted(range(len(y)), key=lambda j, i=i: -cosines[i, j])[:k] for i in range(len(x))]
    near_back = [sorted(range(len(x)), key=lambda i, j=j: -cosines[i, j])[:k] for j in range(len(y))]
    mean = [np.mean([cosines[i, j] for j in near[i]]) for i in range(len(x))]
    mean_back = [np.mean([cosines[i, j] for i in near_back[j]]) for j in range(len(y))]

    def score(i: int, j: int) -> float:
        middle = (mean[i] + mean_back[j]) / 2
        return {
            "ratio": lambda: cosines[i, j] / middle,
            "distance": lambda: cosines[i, j] - middle,
            "absolute": lambda: cosines[i, j],
        }[margin]()

    best = [max(((score(i, j), i, j) for j in near[i]), key=lambda pair: pair[0]) for i in range(len(x))]
    best_back = [max(((score(i, j), i, j) for i in near_back[j]), key=lambda pair: pair[0]) for j in range(len(y))]
    if retrieval == "fwd":
        return best
    if retrieval == "bwd":
        return best_back
    if retrieval == "intersect":
        return [pair for pair in best if best_back[pair[2]][1] == pair[1]]
    used: set[tuple[str, int]] = set()
    found = []
    for value, i, j in sorted(best + best_back, key=lambda pair: -pair[0]):
        if not used & {("x", i), ("y", j)}:
            used |= {("x", i), ("y", j)}
            if value > 0:
                found.append((value, i, j))
    return found


@given(seeds, sizes, sizes, st.integers(1, 5), margins, st.sampled_from(["max", "fwd", "bwd", "intersect"]))
def test_mining_follows_its_definition(seed: int, rows: int, columns: int, k: int, margin: str, retrieval: str) -> None:
    x, y = vectors(seed, rows), vectors(seed + 1, columns)
    found, wanted = mine(x, y, k=k, margin=margin, retrieval=retrieval), by_definition(x, y, k, margin, retrieval)
    if k == 1 and margin == "ratio" and retrieval == "max":  # mutual neighbours all score 1: rounding orders them
        assert {pair[1:] for pair in found} == {pair[1:] for pair in wanted}
        return
    assert [pair[1:] for pair in found] == [pair[1:] for pair in wanted]
    # A mean near 0 makes a ratio large, and as sensitive to the 32-bit rounding of the vectors.
    assert [pair[0] for pair in found] == pytest.approx([pair[0] for pair in wanted], rel=1e-3, abs=1e-5)


@given(seeds, sizes, sizes, margins)
def test_pairs_are_one_to_one_and_best_first(seed: int, rows: int, columns: int, margin: str) -> None:
    found = mine(vectors(seed, rows), vectors(seed + 1, columns), margin=margin)
    scores, sources, targets = zip(*found, strict=True) if found else ((), (), ())
    assert list(scores) == sorted(scores, reverse=True)
    assert len(set(sources)) == len(sources)
    assert len(set(targets)) == len(targets)
    assert all(score > 0 for score in scores)


@given(seeds, sizes, sizes, st.integers(-3, 3))
def test_lengths_of_vectors_change_nothing(seed: int, rows: int, columns: int, power: int) -> None:
    x, y = vectors(seed, rows), vectors(seed + 1, columns)
    assert mine(x * np.float32(2.0**power), y) == mine(x, y)


@given(seeds, sizes, sizes)
def test_sides_can_be_swapped(seed: int, rows: int, columns: int) -> None:
    x, y = vectors(seed, rows), vectors(seed + 1, columns)
    swapped = {(row, column): score for score, column, row in mine(y, x)}
    assert {(row, column): score for score, row, column in mine(x, y)} == pytest.approx(swapped)


@given(seeds, st.integers(2, 25), sizes)
def test_rows_can_be_permuted(seed: int, rows: int, columns: int) -> None:
    x, y = vectors(seed, rows), vectors(seed + 1, columns)
    order = np.random.default_rng(seed).permutation(rows)
    moved = {(int(order[row]), column) for _, row, column in mine(x[order], y)}
    assert moved == {(row, column) for _, row, column in mine(x, y)}


@given(seeds, sizes, sizes, st.floats(0, 2))
def test_a_threshold_leaves_out_what_does_not_exceed_it(seed: int, rows: int, columns: int, cut: float) -> None:
    x, y = vectors(seed, rows), vectors(seed + 1, columns)
    assert mine(x, y, threshold=cut) == [pair for pair in mine(x, y) if pair[0] > cut]


@given(seeds, sizes, sizes, st.sampled_from(["cosine", "l2"]), st.booleans())
def test_a_device_finds_the_same(seed: int, rows: int, columns: int, distance: str, shift: bool) -> None:
    x, y = vectors(seed, rows), vectors(seed + 1, columns)
    found, wanted = (mine(x, y, distance=distance, shift=shift, device=device) for device in ("cpu", None))
    assert [pair[1:] for pair in found] == [pair[1:] for pair in wanted]
    assert [pair[0] for pair in found] == pytest.approx([pair[0] for pair in wanted])


def test_tensors_are_mined_as_arrays() -> None:
    import torch

    x, y = vectors(1, 9), vectors(2, 8)
    assert mine(torch.tensor(x), torch.tensor(y)) == mine(x, y)


def test_a_translation_among_distractors_is_found() -> None:
    x = vectors(5, 40, 64)
    y = np.concatenate([vectors(6, 30, 64), x[:20] + np.float32(0.2) * vectors(7, 20, 64)])
    found = {(row, column) for score, row, column in mine(x, y) if score > 2}
    assert found == {(row, row + 30) for row in range(20)}


def test_of_a_repeated_sentence_the_last_vector_counts_and_no_pair_returns() -> None:
    x, y = np.eye(4, dtype=np.float32), np.eye(4, dtype=np.float32)
    plain = {(0, 0), (1, 1), (2, 2), (3, 3)}
    assert {pair[1:] for pair in mine(x, y, k=2)} == plain
    found = mine(x, y, source_sentences=["a", "b", "a", "c"], k=2)
    assert {pair[1:] for pair in found} == {(1, 1), (3, 3)}
    # The first copy's vector is gone: what lay next to it finds another.
    near = np.array([[1, 0], [0, 1], [0.9, 0.1]], np.float32)
    assert mine(near[:2], near[2:], source_sentences=["a", "a"], k=1, retrieval="bwd") == []


def test_sentences_equal_but_for_blanks_are_mined_apart_and_not_returned() -> None:
    x = np.eye(3, dtype=np.float32)
    found = mine(x, x, source_sentences=["a", " a", "b"], target_sentences=["x", "y", "z\u3000"], k=1)
    assert [pair[1:] for pair in found] == [(2, 2)]


def test_lines_of_a_file_lose_the_last_character_without_a_line_end() -> None:
    x = np.eye(3, dtype=np.float32)
    whole = mine(x, x, source_sentences=["a\n", "b\n", "c\n"], k=1)
    assert {pair[1:] for pair in whole} == {(0, 0), (1, 1), (2, 2)}
    cut = mine(x, x, source_sentences=["a\n", "b\n", "ab"], k=1)  # its text is "a", which is the first row's
    assert {pair[1:] for pair in cut} == {(0, 0), (1, 1), (0, 2)}


@pytest.mark.parametrize("sentence", ["a\tb", "a\rb", "a\nb"])
def test_a_mined_sentence_of_several_columns_or_lines_is_refused(sentence: str) -> None:
    x = np.eye(3, dtype=np.float32)
    with pytest.raises(MetricError, match="Row 1 was mined"):
        mine(x, x, target_sentences=["x", sentence, "z"], k=1)
    # One that is not mined does no harm.
    lost = np.concatenate([x, -x[:1]])
    assert len(mine(x, lost, target_sentences=["x", "y", "z", sentence], k=1)) == 3


def test_a_vector_of_zeros_is_never_mined() -> None:
    x = vectors(1, 8)
    x[3] = 0
    assert 3 not in [row for _, row, _ in mine(x, vectors(2, 9))]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"k": 0}, "k=0"),
        ({"k": 2.0}, "k=2.0"),
        ({"k": True}, "k=True"),
        ({"margin": "best"}, "'ratio', 'distance', 'absolute'"),
        ({"retrieval": "both"}, "'max', 'intersect', 'fwd', 'bwd'"),
        ({"distance": "dot"}, "'cosine', 'l2'"),
        ({"source_sentences": ["a"]}, "1 source sentences for 3 source rows"),
        ({"target_sentences": ["a", "b", None]}, "None was found"),
        ({"target": np.zeros((0, 3))}, "at least one target row"),
        ({"target": np.eye(2)}, "width 3 cannot be compared with vectors of width 2"),
        ({"source": np.full((3, 3), np.nan)}, "3 of 3 rows are not"),
        ({"source": [1.0, 2.0]}, r"shape \(rows, width\)"),
    ],
)
def test_what_cannot_be_mined_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(MetricError, match=said):
        mine(**{"source": np.eye(3), "target": np.eye(3), **given})


def test_sentences_of_which_some_alone_end_with_a_line_break_are_refused() -> None:
    with pytest.raises(MetricError, match="row 1 ends with a line break"):
        mine(np.eye(3), np.eye(3), source_sentences=["aa", "bb\n", "cc"], target_sentences=["x", "y", "z"])


pairs = st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("uvwxyz"))
scored = st.lists(
    st.tuples(st.floats(-1, 2).map(lambda value: round(value, 1)), pairs), max_size=25, unique_by=lambda pair: pair[1]
).map(lambda found: [(score, *pair) for score, pair in found])
golds = st.sets(pairs, max_size=12)


@given(scored, golds)
def test_without_equal_scores_the_threshold_is_the_best_of_all_cuts(found: Any, gold: Any) -> None:
    found = [(score + place * 1e-6, *pair) for place, (score, *pair) in enumerate(found)]
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
    assert extract(found, 0.5) == [tuple(pair) for score, *pair in found if score >= 0.5]


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
