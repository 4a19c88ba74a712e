import sys
import unicodedata

import pyarrow as pa
import pyarrow.compute as pc
import pytest
import regex

from xquality.transforms.translation_noise.characters import (
    CAPITAL,
    CHARACTER,
    DECIMAL,
    DIGIT,
    GAP,
    JOINER,
    MARK,
    SEPARATOR,
    WORD,
    classes,
    digits,
    ranges,
)


@pytest.mark.parametrize(
    ("characters", "kind"),
    [
        ("aßł\u041dبन한_½Ⅳ\u3105", WORD),
        ("\uf8ff\ue000\U000f0001\U00100000\U000afffd", WORD),  # of private use, or not assigned
        ("7٣२๓\U0001d7db", DIGIT),
        ("東か々〇ンｶก\u0e81\u1000\u1780\U00020000\U00030000", CHARACTER),
        ("〆〼〱ーｰ", CHARACTER),
        ("\u0301\u200d\ufe0fำຳ\U000e0041\U000e0100\U0001f3fd", MARK),
        ("ﾞﾟ", MARK),  # the voicing marks of narrow kana
        (" \t\u3000¿…。、「」+%@👍\U0001f1ea", GAP),
        ("'\u2019-\u2010·", JOINER),
        (".,\u066b٬", SEPARATOR),
    ],
)
def test_the_class_of_a_character(characters, kind):
    assert {character: classes()[ord(character)] for character in characters} == dict.fromkeys(characters, kind)


def test_one_version_of_unicode_decides_and_it_is_no_older_than_the_interpreters():
    new = "\U0001fae9"  # a face of Unicode 16, which most interpreters do not know
    assert classes()[ord(new)] == GAP
    for point in range(0x20000):
        if unicodedata.category(chr(point)) == "Nd":
            assert classes()[point] == DIGIT
    assert len(digits()) >= sum(unicodedata.category(chr(point)) == "Nd" for point in range(sys.maxunicode + 1))


def test_a_digit_stands_at_its_value_among_the_ten_of_its_script():
    assert len(digits()) % 10 == 0
    for place, digit in enumerate(digits()):
        assert unicodedata.decimal(digit, place % 10) == place % 10


@pytest.mark.parametrize("pattern", [CAPITAL, DECIMAL])
def test_ranges_are_the_class_in_another_engine(pattern):
    characters = [chr(point) for point in range(0x20000) if not 0xD800 <= point < 0xE000]
    found = pc.match_substring_regex(pa.array(characters), f"^[{ranges(pattern)}]$").to_pylist()
    assert found == [regex.fullmatch(pattern, one) is not None for one in characters]
