"""What each kind of error does to a text, and how often, against a plain implementation for one text."""

import itertools
import unicodedata
from collections import Counter

import numpy as np
import pytest
import regex
from datasets import Dataset, Features, List, Value
from hypothesis import given
from hypothesis import strategies as st

import xquality as xq
from xquality.text.words import UNSPACED

UNIT_KINDS = ("omission", "repetition", "reordering", "entity")
ROW_KINDS = ("truncation", "hallucination")
LETTERS = rf"(?:(?![{UNSPACED}])[\p{{L}}\p{{M}}])+"
UNIT = regex.compile(rf"(?=[{UNSPACED}])\X|\d+(?:\.\d+)*|{LETTERS}(?:-{LETTERS})*")
# Texts of these pieces have the units that the pattern finds.
PIECES = ["uno", "dos", "Él", " ", "  ", ", ", ". ", "¿", "«", "»", "東", "京", "م", "नम", "स्ते", "ก", "น้ำ", "👩‍👩‍👧", "👍🏽", " 12 ", " 3.5 ", "\n", " - "]  # fmt: skip
texts = st.lists(st.lists(st.sampled_from(PIECES), max_size=14).map("".join), min_size=1, max_size=5)
severities = st.sampled_from([0.2, 0.5, 1.0])
seeds = st.integers(0, 50)


def texts_of(values):
    return Dataset.from_dict({"text": values}, features=Features({"text": Value("string")}))


def noised(values, severity, *errors, seed=1, **settings):
    """The new texts, and how often each kind occurs in them."""
    after = xq.TranslationNoise(severity, errors=errors, **settings)(texts_of(values), seed=seed)
    return after["text"][:], xq.history(after)[-1].details["kinds"]


def numbered(rows, words):
    """Texts whose words are all different."""
    return [" ".join(f"r{row}w{word}" for word in range(words)) for row in range(rows)]


def parse(text):
    """The units of a text, and the gaps around them."""
    spans = [found.span() for found in UNIT.finditer(text)]
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    return [text[low:high] for low, high in spans], [
        text[low:high] for low, high in zip(edges[::2], edges[1::2], strict=True)
    ]


def joined(units, gaps):
    return "".join(itertools.chain(*itertools.zip_longest(gaps, units, fillvalue="")))


def is_word(unit):
    return not regex.match(rf"[{UNSPACED}]", unit)


def without(units, gaps, kept):
    """The text that keeps only some units: a unit takes the gap before it along, the first one the gap after it."""
    if not units:
        return gaps[0]
    chosen = [(gaps[place], units[place]) for place in kept]
    return gaps[0] + chosen[0][1] + "".join(gap + unit for gap, unit in chosen[1:]) + gaps[-1]


@given(texts)
def test_all_units_can_be_replaced_and_no_gap_changes(values):
    vocabulary = xq.Vocabulary(("palabra", "otra"), ("大", "学"))
    for before, after in zip(values, noised(values, 1.0, "wrong_word", vocabulary=vocabulary)[0], strict=True):
        (units, gaps), (new, new_gaps) = parse(before), parse(after)
        pools = [vocabulary.words if is_word(unit) else vocabulary.characters for unit in units]
        if "" not in gaps[1:-1]:  # else two words may meet
            assert new_gaps == gaps
            assert all(unit in pool for unit, pool in zip(new, pools, strict=True))
        assert regex.fullmatch("(?:palabra|otra|大|学)".join(map(regex.escape, gaps)), after)


@given(texts)
def test_a_repeated_unit_follows_itself_with_a_space_where_its_script_has_them(values):
    found, kinds = noised(values, 1.0, "repetition")
    parsed = [parse(text) for text in values]
    expected = [
        joined([f"{unit} {unit}" if is_word(unit) else 2 * unit for unit in units], gaps) for units, gaps in parsed
    ]
    assert found == expected
    assert kinds == {"repetition": sum(len(units) for units, _ in parsed)}


