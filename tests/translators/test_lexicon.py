"""Translation word by word: what is looked up, what is kept, and that the order of rows changes nothing."""

import copy
import json

import pytest

from xquality.errors import LanguagePairError, SettingError, SourceError
from xquality.translators import Cached, Lexicon, MarkedText, from_dict

ENTRIES = {
    "the": "el",
    "dog": ["perro", "can", "chucho"],
    "sleeps": "duerme",
    "don't": "no",
    "Paris": "París",
    "水": "agua",
}
LEXICON = Lexicon(ENTRIES, "en", "es")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The dog sleeps.", "El perro duerme."),
        ("THE DOG", "EL PERRO"),
        ("  the\tdog,  «the»\n", "  el\tperro,  «el»\n"),
        ("Don't, Paris; paris-dog 2", "No, París; paris-perro 2"),
        ("水 12水水", "agua 12aguaagua"),
        ("?!", "?!"),
        ("unknown words", "unknown words"),
    ],
)
def test_words_are_looked_up_and_all_else_stays(text: str, expected: str) -> None:
    assert LEXICON.translate([text], "eng_Latn", "spa_Latn") == [expected]


def test_unknown_words_may_be_dropped_but_no_text_becomes_empty() -> None:
    dropping = Lexicon(ENTRIES, "en", "es", unknown="drop")
    texts = ["The big dog sleeps now.", "nothing here", "big dog"]
    assert dropping.translate(texts, "en", "es") == ["El perro duerme.", "nothing here", " perro"]


def test_draws_depend_on_the_text_and_the_seed_alone() -> None:
    texts = [f"dog {number} dog" for number in range(200)]
    drawing = [Lexicon(ENTRIES, "en", "es", choose="draw", seed=seed) for seed in (0, 1)]
    first, other = (lexicon.translate(texts, "en", "es") for lexicon in drawing)
    assert drawing[0].translate(texts[::-1], "en", "es") == first[::-1]
    assert first != other
    words = [text.split()[place] for text in first for place in (0, 2)]
    assert all(100 < words.count(word) < 170 for word in ENTRIES["dog"])
    assert any(text.split()[0] != text.split()[2] for text in first)
    assert len({lexicon.version for lexicon in (*drawing, LEXICON)}) == 3


def test_marked_words_are_found_again() -> None:
    text = "The dog sleeps in Paris now"
    spans = ((4, 14), (18, 23), (24, 27), (0, 0), (16, 17))
    (found,) = LEXICON.translate_marked([MarkedText(text, spans)], "en", "es")
    assert found.text == "El perro duerme in París now"
    assert [[found.text[start:end] for start, end in pieces] for pieces in found.pieces] == [
        ["perro duerme"],
        ["París"],
        ["now"],
        [],
        ["in"],
    ]
    (found,) = Lexicon(ENTRIES, "en", "es", unknown="drop").translate_marked([MarkedText(text, spans)], "en", "es")
    assert found.text == "El perro duerme París"
    assert [bool(pieces) for pieces in found.pieces] == [True, True, False, False, False]


def test_a_file_may_list_several_translations(tmp_path) -> None:
    path = tmp_path / "words.tsv"
    path.write_text("dog\tperro\t0.7\ndog\tcan\ndog\tperro\n\nthe\tel\n", encoding="utf-8")
    assert Lexicon.read(path, "en", "es") == Lexicon({"the": "el", "dog": ["perro", "can"]}, "en", "es")
    path.write_text("dog perro\n", encoding="utf-8")
    with pytest.raises(SourceError, match="Line 1"):
        Lexicon.read(path, "en", "es")
    with pytest.raises(SourceError, match="cannot be read"):
        Lexicon.read(tmp_path / "nowhere", "en", "es")


def test_what_is_no_dictionary_is_refused() -> None:
    for entries in ({}, [], "dog", {"dog": []}, {"dog": 3}, {"dog": [""]}, {"": "x"}, {3: "x"}, None, {"a": "\ud800"}):
        with pytest.raises(SettingError):
            Lexicon(entries, "en", "es")
    with pytest.raises(LanguagePairError, match="there are en-es"):
        LEXICON.translate(["a"], "es", "en")


def test_a_lexicon_survives_json_copying_and_the_cache(tmp_path) -> None:
    LEXICON.translate(["dog"], "en", "es")
    assert from_dict(json.loads(json.dumps(LEXICON.to_dict()))) == LEXICON
    assert copy.copy(LEXICON) == LEXICON
    assert len(repr(LEXICON)) < 80
    marked = [MarkedText("the dog", ((4, 7),)), MarkedText("the dog", ((0, 3),)), MarkedText("the dog", ((4, 7),))]
    for _ in range(2):
        cached = Cached(LEXICON, tmp_path)
        assert cached.translate_marked(marked, "en", "es") == LEXICON.translate_marked(marked, "en", "es")
        assert cached.translate(["the dog"], "en", "es") == ["el perro"]
