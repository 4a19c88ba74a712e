import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from xquality.transforms.translation_noise.lists import differing

values = st.lists(st.one_of(st.none(), st.lists(st.one_of(st.none(), st.integers(0, 2)), max_size=3)), max_size=6)


@given(st.data())
def test_rows_differ_where_python_says_so(data):
    old = data.draw(values)
    new = [
        None if one is None else data.draw(st.sampled_from([one, [*one, 1], one[::-1], [None] * len(one)]))
        for one in old
    ]
    kind = pa.list_(pa.int64())
    found = differing(pa.array(old, kind), pa.array(new, kind))
    assert found.tolist() == [one != other for one, other in zip(old, new, strict=True)]


def test_strings_differ_where_they_do():
    assert differing(pa.array(["a", None, "", "b"]), pa.array(["a", None, "x", "c"])).tolist() == [
        False,
        False,
        True,
        True,
    ]
