import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import xquality as xq
from xquality.transforms import Draw
from xquality.transforms.translation_noise.plan import plan
from xquality.transforms.translation_noise.replacement import Replacement
from xquality.transforms.translation_noise.segmentation import segment
from xquality.transforms.translation_noise.strikes import ROW_KINDS, WORD_KINDS, strike
from xquality.transforms.translation_noise.texts import write

KINDS = WORD_KINDS + ROW_KINDS
VOCABULARY = xq.Vocabulary(tuple(f"palabra{number}" for number in range(30)), tuple("東京大学日本語"))
PIECES = ["uno", "dos", "Él", " ", "  ", ", ", ". ", "¿", "«", "»", "東", "京", "م", "नम", "स्ते", "ก", "น้ำ", "👩‍👩‍👧", "👍🏽", "12", "3.5", "\n", "-"]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES), max_size=16).map("".join)
rows = st.lists(st.one_of(st.none(), texts), min_size=1, max_size=6)


def written(given_rows, severity, kinds, seed):
    array = pa.array(given_rows, pa.string())
    units, source = segment(array), segment(pa.array(["the source text"] * len(array)))
    draw = Draw(seed, "texts", 0, np.arange(len(array), dtype=np.uint64))
    made = plan(units, strike(units, draw, severity, kinds, Replacement(VOCABULARY, source), "text"))
    return units, made, write(units, made)


def slowly(units, made, given_rows):
    """The same texts by the rules, one row and one unit at a time."""
    new = dict(zip(made.renewed.tolist(), made.texts.to_pylist(), strict=True))
    found = []
    for row, text in enumerate(given_rows):
        data, base = (text or "").encode(), int(units.bounds[row])
        first, after = int(units.first[row]), int(units.first[row + 1])
        said = b""
        for item in range(int(made.first[row]), int(made.first[row + 1])):
            unit, slot = int(made.unit[item]), int(made.slot[item])
            if item == made.first[row]:
                said += data[: units.start[first] - base]
            elif slot < 0:
                said += b" " * bool(units.spaced[unit])
            else:
                said += data[units.end[slot - 1] - base : units.start[slot] - base]
            said += new[unit].encode() if unit in new else units.text(unit).encode()
        if not made.cut[row]:
            said += data[units.end[after - 1] - base if after > first else 0 :]
        found.append(said.decode())
    return found


@given(rows, st.sampled_from([0.0, 0.3, 1.0]), st.sets(st.sampled_from(KINDS)), st.integers(0, 30))
def test_the_texts_are_those_that_the_rules_give_unit_by_unit(given_rows, severity, kinds, seed):
    units, made, found = written(given_rows, severity, sorted(kinds), seed)
    new = found.texts()
    new.validate(full=True)
    assert new.to_pylist() == slowly(units, made, given_rows)


@given(rows, st.integers(0, 30))
def test_no_error_is_no_change(given_rows, seed):
    _, _, found = written(given_rows, 0.0, KINDS, seed)
    assert found.texts().to_pylist() == [one or "" for one in given_rows]


def slowly_moved(found, row, start, end):
    """Where a stretch begins in the new text of a row, piece by piece; -1 where it is not whole there."""
    begin, stop = int(found.stop[row - 1]) if row else 0, int(found.stop[row])
    written, reached, opened = 0, -1, 0
    for low, high, added in zip(found.start[begin:stop], found.end[begin:stop], found.added[begin:stop], strict=True):
        if low == high:
            continue
        opened = opened if low == reached and not added else low
        if not added and opened <= start and end <= high:
            return int(written + start - low)
        reached = -1 if added else high
        written += high - low
    return -1


@given(rows, st.sampled_from([0.2, 0.6, 1.0]), st.integers(0, 30), st.data())
def test_a_stretch_that_moved_stands_where_it_is_said_to_stand(given_rows, severity, seed, data):
    units, _, found = written(given_rows, severity, KINDS, seed)
    new = found.texts()
    bounds = np.cumsum([0, *(len(one.as_py().encode()) for one in new)])
    stretches = []
    for row in data.draw(st.lists(st.integers(0, len(given_rows) - 1), max_size=5)):
        text = given_rows[row] or ""
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, len(text)))
        if start < end:
            stretches.append((row, text[start:end], int(units.bounds[row]) + len(text[:start].encode())))
    first = np.array([low for _, _, low in stretches], np.int64)
    last = first + np.array([len(one.encode()) for _, one, _ in stretches], np.int64)
    for (row, one, low), place, end in zip(stretches, found.moved(first, last), last, strict=True):
        expected = slowly_moved(found, row, low, end)
        assert place == (expected if expected < 0 else bounds[row] + expected)
        if place >= 0:
            own = new[row].as_py().encode()[place - bounds[row] :]
            assert own.startswith(one.encode())


@pytest.mark.parametrize(
    ("text", "lost", "expected"),
    [
        ("uno, dos y tres.", {1}, "uno y tres."),
        ("¿Cómo estás?", {0}, "¿estás?"),
        ("uno, dos y tres.", {0, 1}, "y tres."),
        ("uno, dos y tres.", {3}, "uno, dos y."),
        ("東京です。", {1}, "東です。"),
    ],
)
def test_a_lost_word_takes_the_gap_before_it_along_and_the_first_one_the_gap_after(text, lost, expected):
    units = segment(pa.array([text]))
    nothing = strike(units, Draw(0, "t", 0, np.zeros(1, np.uint64)), 0.0, ("omission",), Replacement(), "text")
    nothing.units["omission"] = np.array(sorted(lost))
    assert write(units, plan(units, nothing)).texts().to_pylist() == [expected]
