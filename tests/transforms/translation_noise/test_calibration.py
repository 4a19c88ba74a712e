import json

import numpy as np
import pytest
from datasets import Dataset
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

import xquality as xq
from xquality import toy
from xquality.errors import ColumnError, DataKindError, SettingError
from xquality.transforms import Calibration


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


def test_the_order_of_the_rows_decides_nothing_and_the_value_is_serialised():
    data = xq.with_uid(toy.topics.load("es", "train"))
    noise = xq.TranslationNoise.calibrate(data, chrf=75, rows=100)
    assert noise == xq.TranslationNoise.calibrate(data.shuffle(1), chrf=75, rows=100)
    assert xq.from_dict(json.loads(json.dumps(noise.to_dict()))) == noise
    assert xq.history(noise(data, seed=1))[-1].settings["calibration"]["reached"] == noise.calibration.reached


def test_tokens_are_scored_as_text():
    noise = xq.TranslationNoise.calibrate(toy.entities.load("es", "train"), ["tokens"], chrf=70, rows=100)
    assert abs(noise.calibration.reached - 70) <= 1


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({}, SettingError, "either chrf or bleu"),
        ({"chrf": 50, "bleu": 50}, SettingError, "either chrf or bleu"),
        ({"chrf": 100}, SettingError, "between 0 and 100"),
        ({"chrf": -3}, SettingError, "between 0 and 100"),
        ({"chrf": "50"}, SettingError, "finite number"),
        ({"chrf": 2}, SettingError, "cannot be reached"),
        ({"chrf": 50, "rows": 0}, SettingError, "at least 1"),
        ({"chrf": 50, "errors": ("wrong_word",)}, SettingError, "vocabulary"),
        ({"chrf": 50, "severity": 0.5}, SettingError, "finds the severity, .* got \\['severity'\\]"),
        ({"chrf": 50, "words": 3}, SettingError, "takes \\['answers', .* got \\['words'\\]"),
        ({"chrf": 50, "columns": "text"}, SettingError, "list of names"),
        ({"chrf": 50, "columns": ["absent"]}, ColumnError, "'absent'"),
        ({"chrf": 50, "columns": ["uid"]}, ColumnError, "'uid'"),
        ({"chrf": 50, "seed": 0.5}, SettingError, "integer"),
    ],
)
def test_what_cannot_be_reached_is_refused(settings, error, message):
    with pytest.raises(error, match=message):
        xq.TranslationNoise.calibrate(toy.topics.load("es", "validation"), **settings)


def test_null_tokens_are_no_text():
    data = Dataset.from_dict({"tokens": [["uno", None, "dos", "tres"]] * 50})
    noise = xq.TranslationNoise.calibrate(data, ["tokens"], chrf=80, errors=("repetition",))
    assert abs(noise.calibration.reached - 80) <= 1


def test_tags_that_are_named_follow_while_calibrating():
    data = toy.entities.load("es", "train")
    noise = xq.TranslationNoise.calibrate(data, ["tokens"], chrf=70, rows=100, tags=("ner_tags",))
    assert noise.tags == ("ner_tags",)


@pytest.mark.parametrize(("lost", "wanted"), [("keep_original", 94), ("drop", 85)])
def test_the_score_is_that_of_what_comes_out_where_answers_follow(real_data, lost, wanted):
    data = Dataset.from_parquet(str(real_data / "xquad/xquad.es/validation.parquet"))
    data = xq.with_uid(data.select(range(0, 1000, 10)))
    errors = ("omission", "repetition")
    noise = xq.TranslationNoise.calibrate(data, ["context"], chrf=wanted, errors=errors, lost=lost)
    after = noise(data, seed=0)
    clean = {row["uid"]: row["context"] for row in data}
    score = CHRF().corpus_score(after["context"][:], [[clean[uid] for uid in after["uid"]]]).score
    assert xq.history(after)[-1].details["answers_lost"] > 3
    assert score == pytest.approx(noise.calibration.reached)
    assert abs(score - wanted) <= 1


def test_errors_that_undo_each_other_are_searched_from_below(real_data):
    data = xq.with_uid(Dataset.from_parquet(str(real_data / "sib200/spa_Latn/test.parquet")).select(range(100)))
    score = {}
    for severity in (0.6, 1.0):
        after = xq.TranslationNoise(severity, errors=("reordering",))(data, seed=0)["text"][:]
        score[severity] = BLEU().corpus_score(after, [data["text"][:]]).score
    assert score[0.6] < 25
    assert score[1.0] > 45  # to move every word brings many of them back
    noise = xq.TranslationNoise.calibrate(data, bleu=25, errors=("reordering",))
    assert abs(noise.calibration.reached - 25) <= 1
    assert noise.severity < 0.6
    above = xq.TranslationNoise.calibrate(data, bleu=57, errors=("reordering",))
    assert above.severity < noise.severity


def test_data_with_a_history_can_be_calibrated_on():
    data = xq.TranslationNoise(0.1)(toy.topics.load("es", "validation"), seed=0)
    assert abs(xq.TranslationNoise.calibrate(data, chrf=70).calibration.reached - 70) <= 1


def test_repr_and_json_are_plain_where_numbers_were_numpys():
    noise = xq.TranslationNoise.calibrate(
        toy.topics.load("es", "validation"), chrf=np.float64(70), seed=np.int64(3), rows=np.int64(50)
    )
    assert json.loads(json.dumps(noise.to_dict()))["settings"]["calibration"]["seed"] == 3
    names = {"TranslationNoise": xq.TranslationNoise, "Calibration": Calibration}
    assert eval(repr(noise), names) == noise  # noqa: S307 (our own repr, which is the point)


def test_there_must_be_text_and_a_dataset():
    with pytest.raises(SettingError, match="hold none"):
        xq.TranslationNoise.calibrate(Dataset.from_dict({"text": ["", None]}), chrf=50)
    with pytest.raises(DataKindError, match="list"):
        xq.TranslationNoise.calibrate([{"text": "a"}], chrf=50)


@pytest.mark.parametrize(
    ("texts", "short"),
    [
        (["hola"], 60),
        (["hola mundo", "uno"], 60),
        (["uno dos tres"], 60),
        (["東京", "東京は"], 60),
        (["a", "b", "c d e f g"], 40),
    ],
)
def test_bleu_of_texts_shorter_than_its_runs_of_words_is_refused(texts, short):
    data = Dataset.from_dict({"text": (texts * 60)[:60]})
    with pytest.raises(
        SettingError, match=f"runs of four words, but {short} of 60 texts have fewer than four; give chrf="
    ):
        xq.TranslationNoise.calibrate(data, bleu=40)


def test_bleu_of_texts_of_which_some_are_short_is_reached():
    texts = [f"uno{row} dos{row} tres{row} cuatro{row} cinco{row}" if row % 3 else "uno" for row in range(90)]
    noise = xq.TranslationNoise.calibrate(Dataset.from_dict({"text": texts}), bleu=60)
    assert abs(noise.calibration.reached - 60) <= 1