@given(texts, severities, seeds)
def test_an_omitted_unit_takes_a_gap_along_and_one_in_the_first_half_stays(values, severity, seed):
    found, kinds = noised(values, severity, "omission", seed=seed)
    most = 0
    for before, after in zip(values, found, strict=True):
        units, gaps = parse(before)
        places = range(len(units))
        subsets = itertools.chain(*(itertools.combinations(places, size) for size in range(1, len(units) + 1)))
        allowed = [kept for kept in subsets if kept[0] < (len(units) + 1) // 2 and without(units, gaps, kept) == after]
        assert allowed or (not units and after == before)
        if allowed:
            assert severity < 1 or any(len(kept) == 1 for kept in allowed)
            most += len(units) - min(map(len, allowed))
    assert kinds["omission"] <= most


def test_every_way_to_omit_words_of_a_sentence_occurs_and_no_other():
    units, gaps = parse("¿Uno, dos y tres?")
    places = range(4)
    subsets = itertools.chain(*(itertools.combinations(places, size) for size in range(1, 5)))
    expected = {without(units, gaps, kept) for kept in subsets if kept[0] < 2}
    assert {"¿Uno?", "¿dos y tres?", "¿Uno y tres?"} <= expected
    assert set(noised(["¿Uno, dos y tres?"] * 1000, 0.5, "omission")[0]) == expected


@given(texts, severities, seeds)
def test_reordered_units_change_places_and_gaps_stay(values, severity, seed):
    for before, after in zip(values, noised(values, severity, "reordering", seed=seed)[0], strict=True):
        (units, gaps), (new, new_gaps) = parse(before), parse(after)
        assert Counter(after) == Counter(before)
        if "" not in gaps[1:-1]:  # else two words may meet
            assert new_gaps == gaps
            assert sorted(new) == sorted(units)


def moved(order):
    """How many units must have moved for the others to be in order."""
    longest = [0] * (len(order) + 1)  # longest[n]: of an ascending series that ends with n
    for number in order:
        longest[number] = 1 + max(longest[:number], default=0)
    return len(order) - max(longest)


def test_units_that_are_not_reordered_keep_their_order_and_the_others_move_one_to_three_places():
    found, kinds = noised(numbered(600, 9), 0.1, "reordering")
    orders = [[int(word.partition("w")[2]) for word in text.split()] for text in found]
    assert sum(order != sorted(order) for order in orders) <= kinds["reordering"]
    assert sum(map(moved, orders)) <= kinds["reordering"]
    distances = Counter()
    for order in orders:
        for number in range(9):
            rest = [other for other in order if other != number]
            if order != sorted(order) and rest == sorted(rest):  # it alone may have moved
                distances[abs(order.index(number) - number)] += 1
    assert set(distances) == {1, 2, 3}


@given(texts, severities, seeds)
def test_a_truncated_text_loses_half_of_its_units_or_fewer(values, severity, seed):
    found, kinds = noised(values, severity, "truncation", seed=seed)
    shorter = 0
    for before, after in zip(values, found, strict=True):
        units, gaps = parse(before)
        kept = range((len(units) + 1) // 2, len(units))
        assert after == before or after in {joined(units[:count], gaps[:count]) for count in kept}
        shorter += after != before
    assert kinds["truncation"] == shorter
    assert severity < 1 or shorter == sum(len(parse(text)[0]) > 1 for text in values)


@given(texts, severities, seeds)
def test_a_hallucinated_tail_repeats_a_phrase_of_the_text(values, severity, seed):
    found, kinds = noised(values, severity, "hallucination", seed=seed)
    longer = 0
    for before, after in zip(values, found, strict=True):
        units, gaps = parse(before)
        phrases = [
            units[start:end] for start in range(len(units)) for end in range(start + 1, min(start + 4, len(units)) + 1)
        ]
        copies = ["".join(f" {unit}" if is_word(unit) else unit for unit in phrase) for phrase in phrases]
        tails = {times * copy for copy in copies for times in (2, 3)}
        assert after == before or after in {joined(units, gaps[:-1]) + tail + gaps[-1] for tail in tails}
        longer += after != before
    assert kinds["hallucination"] == longer
    assert severity < 1 or longer == sum(bool(parse(text)[0]) for text in values)


def test_a_hallucinated_phrase_has_one_to_four_units():
    tails = [text.split()[9:] for text in noised(numbered(300, 9), 1.0, "hallucination")[0]]
    assert {len(set(tail)) for tail in tails} == {1, 2, 3, 4}
    assert {len(tail) // len(set(tail)) for tail in tails} == {2, 3}


@given(texts, severities, st.sets(st.sampled_from(UNIT_KINDS + ROW_KINDS), min_size=1), seeds)
def test_all_kinds_together_leave_units_and_gaps_of_the_text(values, severity, kinds, seed):
    found, _ = noised(values, severity, *sorted(kinds - {"entity"}) or ["omission"], seed=seed)
    for before, after in zip(values, found, strict=True):
        (units, gaps), (new, new_gaps) = parse(before), parse(after)
        assert bool(new) == bool(units)
        if "" not in gaps[1:-1]:
            assert set(new) <= set(units)
            assert set(new_gaps) <= {*gaps, " ", ""}
    assert noised(values, 0.0, *sorted(kinds), seed=seed)[0] == values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sale en 7", [f"sale en {digit}" for digit in "012345689"]),
        ("año ٢٠", [f"año {digit}\u0660" for digit in "٠١٣٤٥٦٧٨٩"] + [f"año ٢{digit}" for digit in "١٢٣٤٥٦٧٨٩"]),
        ("en \U0001d7d9 mal", [f"en {chr(0x1D7D8 + digit)} mal" for digit in (0, *range(2, 10))]),
        ("en \U00010d42 x", [f"en {chr(0x10D40 + digit)} x" for digit in (0, 1, *range(3, 10))]),  # of Unicode 16
        ("viaja a Madrid", ["viaja a Mdarid", "viaja a Mardid", "viaja a Madird"]),
        ("vive con Anna", ["vive con Ana"]),  # the two inner letters are equal
        ("de E\u0301lodie", ["de E\u0301oldie", "de E\u0301ldoie", "de E\u0301loide"]),
        ("hoy. Madrid duerme", []),  # it begins a sentence
        ("Madrid duerme", []),
        ("la casa el Sol", []),
        ("東京 は", []),
        (["Fin", ".", "Madrid", "y"], []),
        (["Fin", ",", "Roma"], [["Fin", ",", "Rmoa"]]),
    ],
)
def test_numbers_and_names_are_altered_and_nothing_else(text, expected):
    found = xq.TranslationNoise(1.0, errors=("entity",))(Dataset.from_dict({"text": [text] * 400}), seed=1)["text"][:]
    assert {str(new) for new in found} == {str(new) for new in expected or [text]}


def test_every_digit_and_every_name_with_a_capital_is_altered():
    characters = [chr(point) for point in range(0x20000) if not 0xD800 <= point < 0xE000]
    digits = [digit for digit in characters if unicodedata.category(digit) == "Nd"]
    for before, after in zip(digits, noised(digits, 1.0, "entity")[0], strict=True):
        assert unicodedata.decimal(after) != unicodedata.decimal(before)
        assert ord(after) - unicodedata.decimal(after) == ord(before) - unicodedata.decimal(before)
    capital = regex.compile(r"\p{Lu}")
    names = [f"el {letter}abc" for letter in characters if regex.match(r"\p{L}", letter) and not is_unspaced(letter)]
    for before, after in zip(names, noised(names, 1.0, "entity")[0], strict=True):
        assert (after != before) == bool(capital.match(before[3])), before


def is_unspaced(letter):
    return regex.match(rf"[{UNSPACED}\u3006\u3031-\u3035\u303c\u30fc\uff70]", letter)


@pytest.mark.parametrize(
    ("text", "source", "expected"),
    [
        ("uno dos tres cuatro", "one two", "one one two two"),
        ("cinco", None, "cinco"),
        ("seis", "", "seis"),
        ("taxi y", "taxi and", "taxi and"),
        ("uno dos", ["one", "", None, "two"], "one two"),
        ("a b", ["", ""], "a b"),  # the text would be empty
    ],
)
def test_an_untranslated_unit_is_the_one_at_the_same_share_of_the_source(text, source, expected):
    kind = List(Value("string")) if isinstance(source, list) else Value("string")
    features = Features({"text": Value("string"), "source": kind})
    data = Dataset.from_dict({"text": [text], "source": [source]}, features=features)
    noise = xq.TranslationNoise(1.0, errors=("untranslated",), parallel=("source",))
    assert noise(data, seed=1)["text"][0] == expected


@pytest.mark.parametrize("count", [1, 7, 10, 49, 100])
def test_an_untranslated_unit_of_two_texts_of_one_length_is_the_one_at_its_own_place(count):
    text, source = (" ".join(f"{letter}{place}" for place in range(count)) for letter in "ab")
    data = Dataset.from_dict({"text": [text], "source": [source]})
    assert xq.TranslationNoise(1.0, errors=("untranslated",), parallel=("source",))(data, seed=1)["text"][0] == source
    own = xq.TranslationNoise(1.0, errors=("untranslated",), parallel=("text",))  # a text as its own source
    assert own(data, seed=1)["text"][0] == text


TOKENS = st.one_of(st.none(), st.lists(st.one_of(st.none(), st.sampled_from(["", "a", "b", "c"])), max_size=6))


@given(st.lists(TOKENS, min_size=1, max_size=5), st.sampled_from([0.0, 0.5]), seeds)
def test_tokens_that_come_out_were_there_and_first_values_are_kept_where_they_changed(rows, severity, seed):
    data = Dataset.from_dict({"text": rows}, features=Features({"text": List(Value("string"))}))
    after = xq.TranslationNoise(severity)(data, seed=seed)
    assert after.features["text"] == data.features["text"]
    for before, new, first in zip(rows, after["text"][:], after["text_before"][:], strict=True):
        assert (before is None) == (new is None)
        assert bool(before) == bool(new)
        assert set(new or []) <= set(before or [])
        assert first == (None if new == before else before)
        assert severity or new == before


# How often, where and in which texts errors occur.


def test_the_share_of_units_and_of_rows_is_the_severity_and_each_kind_is_as_likely():
    values = [" ".join(f"w{word}" for word in range(row % 9 + 2)) for row in range(3000)]
    units = sum(len(text.split()) for text in values)
    for severity in (0.05, 0.3):
        _, kinds = noised(values, severity, "repetition", "reordering", *ROW_KINDS)
        of_units, of_rows = [kinds["repetition"], kinds["reordering"]], [kinds[kind] for kind in ROW_KINDS]
        assert abs(sum(of_units) / units - severity) < 4 * np.sqrt(severity / units)
        assert abs(sum(of_rows) / len(values) - severity) < 4 * np.sqrt(severity / len(values))
        for counts in (of_units, of_rows):
            assert max(counts) < 1.6 * min(counts)


def test_at_severity_one_each_unit_gets_one_error_and_no_second_one():
    _, kinds = noised(numbered(300, 8), 1.0, "repetition", "reordering")
    assert sum(kinds.values()) == 300 * 8


def test_a_kind_that_is_not_possible_leaves_its_share_to_the_others():
    lone = ["one"] * 10
    assert noised(lone, 1.0, "omission", "reordering", "truncation")[1] == dict.fromkeys(
        ("omission", "reordering", "truncation"), 0
    )
    assert noised(lone, 1.0, "omission", "repetition")[1] == {"omission": 0, "repetition": 10}
    assert noised(lone, 1.0, *ROW_KINDS)[1] == {"truncation": 0, "hallucination": 10}


@pytest.mark.parametrize("kinds", list(itertools.permutations(("omission", "entity", "repetition", "untranslated"))))
def test_the_share_of_a_kind_that_is_not_possible_is_divided_evenly(kinds):
    values = [" ".join(["word"] * 40)] * 200  # nothing to alter, and nothing to take from the source
    _, counts = noised(values, 0.5, *kinds, parallel=("text",))
    assert counts["entity"] == counts["untranslated"] == 0
    assert abs(counts["omission"] - counts["repetition"]) < 4 * np.sqrt(4000) + 100  # one unit of a row is not omitted


@pytest.mark.parametrize(("weak", "strong"), [(0.0, 0.1), (0.1, 0.3), (0.3, 1.0)])
def test_the_errors_of_a_low_severity_are_among_those_of_a_higher_one(weak, strong):
    values = numbered(300, 9)

    def changes(severity):
        """The words that are lost and those that are repeated."""
        counts = [Counter(text.split()) for text in noised(values, severity, "omission", "repetition")[0]]
        words = [(row, word) for row, text in enumerate(values) for word in text.split()]
        return [{(row, word) for row, word in words if counts[row][word] == times} for times in (0, 2)]

    for less, more in zip(changes(weak), changes(strong), strict=True):
        assert less <= more
    for kind in ROW_KINDS:
        less, more = (noised(values, severity, *ROW_KINDS)[0] for severity in (weak, strong))
        assert all(low in (high, text) for low, high, text in zip(less, more, values, strict=True)), kind


@pytest.mark.parametrize("kinds", [("repetition", "entity"), ("entity", "repetition")])
def test_errors_nest_where_a_kind_is_not_possible(kinds):
    values = [f"el tren a Madrid sale en 20{row % 100:02} y vuelve" for row in range(300)]
    less, more = (noised(values, severity, *kinds)[0] for severity in (0.2, 0.7))
    numbers = [[regex.findall(r"\d+", text) for text in found] for found in (less, more)]
    altered = 0
    for text, low, high in zip(values, *numbers, strict=True):
        year = regex.findall(r"\d+", text)
        assert low in (year, high)
        altered += low not in (year, 2 * year)
    assert altered > 5


def test_two_columns_of_one_row_get_independent_errors():
    data = Dataset.from_dict({"one": numbered(50, 8), "other": numbered(50, 8)})
    after = xq.TranslationNoise(0.3, columns=("one", "other"), errors=("omission",))(data, seed=1)
    assert after["one"][:] != after["other"][:]
