import pyarrow as pa
import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from xquality.transforms.translation_noise.segmentation import segment, segment_lists, units_of

# Letters, marks and signs of many scripts, joiners and separators, spaces, emoji with joiners and skin tones.
PIECES = [
    "a", "Z", "é", "e\u0301", "ß", "7", "3", "٣", "२", " ", "  ", "\t", "\u00a0", "\u3000", ".", ",", "-", "'", "\u2019", "·", "¿", "…", "。", "、", "।",
    "م", "مُ", "\u200f", "\u200d", "न", "म्", "ि", "क्ष", "ก", "น้ำ", "เ", "ๆ", "東", "京", "か\u3099", "ー", "ン", "한", "ł", "_", "%", "@",
    "👍", "👍🏽", "👩‍👩‍👧", "🇪🇸", "1️⃣", "\u0301", "𠀀", "\U0001d49c", "\ufe0f",
]  # fmt: skip
texts = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=14).map("".join)
rows = st.lists(st.one_of(st.none(), texts), max_size=6)


def words(array: pa.Array) -> list[list[str]]:
    units = segment(array)
    return [[units.text(one) for one in range(units.first[row], units.first[row + 1])] for row in range(len(array))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("¿Qué tal, Ana?", ["Qué", "tal", "Ana"]),
        ("l'home 3.5% a--b well-known 'quoted' 24,000.", ["l'home", "3.5", "a", "b", "well-known", "quoted", "24,000"]),
        ("क्षत्रिय नमस्ते।", ["क्षत्रिय", "नमस्ते"]),
        ("مُحَمَّد ذهب، إلى", ["مُحَمَّد", "ذهب", "إلى"]),
        ("น้ำตาล", ["น้ำ", "ต", "า", "ล"]),
        ("コーヒー2杯。", ["コ", "ー", "ヒ", "ー", "2", "杯"]),
        ("東京でPython 3を", ["東", "京", "で", "Python", "3", "を"]),
        ("ｶﾞｷﾞ ﾊﾟﾝ", ["ｶﾞ", "ｷﾞ", "ﾊﾟ", "ﾝ"]),
        ("〆切", ["〆", "切"]),
        ("\U000f0001x \uf8ffy", ["\U000f0001x", "\uf8ffy"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("👩‍👩‍👧 hi 👍🏽", ["hi"]),
        ("", []),
        (" … ", []),
    ],
)
def test_the_units_of_a_text(text, expected):
    assert words(pa.array([text])) == [expected]


@given(rows)
def test_units_are_whole_characters_in_order_and_gaps_hold_no_letter(given_rows):
    array = pa.array(given_rows, pa.string())
    units = segment(array)
    assert (units.start < units.end).all()
    for row, text in enumerate(given_rows):
        own = range(units.first[row], units.first[row + 1])
        data, reached, gaps = (text or "").encode(), 0, ""
        for one in own:
            low, high = units.start[one] - units.bounds[row], units.end[one] - units.bounds[row]
            gaps += data[reached:low].decode()  # decodes: every border lies between two characters
            data[low:high].decode()
            reached = high
        gaps += data[reached:].decode()
        assert not regex.search(r"(?V1)[\p{L}\p{N}_--ำຳﾞﾟ]", gaps)  # these four may stand on nothing


@given(rows)
def test_a_row_has_the_same_units_whatever_stands_beside_it(given_rows):
    together = words(pa.array(given_rows, pa.large_string()))
    alone = [words(pa.array([one], pa.string()))[0] for one in given_rows]
    assert together == alone


@given(rows, st.integers(0, 3))
def test_a_slice_of_an_array_has_the_units_of_its_rows(given_rows, start):
    array = pa.array(given_rows, pa.string())
    assert words(array.slice(start)) == words(array)[start:]


def test_no_unit_of_real_text_splits_a_written_character(real_data):
    import pyarrow.parquet as pq

    for language in ("spa_Latn", "arb_Arab", "hin_Deva", "zho_Hans", "jpn_Jpan", "tha_Thai", "tam_Taml", "kat_Geor"):
        column = pq.read_table(real_data / "sib200" / language / "test.parquet")["text"].combine_chunks()
        units = segment(column)
        for row in range(len(column)):
            borders, place = {0}, 0
            for character in regex.findall(r"\X", column[row].as_py()):
                place += len(character.encode())
                borders.add(place)
            own = slice(units.first[row], units.first[row + 1])
            found = {*(units.start[own] - units.bounds[row]), *(units.end[own] - units.bounds[row])}
            assert found <= borders, (language, row)


def test_written_characters_are_no_words_between_spaces():
    assert segment(pa.array(["〆切 ｶﾞ〼"])).spaced.tolist() == [False] * 4


def test_tokens_of_lists_are_units_each():
    tokens = pa.array([["New", "York", "."], None, [], ["東京", ""]], pa.list_(pa.string()))
    units = segment_lists(tokens)
    assert [units.text(one) for one in range(len(units.start))] == ["New", "York", ".", "東京", ""]
    assert units.row.tolist() == [0, 0, 0, 3, 3]
    assert units.counts.tolist() == [3, 0, 0, 2]
    assert units.spaced.tolist()[3] is False


def test_an_empty_token_says_nothing_of_its_script_and_is_left_out_of_the_filled_ones():
    units = segment_lists(pa.array([["uno", ""], ["東", None], [""], None], pa.list_(pa.string())))
    assert units.spaced.tolist() == [True, True, False, True, True]
    assert units.empty.tolist() == [False, True, False, True, True]
    filled = units.filled()
    assert [filled.text(one) for one in range(len(filled.start))] == ["uno", "東"]
    assert filled.counts.tolist() == [1, 1, 0, 0]
    assert filled.row.tolist() == [0, 1]


def test_strings_and_lists_of_strings_have_units():
    assert units_of(pa.array(["a b"])).counts.tolist() == [2]
    assert units_of(pa.array([["a b"]])).counts.tolist() == [1]
