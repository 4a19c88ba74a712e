"""Averages over languages: what is left out, what cannot be averaged, tables by script and family."""

import pytest

from xquality.errors import SettingError
from xquality.evaluation import average, table, transfer_gap, zero_shot_mean
from xquality.records import Score


def scores_of(**values: float) -> list[Score]:
    return [Score("t", language, "accuracy", value, 9) for language, value in values.items()]


SPELT = scores_of(eng_Latn=90.0, deu_Latn=60.0, spa_Latn=80.0)


def test_the_zero_shot_mean_leaves_out_trained_languages_however_they_are_spelled() -> None:
    assert zero_shot_mean(SPELT, ["en", "es"]) == 60.0
    with pytest.raises(SettingError):
        zero_shot_mean(SPELT, ["en", "es", "de"])


def test_averages_have_english_among_them_unless_it_is_left_out() -> None:
    assert average(SPELT) == pytest.approx(230 / 3)
    assert average(SPELT, without=["en"]) == 70.0


def test_the_gap_is_the_source_minus_the_mean_of_the_others() -> None:
    assert transfer_gap(SPELT) == 20.0
    assert transfer_gap(SPELT, source="de") == -25.0
    with pytest.raises(SettingError, match="source"):
        transfer_gap(SPELT[1:])
    with pytest.raises(SettingError):
        transfer_gap(SPELT[:1])


def test_several_scores_of_a_language_are_not_averaged() -> None:
    with pytest.raises(SettingError, match="several"):
        average([*SPELT, *SPELT])
    with pytest.raises(SettingError, match="several"):
        average([*scores_of(de=1.0), Score("other", "es", "accuracy", 2.0, 9)])


def test_a_table_has_a_line_a_group_and_a_column_a_metric() -> None:
    scores = [*scores_of(hi=40.0, mr=50.0, ru=70.0), Score("t", "hi", "f1", 10.0, 9)]
    by_script = table(scores, by="script")
    assert by_script.index.tolist() == ["Deva", "Cyrl"]
    assert by_script.loc["Deva"].to_dict() == {"languages": 2, "accuracy": 45.0, "f1": 10.0}
    assert table(scores, by="family").loc["Indo-European", "accuracy"] == pytest.approx(160 / 3)
    assert table(scores).loc["ru", "accuracy"] == 70.0
    with pytest.raises(SettingError):
        table(scores, by="continent")


def test_a_language_in_two_scripts_is_two_and_under_two_spellings_it_is_refused() -> None:
    scripts = [
        Score("t", language, "accuracy", value, 9) for language, value in (("arb_Arab", 90.0), ("arb_Latn", 10.0))
    ]
    english = Score("t", "eng_Latn", "accuracy", 60.0, 9)
    assert transfer_gap([*scripts, english], "arb_Arab") == 55.0
    spellings = [Score("t", language, "accuracy", 90.0, 9) for language in ("es", "spa_Latn")]
    with pytest.raises(SettingError, match="two spellings"):
        average([*spellings, english])


def test_a_mean_is_summed_as_the_official_code_sums() -> None:
    values = [0.1] * 10
    languages = ["de", "es", "fr", "ru", "tr", "vi", "zh", "sw", "ar", "hi"]
    total = 0.0
    for value in values:
        total += value
    scores = [Score("t", name, "accuracy", value, 9) for name, value in zip(languages, values, strict=True)]
    assert average(scores) == total / 10


PAIRS = [
    Score("mlqa_across", language, "f1", value, 9)
    for language, value in {"en.en": 80.0, "en.de": 62.0, "de.en": 60.0}.items()
]


@pytest.mark.parametrize("trained", [["en"], ["eng_Latn"], ["en.en"], ["mlqa.en.en"]])
def test_a_pair_of_languages_is_zero_shot_unless_both_were_trained_in(trained: list[str]) -> None:
    assert zero_shot_mean(PAIRS, trained) == 61.0
    assert average(PAIRS, without=trained) == 61.0


def test_pairs_have_averages_gaps_and_tables() -> None:
    assert average(PAIRS) == pytest.approx(202 / 3)
    assert transfer_gap(PAIRS) == 19.0
    with pytest.raises(SettingError):
        zero_shot_mean(PAIRS, ["en", "de"])
    assert average(PAIRS, without=["en.de"]) == 70.0
    mixed = [*PAIRS, Score("mlqa_across", "en.ar", "f1", 30.0, 9), Score("mlqa_across", "ar.ar", "f1", 20.0, 9)]
    assert table(mixed, by="script").index.tolist() == ["Latn", "Latn.Arab", "Arab"]
    assert table(mixed, by="family").loc["Indo-European", "languages"] == 3


@pytest.mark.parametrize("call", [average, transfer_gap, table, lambda scores: zero_shot_mean(scores, ["en"])])
@pytest.mark.parametrize("scores", [None, 3, "de", [60.0], {"de": 60.0}, scores_of(en=90.0, de=float("nan"))])
def test_what_is_no_list_of_finite_scores_is_refused(call, scores) -> None:
    with pytest.raises(SettingError, match="scores"):
        call(scores)


def test_scores_may_come_from_a_generator() -> None:
    assert transfer_gap(score for score in SPELT) == 20.0
