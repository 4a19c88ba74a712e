"""Tokens of answers: texts together give what each gives alone, and the rules of every language."""

import re
import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xquality.errors import MetricError
from xquality.metrics.answers import SEGMENTED, SQUAD, Rules, mlqa_rules

LANGUAGES = ["ar", "de", "en", "es", "hi", "vi", "zh"]
# What the rules turn on: articles, punctuation, blanks, case that depends on its neighbours, the edges of ranges.
PIECES = [
    *"a an the The el la der das của là ال القاهرة 北 京 龥 龦 の ก ΟΔΟΣ ς İ ß é x 3".split(),
    *["e\u0301", "\u0301", " ", "  ", "\u00a0", "\u3000", "\u200b", "\x1f", "\u2028", "\n", "\0"],
    *["-", "'", "\u2019", "。", "।", "،", "€", "½", "."],
]
texts = st.lists(st.lists(st.sampled_from(PIECES), max_size=8).map("".join), max_size=8)
rules = st.sampled_from([SQUAD, SEGMENTED, *map(mlqa_rules, LANGUAGES)])


@given(texts, rules)
def test_texts_together_give_what_each_gives_alone(many: list[str], rule: Rules) -> None:
    assert rule.tokens(many) == [rule.tokens([one])[0] for one in many]


@given(texts, rules)
def test_tokens_hold_neither_blanks_nor_capitals_nor_ascii_punctuation(many: list[str], rule: Rules) -> None:
    for token in (token for tokens in rule.tokens(many) for token in tokens):
        assert token
        assert token == token.lower()
        assert not re.search(r"\s", token)
        assert not set(token) & set(string.punctuation)


@given(texts, st.sampled_from(LANGUAGES))
def test_mlqa_drops_all_that_unicode_counts_as_punctuation(many: list[str], language: str) -> None:
    left = {one for tokens in mlqa_rules(language).tokens(many) for token in tokens for one in token}
    assert not [one for one in left if unicodedata.category(one).startswith("P")]


@given(texts)
def test_squads_rules_follow_their_definition(many: list[str]) -> None:
    for text, tokens in zip(many, SQUAD.tokens(many), strict=True):
        kept = "".join(one for one in text.lower() if one not in string.punctuation)
        assert tokens == re.sub(r"\b(a|an|the)\b", " ", kept).split()


@pytest.mark.parametrize(
    ("language", "text", "tokens"),
    [
        ("en", "The cat, an animal", ["cat", "animal"]),
        ("en", "l'état", ["létat"]),
        ("es", "Los gatos y una casa", ["gatos", "y", "casa"]),
        ("es", "the gato", ["the", "gato"]),
        ("de", "Der Hund des Nachbarn", ["hund", "nachbarn"]),
        ("de", "die-die", ["diedie"]),
        ("vi", "những người của tôi", ["người", "tôi"]),
        ("vi", "cu\u0309a tôi", ["cu\u0309a", "tôi"]),
        ("ar", "والقاهرة", ["و", "قاهرة"]),
        ("ar", "قال", ["ق"]),
        ("hi", "दिल्ली।", ["दिल्ली"]),
        ("zh", "3.5亿NBA 总决赛", ["35", "亿", "nba", "总", "决", "赛"]),
        ("zh", "日本のの字", ["日", "本", "のの", "字"]),
        ("zh", "龥龦x", ["龥", "龦x"]),
    ],
)
def test_the_rules_of_a_language(language: str, text: str, tokens: list[str]) -> None:
    assert mlqa_rules(language).tokens([text]) == [tokens]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("北京大学。", ["北", "京", "大", "学"]),
        ("กรุงเทพ", ["ก", "รุ", "ง", "เ", "ท", "พ"]),
        ("東京タワー", ["東", "京", "タ", "ワ", "ー"]),
        ("the Beatles (1962)", ["the", "beatles", "1962"]),
        ("서울 시", ["서울", "시"]),
    ],
)
def test_scripts_without_blanks_are_split_into_characters(text: str, tokens: list[str]) -> None:
    assert SEGMENTED.tokens([text]) == [tokens]


@pytest.mark.parametrize("language", ["fr", "", "EN", None])
def test_mlqa_has_seven_languages(language: str) -> None:
    with pytest.raises(MetricError, match="ar, de, en, es, hi, vi, zh"):
        mlqa_rules(language)
