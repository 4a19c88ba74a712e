"""Keyed draws: frozen for good, uniform, independent, and blind to everything but the uid."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare, kstest, pearsonr

from xquality.errors import UidError
from xquality.randomness import Bits, derive_seed, hash_uids, key, mix
from xquality.transforms import Draw

ROWS = 40_000
INTEGERS = np.arange(ROWS, dtype=np.uint64)
STRINGS = hash_uids(pa.array([f"row-{row}" for row in range(ROWS)]))
NAMED = {"integers": INTEGERS, "strings": STRINGS}
FAR = 1e-5  # a fixed outcome of fixed draws: a test fails for a broken mixer, never by chance

texts = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=12)


def draw(uids: Bits = INTEGERS, *, seed: int = 1, scope: str = "Noise", stream: int = 0) -> Draw:
    return Draw(seed, scope, stream, uids)


def test_draws_never_change_silently() -> None:
    numbers = draw(np.array([0, 1, 2, 2**64 - 1], np.uint64))
    assert numbers.bits("keep").tolist() == [
        16808622260514229762,
        8376199331341794665,
        4590375427315328584,
        14577604177493482083,
    ]
    assert numbers.uniform("keep").tolist() == [
        0.9111972385668868,
        0.4540746756106201,
        0.24884475054096766,
        0.7902535059436099,
    ]
    assert numbers.integers("label", 1000).tolist() == [462, 270, 720, 552]
    assert draw(INTEGERS[:8]).order("keep").tolist() == [2, 4, 3, 1, 7, 5, 6, 0]


def test_keys_and_hashes_never_change_silently() -> None:
    assert key("a", 1) == 5981427342772527336
    assert derive_seed("fold", 3) == 1221447507
    uids = pa.array(["", "a", "12345678", "123456789", "na\u00efve \u4f60\u597d"])
    assert hash_uids(uids).tolist() == [
        10749833864783185041,
        2970887573931505741,
        18116564231577442191,
        382969708897291247,
        10019148055299024448,
    ]
    assert hash_uids(pa.array([0, 7, -1])).tolist() == [0, 7, 2**64 - 1]


def test_every_process_draws_the_same(run_python: Callable[..., str]) -> None:
    program = (
        "import pyarrow as pa; from xquality.randomness import *; "
        "print(Draw(1, 'Noise', 0, hash_uids(pa.array(['a', 'b']))).bits('keep').tolist())"
    )
    expected = str(draw(hash_uids(pa.array(["a", "b"]))).bits("keep").tolist())
    assert {run_python(program, PYTHONHASHSEED=seed) for seed in ("3", "4")} == {expected}


@pytest.mark.parametrize("uids", NAMED)
def test_draws_are_uniform(uids: str) -> None:
    numbers = draw(NAMED[uids]).uniform("keep")
    assert 0 <= numbers.min() < numbers.max() < 1
    assert kstest(numbers, "uniform").pvalue > FAR
    assert chisquare(np.bincount((numbers * 100).astype(int), minlength=100)).pvalue > FAR
    for high in (2, 3, 7, 1000):
        drawn = draw(NAMED[uids]).integers("label", high)
        assert (drawn.min(), drawn.max()) == (0, high - 1)
        assert chisquare(np.bincount(drawn, minlength=high)).pvalue > FAR


@pytest.mark.parametrize("uids", NAMED)
def test_every_single_bit_is_a_fair_coin(uids: str) -> None:
    bits = draw(NAMED[uids]).bits("keep")
    ones = np.array([int((bits >> np.uint64(place) & np.uint64(1)).sum()) for place in range(64)])
    assert (np.abs(ones - ROWS / 2) < 5 * np.sqrt(ROWS) / 2).all()


def joint(first: np.ndarray, second: np.ndarray) -> float:
    """Return how likely a table of 8 x 8 cells at least this uneven is under independence."""
    cells = (first * 8).astype(int) * 8 + (second * 8).astype(int)
    return float(chisquare(np.bincount(cells, minlength=64)).pvalue)


OTHER_DRAWS: dict[str, Callable[[Bits], np.ndarray]] = {
    "the next seed": lambda uids: draw(uids, seed=2).uniform("keep"),
    "a far seed": lambda uids: draw(uids, seed=2**40).uniform("keep"),
    "a negative seed": lambda uids: draw(uids, seed=-1).uniform("keep"),
    "another scope": lambda uids: draw(uids, scope="Subsample").uniform("keep"),
    "the next stream": lambda uids: draw(uids, stream=1).uniform("keep"),
    "another purpose": lambda uids: draw(uids).uniform("label"),
    "the next row": lambda uids: np.roll(draw(uids).uniform("keep"), 1),
    "a row of the next block": lambda uids: np.roll(draw(uids).uniform("keep"), 256),
    "another block of numbers": lambda uids: draw(uids + np.uint64(1 << 32)).uniform("keep"),
}


@pytest.mark.parametrize("uids", NAMED)
@pytest.mark.parametrize("other", OTHER_DRAWS)
def test_draws_under_another_key_are_independent(uids: str, other: str) -> None:
    first, second = draw(NAMED[uids]).uniform("keep"), OTHER_DRAWS[other](NAMED[uids])
    assert pearsonr(first, second).pvalue > FAR
    assert joint(first, second) > FAR


def test_integers_and_the_same_digits_as_strings_draw_apart() -> None:
    digits = hash_uids(pa.array([str(row) for row in range(ROWS)]))
    assert joint(draw().uniform("keep"), draw(digits).uniform("keep")) > FAR


def test_swapping_key_parts_gives_another_draw() -> None:
    keys = {key(1, "a"), key("a", 1), key("1", "a"), key("1a"), key("1", "", "a"), key(1, "a", "")}
    assert len(keys) == 6
    assert draw(seed=0, stream=1).bits("keep")[0] != draw(seed=1, stream=0).bits("keep")[0]


@given(st.lists(st.integers(0, 2**64 - 1), unique=True, min_size=1, max_size=40), st.randoms(use_true_random=False))
def test_a_rows_draw_depends_on_its_uid_alone(uids: list[int], source: object) -> None:
    numbers = np.array(uids, np.uint64)
    order = np.array(source.sample(range(len(uids)), len(uids)))  # type: ignore[attr-defined]
    assert (draw(numbers).bits("keep")[order] == draw(numbers[order]).bits("keep")).all()
    for row in range(len(uids)):
        assert draw(numbers[row : row + 1]).bits("keep")[0] == draw(numbers).bits("keep")[row]
    assert [uids[row] for row in draw(numbers).order("keep")] == [
        int(numbers[order][row]) for row in draw(numbers[order]).order("keep")
    ]


@given(st.lists(st.integers(0, 2**64 - 1), unique=True, max_size=40), st.integers(-1, 45), st.integers(0, 5))
def test_the_smallest_draws_are_nested_and_free_of_order(uids: list[int], count: int, more: int) -> None:
    numbers = np.array(uids, np.uint64)
    few, many = (draw(numbers).smallest("keep", size) for size in (count, count + more))
    assert len(few) == max(0, min(count, len(uids)))
    assert (np.diff(few) > 0).all()
    assert set(few.tolist()) <= set(many.tolist())
    turned = numbers[::-1].copy()
    assert set(numbers[few].tolist()) == set(turned[draw(turned).smallest("keep", count)].tolist())
    assert set(few.tolist()) == set(draw(numbers).order("keep")[: max(0, count)].tolist())


def test_the_smallest_draws_are_those_below_the_others() -> None:
    numbers = draw().uniform("keep")
    chosen = np.zeros(ROWS, np.bool_)
    chosen[draw().smallest("keep", 1234)] = True
    assert numbers[chosen].max() < numbers[~chosen].min()


@pytest.mark.parametrize("rows", [0, 1, (1 << 15) - 1, 1 << 15, (1 << 15) + 1])
def test_bits_are_equal_across_the_borders_of_blocks(rows: int) -> None:
    assert (draw(INTEGERS[:rows]).bits("keep") == draw(INTEGERS).bits("keep")[:rows]).all()
    assert (draw(INTEGERS[5:]).bits("keep") == draw(INTEGERS).bits("keep")[5:]).all()


def test_drawing_leaves_the_uids_alone() -> None:
    uids = np.arange(5, dtype=np.uint64)
    draw(uids).bits("keep")
    assert uids.tolist() == [0, 1, 2, 3, 4]


def test_mixing_is_one_to_one_on_neighbours_and_in_place() -> None:
    values = np.arange(100_000, dtype=np.uint64)
    assert mix(values) is values
    assert len(np.unique(values)) == 100_000


@given(texts, st.integers(0, 12), st.integers(1, 5), st.booleans())
def test_a_string_hashes_the_same_wherever_it_lies(values: list[str], cut: int, width: int, large: bool) -> None:
    kind = pa.large_string() if large else pa.string()
    wanted = hash_uids(pa.array(values, pa.string())).tolist()
    around = pa.array(["before", *values, "and after"], kind)
    assert hash_uids(around.slice(1, len(values))).tolist() == wanted
    assert hash_uids(pa.array(values, kind).slice(min(cut, len(values)))).tolist() == wanted[cut:]
    chunks = [around.slice(1, len(values)).slice(start, width) for start in range(0, len(values), width)]
    assert hash_uids(pa.chunked_array(chunks, kind)).tolist() == wanted
    assert [hash_uids(pa.array([value], kind))[0] for value in values] == wanted


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), unique=True, min_size=2, max_size=20))
def test_different_strings_hash_apart(values: list[str]) -> None:
    assert len(set(hash_uids(pa.array(values)).tolist())) == len(values)


def test_strings_of_zeros_and_of_one_letter_hash_apart_at_every_length() -> None:
    values = [letter * length for letter in ("\0", "a", " ") for length in range(1, 40)]
    assert len(set(hash_uids(pa.array([*values, ""])).tolist())) == len(values) + 1


@pytest.mark.parametrize("kind", [pa.int8(), pa.int32(), pa.uint8(), pa.uint64(), pa.int64()])
def test_an_integer_hashes_the_same_at_every_width(kind: pa.DataType) -> None:
    assert hash_uids(pa.chunked_array([pa.array([1, 2], kind), pa.array([100], kind)])).tolist() == [1, 2, 100]


@pytest.mark.parametrize(
    "uids", [pa.array([1, None]), pa.array(["a", None]), pa.nulls(1), pa.chunked_array([[1], [None]])]
)
def test_a_null_is_no_uid(uids: pa.Array) -> None:
    with pytest.raises(UidError, match=r"1 of \d are null"):
        hash_uids(uids)


@pytest.mark.parametrize("uids", [pa.array([0.5]), pa.array([b"a"]), pa.array([[1]]), pa.array([True])])
def test_only_integers_and_strings_are_uids(uids: pa.Array) -> None:
    with pytest.raises(UidError, match="integer or a string"):
        hash_uids(uids)


def test_no_uids_have_no_draws() -> None:
    for kind in (pa.int64(), pa.string(), pa.large_string()):
        uids = hash_uids(pa.chunked_array([], kind))
        assert len(uids) == len(draw(uids).bits("keep")) == len(draw(uids).order("keep")) == 0


@given(st.lists(st.integers() | st.text(max_size=5), max_size=3))
def test_a_derived_seed_fits_32_bit_libraries(parts: list[object]) -> None:
    assert 0 <= derive_seed(*parts) < 2**31


def test_the_draws_of_other_identities_are_those_of_the_same_call() -> None:
    whole = draw(seed=3, scope="Noise", stream=2)
    some = whole.of(INTEGERS[5:9])
    assert (some.seed, some.scope, some.stream) == (3, "Noise", 2)
    assert some.uniform("keep").tolist() == whole.uniform("keep")[5:9].tolist()
