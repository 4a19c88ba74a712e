import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from xquality.transforms.translation_noise.pieces import cells, gather, strings

DATA = np.frombuffer("el río, 東京 y más".encode(), np.uint8)
ranges = st.lists(st.tuples(st.integers(0, len(DATA)), st.integers(0, len(DATA))).map(sorted), max_size=12)


@given(ranges)
def test_gathered_bytes_are_those_of_the_ranges(found):
    start, end = (np.array([one[side] for one in found], np.int64) for side in (0, 1))
    assert gather(DATA, start, end).tobytes() == b"".join(DATA[low:high].tobytes() for low, high in found)


def test_ranges_become_strings():
    made = cells(DATA, np.array([3, 0, 9]), np.array([7, 2, 9]))
    made.validate(full=True)
    assert made.to_pylist() == ["río", "el", ""]


def test_no_bytes_make_empty_strings():
    assert strings(np.empty(0, np.uint8), np.zeros(3, np.int64)).to_pylist() == ["", ""]
