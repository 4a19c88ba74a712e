import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import xquality as xq
from xquality.transforms.translation_noise.replacement import Replacement, altered_entity
from xquality.transforms.translation_noise.segmentation import segment, segment_lists


@pytest.mark.parametrize(
    ("text", "unit", "luck", "expected"),
    [
        ("sale en 2020", 2, 0.0, "3020"),
        ("sale en 2020", 2, 0.99, "2029"),
        ("عام ٢٠٢٠", 1, 0.3, "٢٢٢٠"),
        ("२०११ में", 0, 0.6, "२०५१"),
        ("viaja a Madrid", 2, 0.0, "Mdarid"),
        ("vive con Anna", 2, 0.0, "Ana"),
        ("hoy. Madrid duerme", 1, 0.0, None),
        ("Madrid duerme", 0, 0.0, None),
        ("la casa", 1, 0.0, None),
        ("el Sol", 1, 0.0, None),
        ("東京 は", 0, 0.0, None),
        ("de E\u0301lodie", 1, 0.0, "E\u0301oldie"),
        ("\U0001d7d9\U0001d7da mal", 0, 0.0, "\U0001d7da\U0001d7da"),
        ("en \U00010d42 x", 1, 0.0, "\U00010d43"),  # a digit of Unicode 16, which most interpreters do not know
    ],
)
def test_numbers_and_names_are_altered_and_nothing_else(text, unit, luck, expected):
    assert altered_entity(segment(pa.array([text])), unit, luck) == expected


def test_what_is_passed_over_at_once_would_not_have_been_altered(real_data):
    for language in ("spa_Latn", "deu_Latn", "arb_Arab", "hin_Deva", "zho_Hans"):
        texts = pq.read_table(real_data / "sib200" / language / "test.parquet")["text"].combine_chunks()
        units = segment(texts)
        which, luck = np.arange(len(units.start)), np.linspace(0, 0.999, len(units.start))
        able, new = Replacement().texts("entity", units, which, luck)
        slowly = [altered_entity(units, *one) for one in zip(which.tolist(), luck.tolist(), strict=True)]
        assert able.tolist() == [one is not None and one != units.text(unit) for unit, one in enumerate(slowly)]
        assert new.to_pylist() == [one for one, there in zip(slowly, able, strict=True) if there]


def test_a_digit_always_becomes_another():
    units = segment(pa.array(["7"]))
    assert {altered_entity(units, 0, luck) for luck in np.linspace(0, 0.999, 300)} == set("012345689")


def test_a_token_after_a_full_stop_opens_a_sentence():
    units = segment_lists(pa.array([["Fin", ".", "Madrid", "y", "Madrid"]]))
    assert altered_entity(units, 2, 0.0) is None
    assert altered_entity(units, 4, 0.0) == "Mdarid"


def test_an_untranslated_unit_stands_at_the_same_share_of_the_source():
    units = segment(pa.array(["uno dos tres cuatro", "cinco", "seis", "taxi"]))
    source = segment(pa.array(["one two", None, "", "taxi"]))
    able, new = Replacement(parallel=source).texts("untranslated", units, np.arange(7), np.zeros(7))
    assert able.tolist() == [True, True, True, True, False, False, False]  # nothing there, and nothing new
    assert new.to_pylist() == ["one", "one", "two", "two"]


@pytest.mark.parametrize("count", [1, 7, 10, 49, 100])
def test_an_untranslated_unit_of_two_texts_of_one_length_is_the_one_at_its_own_place(count):
    units = segment(pa.array([" ".join(f"a{one}" for one in range(count))]))
    source = segment(pa.array([" ".join(f"b{one}" for one in range(count))]))
    able, new = Replacement(parallel=source).texts("untranslated", units, np.arange(count), np.zeros(count))
    assert able.all()
    assert new.to_pylist() == [f"b{one}" for one in range(count)]


@pytest.mark.parametrize("kind", ["wrong_word", "untranslated", "entity"])
def test_an_empty_token_gets_no_text(kind):
    units = segment_lists(pa.array([["a", "", "in", "2020", None]]))
    replacement = Replacement(xq.Vocabulary(("x", "y")), segment(pa.array(["one two"])))
    able, new = replacement.texts(kind, units, np.array([1, 3, 4]), np.zeros(3))
    assert able.tolist() == [False, True, False]
    assert len(new) == 1


def test_no_source_text_leaves_nothing_untranslated():
    units = segment(pa.array(["uno"]))
    able, new = Replacement(parallel=segment(pa.array([""]))).texts("untranslated", units, np.arange(1), np.zeros(1))
    assert able.tolist() == [False]
    assert len(new) == 0


def test_wrong_words_come_from_the_vocabulary():
    units = segment(pa.array(["uno dos"]))
    replacement = Replacement(vocabulary=xq.Vocabulary(("uno", "otro")))
    able, new = replacement.texts("wrong_word", units, np.arange(2), np.zeros(2))
    assert able.tolist() == [True, True]
    assert new.to_pylist() == ["otro", "uno"]
