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
