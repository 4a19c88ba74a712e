"""TranslateTrain: texts, pairs and options; what stays, what is refused, and the language of the rows."""

import pytest
from conftest import NUMBERING, REVERSING, rows_with_options
from datasets import Dataset

import xquality as xq
from xquality import toy
from xquality.data.provenance import origins, translated_languages
from xquality.errors import ColumnError, DataKindError, LanguagePairError, SettingError, StreamError
from xquality.train import Stage
from xquality.translators import Cached, FunctionTranslator


def test_pairs_are_translated_and_labels_stay() -> None:
    data = toy.inference.load("en", "train").select(range(20))
    translated = xq.TranslateTrain(REVERSING, "en", "es", ("premise", "hypothesis"))(data, seed=0)
    for before, after in zip(data, translated, strict=True):
        assert after["premise"] == " ".join(before["premise"].upper().split()[::-1])
        assert after["hypothesis_before"] == before["hypothesis"]
        assert after["label"] == before["label"]


def test_options_are_translated_each_alone_and_nulls_stay() -> None:
    data = rows_with_options()
    translated = xq.TranslateTrain(REVERSING, "en", "es", ("options",))(data, seed=0)
    assert translated[2:5]["options"] == [None, [], ["YES", None]]
    assert translated[0]["options"] == [" ".join(text.upper().split()[::-1]) for text in data[0]["options"]]


def test_empty_texts_stay_and_each_distinct_text_is_translated_once() -> None:
    asked: list[str] = []

    def remember(texts, source, target):
        asked.extend(texts)
        return [f"{target}:{text}" for text in texts]

    data = Dataset.from_dict({"text": ["a", "", " ", None, "b", "a"]})
    translator = FunctionTranslator(remember, "remember", "1")
    translated = xq.TranslateTrain(translator, "en", "es")(data, seed=0)
    assert translated["text"][:] == ["es:a", "", " ", None, "es:b", "es:a"]
    assert sorted(asked) == ["a", "b"]


def test_the_record_names_the_engine_and_both_languages() -> None:
    data = toy.topics.load("en", "validation")
    record = xq.history(xq.TranslateTrain(REVERSING, "en", "es")(data, seed=0))[-1]
    assert record.settings["translator"] == {"translator": "reversing", "version": "1"}
    assert (record.settings["source"], record.settings["target"]) == ("en", "es")
    assert record.details["engine"] == "1"
    assert record.changed == record.rows_after == len(data)


def test_rows_are_of_the_target_language_afterwards() -> None:
    english = toy.topics.load("en", "train").select(range(40))
    spanish = xq.TranslateTrain(REVERSING, "eng", "es")(english, seed=0)
    assert [origin["language"] for origin in origins(spanish)] == ["es"]
    assert Stage(toy.topics, data=spanish).languages == ("es",)
    both = xq.concatenate([english, spanish], names=["human", "machine"])
    assert set(Stage(toy.topics, data=both).languages) == {"en", "es"}
    later = xq.Mix(spanish, rate=0.5)(english, seed=1)
    assert set(Stage(toy.topics, data=later).languages) == {"en", "es"}
    stream = xq.TranslateTrain(REVERSING, "en", "es")(english.to_iterable_dataset(), seed=0)
    assert translated_languages(stream) == ("es",)


def test_rows_that_were_mixed_are_translated_too() -> None:
    english = toy.topics.load("en", "train").select(range(40))
    noisy = xq.LabelNoise(0.5)(english, seed=1)
    mixed = xq.Mix(noisy, rate=0.5)(english, seed=1)
    assert Stage(toy.topics, data=xq.TranslateTrain(REVERSING, "en", "es")(mixed, seed=0)).languages == ("es",)


def test_rows_of_unknown_origin_have_the_language_that_they_were_translated_to() -> None:
    data = toy.topics.load("en", "train").select(range(20))
    own = Dataset.from_dict({"text": data["text"][:], "label": data["label"][:]})
    assert Stage(toy.topics, data=own).languages == ("en",)
    translated = xq.TranslateTrain(REVERSING, "en", "es")(own, seed=0)
    assert Stage(toy.topics, data=translated).languages == ("es",)


def test_rows_of_another_language_are_refused() -> None:
    with pytest.raises(DataKindError, match=r"translates from 'en', but the rows were loaded in \['es'\]"):
        xq.TranslateTrain(REVERSING, "en", "de")(toy.topics.load("es", "test"), seed=0)


def test_what_cannot_be_translated_is_refused() -> None:
    data = toy.topics.load("en", "validation")
    only_german = FunctionTranslator(len, "none", "1", language_pairs=[("en", "de")])
    with pytest.raises(LanguagePairError, match="en-de"):
        xq.TranslateTrain(only_german, "en", "es")(data, seed=0)
    with pytest.raises(ColumnError, match="'label' holds int64"):
        xq.TranslateTrain(REVERSING, "en", "es", ("label",))(data, seed=0)
    with pytest.raises(ColumnError, match="may not change 'text_before'"):
        xq.TranslateTrain(REVERSING, "es", "en", ("text_before",))(
            xq.TranslateTrain(REVERSING, "en", "es")(data, seed=0).remove_columns("label"), seed=1
        )
    with pytest.raises(SettingError, match="two different languages"):
        xq.TranslateTrain(REVERSING, "en", "eng_Latn")
    with pytest.raises(SettingError, match="occurs twice"):
        xq.TranslateTrain(REVERSING, "en", "es", ("text", "text"))
    with pytest.raises(DataKindError, match="must be a translator"):
        xq.TranslateTrain("apertium", "en", "es")


def test_an_engine_that_is_not_context_free_needs_all_rows_unless_it_is_cached(tmp_path) -> None:
    data = toy.topics.load("en", "validation").select(range(10))
    with pytest.raises(StreamError, match="needs all rows"):
        xq.TranslateTrain(NUMBERING, "en", "es").batches(seed=0)
    cached = xq.TranslateTrain(Cached(NUMBERING, tmp_path), "en", "es")
    assert all(text.endswith("0 of 1") for text in cached(data, seed=0)["text"])
    assert xq.from_dict(cached.to_dict(), known=[NUMBERING.function]) == cached
