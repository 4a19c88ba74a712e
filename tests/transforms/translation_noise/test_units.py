"""The units of a text, seen from outside: what a vocabulary counts, and what a noise of severity 1 replaces."""

import sys
import unicodedata

import pytest
import regex
from datasets import Dataset, Features, Value
from hypothesis import example, given
from hypothesis import strategies as st

import xquality as xq

# Letters, marks and signs of many scripts, joiners and separators, spaces, emoji with joiners and skin tones.
PIECES = [
    "a", "Z", "é", "e\u0301", "ß", "7", "3", "٣", "२", " ", "  ", "\t", "\u00a0", "\u3000", ".", ",", "-", "'", "\u2019", "·", "¿", "…", "。", "、", "।",
    "م", "مُ", "\u200f", "\u200d", "न", "म्", "ि", "क्ष", "ก", "น้ำ", "เ", "ๆ", "東", "京", "か\u3099", "ー", "ン", "한", "ł", "_", "%", "@",
    "👍", "👍🏽", "👩‍👩‍👧", "🇪🇸", "1️⃣", "\u0301", "𠀀", "\U0001d49c", "\ufe0f",
]  # fmt: skip
texts = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=14).map("".join)
rows = st.lists(st.one_of(st.none(), texts), min_size=1, max_size=6)

WORD, CHARACTER = "<word>", "<character>"
REPLACE_ALL = xq.TranslationNoise(1.0, errors=("wrong_word",), vocabulary=xq.Vocabulary((WORD,), (CHARACTER,)))


def texts_of(values):
    return Dataset.from_dict({"text": values}, features=Features({"text": Value("string")}))


def units(text):
    """The words and the written characters of a text, once each."""
    try:
        vocabulary = xq.Vocabulary.fit(texts_of([text]), ["text"])
    except xq.XqualityError:  # there are none
        return set(), set()
    return set(vocabulary.words), set(vocabulary.characters)


def skeleton(data):
    """The texts with every unit replaced by what it is; the rest are the gaps."""
    return REPLACE_ALL(data, seed=1)["text"][:]


@pytest.mark.parametrize(
    ("text", "words", "characters"),
    [
        ("¿Qué tal, Ana?", ["Qué", "tal", "Ana"], ""),
        (
            "l'home 3.5% a--b well-known 'quoted' 24,000.",
            ["l'home", "3.5", "a", "b", "well-known", "quoted", "24,000"],
            "",
        ),
        ("क्षत्रिय नमस्ते।", ["क्षत्रिय", "नमस्ते"], ""),
        ("مُحَمَّد ذهب، إلى", ["مُحَمَّد", "ذهب", "إلى"], ""),
        ("น้ำตาล", [], ["น้ำ", "ต", "า", "ล"]),
        ("コーヒー2杯。", ["2"], "コーヒ杯"),
        ("東京でPython 3を", ["Python", "3"], "東京でを"),
        ("ｶﾞｷﾞ ﾊﾟﾝ", [], ["ｶﾞ", "ｷﾞ", "ﾊﾟ", "ﾝ"]),
        ("〆切", [], "〆切"),
        ("ក្រុមប្រឹក្សា ឲ្យ", [], ["ក្រុ", "ម", "ប្រឹ", "ក្សា", "ឲ្យ"]),  # consonants below others
        ("သတ္တဝါ အင်္ဂလိပ်။", [], ["သ", "တ္တ", "ဝါ", "အ", "င်္ဂ", "လိ", "ပ်"]),
        ("\U000f0001x \uf8ffy", ["\U000f0001x", "\uf8ffy"], ""),
        ("한국어 문장", ["한국어", "문장"], ""),
        ("👩‍👩‍👧 hi 👍🏽", ["hi"], ""),
        (" … ", [], ""),
    ],
)
def test_the_units_of_a_text(text, words, characters):
    assert units(text) == (set(words), set(characters))


