"""How good translations are: the scores, what they are joined by, and where a record holds them."""

import json

import pytest
from conftest import NUMBERING, REVERSING
from datasets import Dataset
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

import xquality as xq
from xquality import toy
from xquality.errors import ColumnError, DataKindError, SettingError, UidError
from xquality.transforms import TranslationNoise, TranslationQuality, translation_quality
from xquality.translators import FunctionTranslator


def drop_last_word(texts, source, target):
    """A function of texts that loses the last word of each."""
    return [" ".join(text.split()[:-1]) or text for text in texts]


DROPPING = FunctionTranslator(drop_last_word, "dropping", "1")


def test_the_scores_are_those_of_sacrebleu_over_all_texts_joined_by_uid() -> None:
    human = toy.topics.load("es", "validation")
    machine = TranslationNoise(0.3)(human, seed=1).shuffle(seed=3)
    by_uid = dict(zip(human["uid"], human["text"], strict=True))
    references = [[by_uid[uid] for uid in machine["uid"]]]
    quality = translation_quality(machine, human)
    assert quality.chrf == pytest.approx(CHRF().corpus_score(machine["text"][:], references).score)
    assert quality.bleu == pytest.approx(BLEU().corpus_score(machine["text"][:], references).score)
    assert (quality.texts, quality.against) == (len(human), "references")
    assert quality.chrf_signature.startswith("nrefs:1|case:mixed|eff:yes|nc:6|nw:0")
    assert "tok:13a" in quality.bleu_signature


def test_characters_are_compared_in_scripts_without_spaces() -> None:
    human = toy.topics.load("zh", "validation")
    assert "tok:char" in translation_quality(human, human).bleu_signature


def test_tokens_and_options_are_texts_and_rows_without_a_partner_are_left_out() -> None:
    human = toy.entities.load("es", "validation")
    few = human.select(range(10, 20))
    quality = translation_quality(few, human, ("tokens",))
    assert (quality.texts, round(quality.chrf)) == (10, 100)


def test_what_cannot_be_compared_is_refused() -> None:
    data = toy.topics.load("es", "validation")
    with pytest.raises(UidError, match="no uid in common"):
        translation_quality(data.select(range(5)), data.select(range(5, 10)))
    with pytest.raises(UidError, match="has none"):
        translation_quality(data, Dataset.from_dict({"text": ["a"]}))
    with pytest.raises(ColumnError, match="'label' holds int64"):
        translation_quality(data, data, ("label",))
    with pytest.raises(ColumnError, match="no text"):
        translation_quality(
            Dataset.from_dict({"uid": [0], "text": [" "]}), Dataset.from_dict({"uid": [0], "text": ["a"]})
        )
    with pytest.raises(DataKindError, match="two Datasets"):
        translation_quality(data, [1])
    with pytest.raises(SettingError, match="against"):
        TranslationQuality(1.0, 1.0, 1, "people", "a", "b")


def test_the_record_holds_the_quality_against_references() -> None:
    english, spanish = (toy.topics.load(language, "validation") for language in ("en", "es"))
    transform = xq.TranslateTrain(DROPPING, "en", "es", references=spanish)
    translated = transform(english, seed=0)
    record = xq.history(translated)[-1]
    assert record.details["quality"] == translation_quality(translated, spanish).to_dict()
    assert json.loads(json.dumps(record.to_dict()))["details"]["quality"]["against"] == "references"
    assert record.settings["references"]["digest"] == xq.digest(spanish)
    with pytest.raises(xq.errors.SerialisationError, match="not its rows"):
        xq.from_dict(transform.to_dict(), known=[drop_last_word])


def test_the_record_holds_the_quality_of_a_round_trip() -> None:
    english = toy.topics.load("en", "validation")
    translated = xq.TranslateTrain(REVERSING, "en", "es", round_trip=True)(english, seed=0)
    quality = xq.history(translated)[-1].details["round_trip"]
    upper = english.map(lambda row: {"text": row["text"].upper()})
    assert quality["chrf"] == pytest.approx(translation_quality(upper, english).chrf)
    assert quality["against"] == "source"
    trip = xq.RoundTripTranslation(DROPPING, "en", "es")(english, seed=0)
    assert xq.history(trip)[-1].details["quality"]["chrf"] == pytest.approx(translation_quality(trip, english).chrf)


def test_the_quality_in_a_record_is_the_same_in_any_order_and_for_any_engine() -> None:
    english, spanish = (toy.topics.load(language, "validation") for language in ("en", "es"))
    transform = xq.TranslateTrain(NUMBERING, "en", "es", references=spanish, round_trip=True)
    details = [xq.history(transform(data, seed=0))[-1].details for data in (english, english.shuffle(seed=5))]
    assert details[0] == details[1]


def test_rows_that_were_kept_as_they_were_are_not_measured() -> None:
    data = Dataset.from_list(
        [
            {
                "context": f"{'the' if number else '[]{}«»()<>'} red car",
                "answers": {"text": ["car"], "answer_start": [start]},
            }
            for number, start in ((0, 15), (1, 8))
        ]
    )
    data = xq.with_uid(data)
    transform = xq.TranslateTrain(
        FunctionTranslator(lambda texts, source, target: texts, "same", "1"),
        "en",
        "es",
        ("context",),
        lost="keep_original",
        references=data,
    )
    assert xq.history(transform(data, seed=0))[-1].details["quality"]["texts"] == 1


def test_noise_is_calibrated_to_the_quality_that_an_engine_reached() -> None:
    human = toy.topics.load("es", "train").select(range(200))
    quality = TranslationQuality(70.0, 40.0, 200, "references", "a", "b")
    assert TranslationNoise.calibrate(human, chrf=quality) == TranslationNoise.calibrate(human, chrf=70.0)
    assert TranslationNoise.calibrate(human, bleu=quality).calibration.wanted == 40.0
