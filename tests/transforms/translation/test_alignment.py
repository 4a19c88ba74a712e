"""WordAligner: answers and tags are found again by an encoder's states."""

from pathlib import Path

import pytest
from conftest import REVERSING
from datasets import ClassLabel, Dataset, Features, List, Value

import xquality as xq
from xquality import toy
from xquality.errors import ModelError, SettingError
from xquality.transforms import WordAligner
from xquality.transforms.translation.words import split_tokens
from xquality.translators import FunctionTranslator


def reverse(texts, source, target):
    """A function of texts, for a translator: the words in the other order."""
    return [" ".join(text.split()[::-1]) for text in texts]


ENGINE = FunctionTranslator(reverse, "reverse", "1")


def test_equal_words_are_aligned(encoder: Path) -> None:
    texts = toy.sentences.load("en", "train")["source_sentence"][:20]
    reversed_texts = reverse(texts, "en", "es")
    words = [(split_tokens(text), split_tokens(other)) for text, other in zip(texts, reversed_texts, strict=True)]
    aligned = WordAligner(encoder, layer=0).align(list(zip(texts, reversed_texts, strict=True)), words)
    pairs = [
        (text[slice(*first[source])], other[slice(*second[target])])
        for text, other, (first, second), links in zip(texts, reversed_texts, words, aligned, strict=True)
        for source, target in links
    ]
    assert sum(source == target for source, target in pairs) > 0.9 * len(pairs)
    assert len(pairs) > 0.8 * sum(len(first) for first, _ in words)


def test_translations_are_aligned_by_a_multilingual_encoder(encoder: Path) -> None:
    english, spanish = (toy.sentences.load(language, "train")["source_sentence"][:5] for language in ("en", "es"))
    words = [(split_tokens(first), split_tokens(second)) for first, second in zip(english, spanish, strict=True)]
    assert all(WordAligner(encoder).align(list(zip(english, spanish, strict=True)), words))


def test_answers_and_tags_are_projected_by_alignment(encoder: Path) -> None:
    aligner = WordAligner(encoder, layer=0)
    questions = toy.questions.load("en", "validation").select(range(40))
    translated = xq.TranslateTrain(ENGINE, "en", "es", ("context", "question"), aligner=aligner)(questions, seed=0)
    assert len(translated) > 30
    for row in translated:
        text, start = row["answers"]["text"][0], row["answers"]["answer_start"][0]
        assert row["context"][start : start + len(text)] == text
    record = xq.history(translated)[-1]
    assert record.details["projection"] == "alignment"
    assert record.settings["aligner"]["encoder"] != str(encoder)  # its digest
    assert (
        xq.TranslateTrain(ENGINE, "en", "es", ("context",), aligner=aligner)(questions.select(range(5)), seed=0)[
            "context"
        ][:]
        == translated.filter(lambda row: row["uid"] in questions["uid"][:5])["context"][:]
    )


def test_parts_of_speech_are_projected_by_alignment(encoder: Path) -> None:
    features = Features({"tokens": List(Value("string")), "tags": List(ClassLabel(names=["DET", "NOUN", "VERB"]))})
    words = toy.sentences.load("en", "train")["source_sentence"][0].replace(",", "").strip(".").split()
    data = Dataset.from_dict({"tokens": [words], "tags": [[number % 3 for number in range(len(words))]]}, features)
    translated = xq.TranslateTrain(ENGINE, "en", "es", ("tokens",), aligner=WordAligner(encoder, layer=0))(data, seed=0)
    expected = dict(zip(words, data[0]["tags"], strict=True))
    right = [
        tag == expected.get(token)
        for token, tag in zip(*(translated[0][name] for name in data.column_names), strict=True)
    ]
    assert sum(right) > 0.7 * len(right)


def test_windows_of_a_long_text_are_read_one_after_the_other(encoder: Path) -> None:
    text = " ".join(toy.sentences.load("en", "train")["source_sentence"][:3])
    words = split_tokens(text)
    (links,) = WordAligner(encoder, layer=0, max_length=12).align([(text, text)], [(words, words)])
    assert max(source for source, _ in links) > len(words) - 4


def test_settings_are_checked_and_written(encoder: Path) -> None:
    transform = xq.TranslateTrain(REVERSING, "en", "es", ("text",), aligner=WordAligner(encoder, method="argmax"))
    assert xq.from_dict(transform.to_dict(), known=[REVERSING.function]) == transform
    with pytest.raises(SettingError, match="folder or a Hub id"):
        WordAligner(3)
    with pytest.raises(ModelError, match="could not be loaded"):
        WordAligner("/nowhere").align([("a", "a")], [([(0, 1)], [(0, 1)])])
    with pytest.raises(ModelError, match="reads layer 99"):
        WordAligner(encoder, layer=99).align([("a", "a")], [([(0, 1)], [(0, 1)])])