@pytest.mark.parametrize(
    ("characters", "pattern", "words"),
    [
        ("aßł\u041dبन한_½Ⅳ\u3105", "x{}x", ["x{}x"]),  # letters and numbers
        ("\uf8ff\ue000\U000f0001\U00100000\U000afffd", "x{}x", ["x{}x"]),  # of private use, or not assigned
        ("7٣२๓\U0001d7db", "{}.{}", ["{}.{}"]),  # digits
        ("\u0301\u200d\ufe0fำຳ\U000e0041\U000e0100\U0001f3fdﾞﾟ", "x{} {}", ["x{}"]),  # marks, which need a base
        (" \t\u3000¿…。、「」+%@👍\U0001f1ea", "x{}y", ["x", "y"]),  # gaps
        ("'\u2019-\u2010·", "x{}y z{} {}x 1{}2", ["x{}y", "z", "x", "1{}2"]),  # joiners, inside a word only
        (".,\u066b٬", "x{}y 1{}2", ["x", "y", "1{}2"]),  # separators, inside a number only
    ],
)
def test_the_class_of_a_character_decides_where_a_unit_ends(characters, pattern, words):
    for character in characters:
        expected = {word.replace("{}", character) for word in words}
        assert units(pattern.replace("{}", character))[0] == expected, hex(ord(character))


def test_written_characters_are_units_without_spaces():
    for character in "東か々〇ンｶก\u0e81\u1000\u1780\U00020000\U00030000〆〼〱ーｰ":
        assert units(f"x{character}{character}x") == ({"x"}, {character})


def test_characters_are_those_of_a_unicode_version_no_older_than_the_interpreters():
    assert units("x\U0001fae9y")[0] == {"x", "y"}  # a face of Unicode 16, which most interpreters do not know
    digits = [chr(point) for point in range(sys.maxunicode + 1) if unicodedata.category(chr(point)) == "Nd"]
    numbers = [f"{digit}.{digit}" for digit in digits]
    assert set(xq.Vocabulary.fit(texts_of(numbers), ["text"]).words) == set(numbers)


@given(rows)
def test_gaps_hold_no_letter(values):
    for text, new in zip(values, skeleton(texts_of(values)), strict=True):
        gaps = regex.split(f"{WORD}|{CHARACTER}", new or "")
        assert not regex.search(r"(?V1)[\p{L}\p{N}_--ำຳﾞﾟ]", "".join(gaps))  # these four may have no base
        assert regex.match(".*?".join(map(regex.escape, gaps)), text or "", regex.DOTALL)


@given(rows, st.integers(0, 3))
@example(["a-", "b", "x", "\u0301c"], 1)  # no joiner and no mark reaches over the end of a row
def test_a_row_has_the_same_units_whatever_the_other_rows_are(values, start):
    data = xq.with_uid(texts_of(values))
    together = skeleton(data)
    assert [skeleton(data.select([row]))[0] for row in range(len(values))] == together
    assert skeleton(data.select(range(start % len(values), len(values)))) == together[start % len(values) :]


def test_no_unit_of_real_text_splits_a_written_character(real_data):
    def characters(found):
        return {character for text in found for character in regex.findall(r"\X", text)}

    for language in ("spa_Latn", "arb_Arab", "hin_Deva", "zho_Hans", "jpn_Jpan", "tha_Thai", "tam_Taml", "kat_Geor"):
        data = Dataset.from_parquet(str(real_data / f"sib200/{language}/test.parquet"))
        vocabulary = xq.Vocabulary.fit(data, ["text"])
        gaps = [gap for text in skeleton(data) for gap in regex.split(f"{WORD}|{CHARACTER}", text)]
        whole = characters(data["text"][:])
        # Of a character that is split, the second part is a mark without a base.
        assert characters([*vocabulary.words, *vocabulary.characters]) <= whole, language
        assert characters(gaps) <= whole, language


def test_each_token_of_a_list_is_a_unit_and_an_empty_one_is_no_word():
    data = Dataset.from_dict({"text": [["New York", "."], None, [], ["東京", "", None], ["", "x"]]})
    assert skeleton(data) == [[WORD, WORD], None, [], [CHARACTER, "", None], ["", WORD]]
    record = xq.history(xq.TranslationNoise(0.0)(data, seed=1))[-1]
    assert record.details["units"] == 7
