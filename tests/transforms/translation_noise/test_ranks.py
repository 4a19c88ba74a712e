import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from xquality.transforms.translation_noise.ranks import Ranks

words = st.text(st.characters(codec="utf-8"), max_size=12)


@given(st.lists(words, max_size=60, unique=True), st.lists(words, max_size=30))
def test_words_have_the_rank_that_their_list_gives_them(known, asked):
    asked = asked + known[::2]
    found = Ranks.of(pa.array(known, pa.large_string())).find(pa.array(asked, pa.large_string()))
    assert found.tolist() == [known.index(one) if one in known else len(known) for one in asked]


def test_a_long_list_finds_each_of_its_words():
    known = pa.array([f"word {number}" for number in range(20_000)])
    assert Ranks.of(known).find(known).tolist() == list(range(20_000))
