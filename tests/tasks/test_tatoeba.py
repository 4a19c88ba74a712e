"""Tatoeba on real rows."""

from pathlib import Path

from datasets import Features, Value
from task_rows import load_splits, row_counts

from xquality.languages import identity
from xquality.tasks import panx, tatoeba

SMALL = {"jav": 205, "kat": 746, "kaz": 575, "mal": 687, "swh": 390, "tam": 307, "tha": 548}


def test_every_language_of_the_folder_loads_as_pairs_of_sentences(real_data: Path) -> None:
    rows = load_splits(tatoeba, real_data)
    counted = {language: count for language, (count,) in row_counts(rows, "validation").items()}
    assert {language: count for language, count in counted.items() if count != 1000} == SMALL
    assert len(counted) == 32
    text = Value("string")
    features = Features({"source_sentence": text, "target_sentence": text, "uid": Value("int64")})
    for data in rows.values():
        assert data.features == features
        assert all(text == text.strip() != "" for name in ("source_sentence", "target_sentence") for text in data[name])


def test_a_row_is_a_sentence_and_its_english_translation(real_data: Path) -> None:
    assert tatoeba.load("afr", "validation", real_data)[0] == {
        "source_sentence": "Haar Engels is uitstekend.",
        "target_sentence": "Her English is excellent.",
        "uid": 0,
    }


def test_the_task_has_the_thirty_six_languages_of_xtreme_which_have_names_too() -> None:
    assert len(set(tatoeba.languages)) == 36
    assert {identity(language) for language in tatoeba.languages} == set(panx.languages) - {"en", "ms", "my", "yo"}
    assert tatoeba.train_languages == ()
