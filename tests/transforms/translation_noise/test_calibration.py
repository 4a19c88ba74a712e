import json

import pytest
from datasets import Dataset
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

import xquality as xq
from xquality import toy
from xquality.errors import DataKindError, SettingError


@pytest.mark.parametrize(
    ("language", "folder"), [("es", "spa_Latn"), ("zh", "zho_Hans"), ("th", "tha_Thai"), ("ar", "arb_Arab")]
)
def test_the_wanted_chrf_is_reached_on_real_text(real_data, language, folder):
    data = xq.with_uid(Dataset.from_parquet(str(real_data / f"sib200/{folder}/train.parquet")))
    noise = xq.TranslationNoise.calibrate(data, ["text"], chrf=60)
    assert abs(noise.calibration.reached - 60) <= 1
    assert noise.calibration.rows == 500
    after = noise(data, seed=0)  # the whole of it, of which the sample was a part
    score = CHRF().corpus_score(after["text"][:], [data["text"][:]]).score
    assert abs(score - 60) < 2.5


def test_the_wanted_bleu_is_reached_in_words_and_in_characters(real_data):
    for folder, tokenize in (("spa_Latn", "13a"), ("zho_Hans", "char")):
        data = Dataset.from_parquet(str(real_data / f"sib200/{folder}/test.parquet"))
        noise = xq.TranslationNoise.calibrate(data, ["text"], bleu=40, errors=("omission", "reordering"))
        assert abs(noise.calibration.reached - 40) <= 1
        assert f"tok:{tokenize}" in noise.calibration.signature
        after = noise(data, seed=0)
        score = BLEU(tokenize=tokenize).corpus_score(after["text"][:], [data["text"][:]]).score
        assert score == pytest.approx(noise.calibration.reached)  # all 204 rows were the sample


def test_the_order_of_the_rows_decides_nothing_and_the_value_goes_through_json():
    data = xq.with_uid(toy.topics.load("es", "train"))
    noise = xq.TranslationNoise.calibrate(data, chrf=75, rows=100)
    assert noise == xq.TranslationNoise.calibrate(data.shuffle(1), chrf=75, rows=100)
    assert xq.from_dict(json.loads(json.dumps(noise.to_dict()))) == noise
    assert xq.history(noise(data, seed=1))[-1].settings["calibration"]["reached"] == noise.calibration.reached


def test_tokens_are_scored_as_text():
    noise = xq.TranslationNoise.calibrate(toy.entities.load("es", "train"), ["tokens"], chrf=70, rows=100)
    assert abs(noise.calibration.reached - 70) <= 1


@pytest.mark.parametrize(
    ("settings", "kind", "said"),
    [
        ({}, SettingError, "either chrf or bleu"),
        ({"chrf": 50, "bleu": 50}, SettingError, "either chrf or bleu"),
        ({"chrf": 100}, SettingError, "between 0 and 100"),
        ({"chrf": -3}, SettingError, "between 0 and 100"),
        ({"chrf": "50"}, SettingError, "finite number"),
        ({"chrf": 2}, SettingError, "cannot be reached"),
        ({"chrf": 50, "rows": 0}, SettingError, "at least 1"),
        ({"chrf": 50, "errors": ("wrong_word",)}, SettingError, "vocabulary"),
    ],
)
def test_what_cannot_be_reached_is_refused(settings, kind, said):
    with pytest.raises(kind, match=said):
        xq.TranslationNoise.calibrate(toy.topics.load("es", "validation"), **settings)


def test_there_must_be_text_and_a_dataset():
    with pytest.raises(SettingError, match="hold none"):
        xq.TranslationNoise.calibrate(Dataset.from_dict({"text": ["", None]}), chrf=50)
    with pytest.raises(DataKindError, match="list"):
        xq.TranslationNoise.calibrate([{"text": "a"}], chrf=50)
