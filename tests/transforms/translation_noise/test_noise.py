from collections import Counter

import numpy as np
import pytest
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st

import xquality as xq
from xquality import toy
from xquality.errors import ColumnError, SettingError
from xquality.testing import check_transform

FREE = ("omission", "repetition", "reordering", "entity", "truncation", "hallucination")
LANGUAGES = {"es": "spa_Latn", "ar": "arb_Arab", "hi": "hin_Deva", "th": "tha_Thai", "zh": "zho_Hans", "ja": "jpn_Jpan"}


@pytest.fixture(scope="module")
def sentences(real_data):
    """The same 204 real sentences in six languages, with the English ones beside them."""
    english = Dataset.from_parquet(str(real_data / "sib200/eng_Latn/test.parquet"))["text"][:]
    found = {}
    for short, language in LANGUAGES.items():
        texts = Dataset.from_parquet(str(real_data / f"sib200/{language}/test.parquet"))["text"][:]
        found[short] = xq.with_uid(Dataset.from_dict({"text": texts, "english": english}))
    return found


def noised(data, severity, kind, seed=1):
    needs = {
        "wrong_word": {"vocabulary": xq.Vocabulary.fit(data, ["text"])},
        "untranslated": {"parallel": ("english",)},
    }
    after = xq.TranslationNoise(severity, errors=(kind,), **needs.get(kind, {}))(data, seed=seed)
    record = xq.history(after)[-1]
    return data["text"][:], after["text"][:], after["text_before"][:], record


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "kind",
    ["omission", "repetition", "reordering", "wrong_word", "untranslated", "entity", "truncation", "hallucination"],
)
def test_each_kind_alone_on_real_sentences(sentences, language, kind):
    before, after, kept, record = noised(sentences[language], 0.2, kind)
    count = record.details["kinds"][kind]
    assert set(record.details["kinds"]) == {kind}
    for one, two, first in zip(before, after, kept, strict=True):
        two.encode()
        assert two
        assert one == (two if first is None else first)
    assert record.changed == sum(one is not None for one in kept)
    changed = sum(one != two for one, two in zip(before, after, strict=True))
    assert changed <= record.changed
    if kind in ("omission", "repetition", "reordering", "wrong_word"):
        units = record.details["units"]
        lost = len(before) if kind == "omission" else 0  # one unit of each row is spared
        assert abs(count - 0.2 * (units - lost / 2)) < 4 * np.sqrt(0.16 * units) + lost / 2
        assert record.realised_rate == count / units
    if kind in ("truncation", "hallucination"):
        assert count == record.changed
        assert 15 < count < 70
    if kind == "entity":
        assert count >= 15
    length = sum(map(len, after)) - sum(map(len, before))
    assert {
        "omission": length < 0,
        "repetition": length > 0,
        "truncation": length < 0,
        "hallucination": length > 0,
    }.get(kind, True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_each_kind_leaves_of_a_text(sentences, language):
    for one, two in zip(*noised(sentences[language], 0.2, "reordering")[:2], strict=True):
        assert Counter(one) == Counter(two)  # nothing is lost and nothing added
    for one, two in zip(*noised(sentences[language], 0.2, "omission")[:2], strict=True):
        assert not Counter(two) - Counter(one)
        rest = iter(one)
        assert all(character in rest for character in two)
    for one, two in zip(*noised(sentences[language], 0.2, "truncation")[:2], strict=True):
        assert one.startswith(two)
        assert len(two) > len(one) / 10
    for one, two in zip(*noised(sentences[language], 0.2, "hallucination")[:2], strict=True):
        assert two.startswith(one.rstrip(" .!?:।。”」\"'»)]…॥؟")[:-3])
    for one, two in zip(*noised(sentences[language], 0.5, "entity")[:2], strict=True):
        assert len(one) - 9 <= len(two) <= len(one)


def test_untranslated_words_are_words_of_the_source(sentences):
    before, after, _, _ = noised(sentences["zh"], 0.3, "untranslated")
    english = sentences["zh"]["english"][:]
    for one, two, source in zip(before, after, english, strict=True):
        new = Counter(filter(str.isascii, two)) - Counter(filter(str.isascii, one))
        assert set(new) <= set(source)


WORDS = ["uno", "Dos", "tres", "東", "京", "م", "مُحَمَّد", "नमस्ते", "क्ष", "ก", "น้ำ", "👩‍👩‍👧", "👍🏽", "🇪🇸", "e\u0301", "\u200f", "\u200d", " ", " ", ", ", ". ", "2020", "٣٤"]  # fmt: skip
texts = st.lists(st.lists(st.sampled_from(WORDS), max_size=14).map("".join), min_size=1, max_size=8)


@settings(max_examples=60)
@given(texts, st.sampled_from([0.3, 1.0]), st.integers(0, 1000))
def test_text_of_any_script_and_direction_comes_out_as_valid_text(found, severity, seed):
    import regex

    data = Dataset.from_dict({"text": found})
    after = xq.TranslationNoise(severity, errors=FREE)(data, seed=seed)
    for one, two in zip(found, after["text"][:], strict=True):
        two.encode()
        pictures = {
            picture
            for picture in regex.findall(r"\X", one)
            if regex.match(r"\p{Extended_Pictographic}|\p{RI}", picture)
        }
        assert {
            picture
            for picture in regex.findall(r"\X", two)
            if regex.match(r"\p{Extended_Pictographic}|\p{RI}", picture)
        } <= pictures
        assert bool(two.strip()) == bool(one.strip())


def law_rows(kind):
    """Some rows of each kind that the noise changes, with what follows them."""
    if kind == "pairs":
        return toy.inference.load("ar", "validation").select(range(60))
    if kind == "sources":
        return law_rows("pairs").rename_columns({"premise": "text", "hypothesis": "english"})
    rows = {"texts": toy.topics, "tokens": toy.entities, "questions": toy.questions}
    return rows[kind].load("es", "test").select(range(40))


VOCABULARY = xq.Vocabulary.fit(law_rows("texts"), ["text"])


@pytest.mark.parametrize(
    ("rows", "settings"),
    [
        ("pairs", {"columns": ("premise", "hypothesis"), "errors": ("omission", "repetition", "truncation")}),
        ("sources", {"errors": ("untranslated", "reordering"), "parallel": ("english",)}),
        ("texts", {"errors": ("wrong_word", "omission"), "vocabulary": VOCABULARY}),
        ("tokens", {"columns": ("tokens",)}),
        ("questions", {"columns": ("context", "question")}),
        ("questions", {"columns": ("context",), "lost": "drop"}),
    ],
    ids=lambda one: one if isinstance(one, str) else " ".join(one),
)
def test_the_laws_hold_on_rows_of_every_kind(rows, settings):
    check_transform(xq.TranslationNoise(0.4, **settings), law_rows(rows))


def test_the_laws_hold_for_a_calibrated_severity():
    check_transform(xq.TranslationNoise.calibrate(law_rows("texts"), chrf=70, rows=40), law_rows("texts"))


def test_the_answers_of_real_questions_follow_the_context(real_data):
    for language in ("es", "ar", "hi", "th", "zh"):
        data = xq.with_uid(
            Dataset.from_parquet(str(real_data / f"xquad/xquad.{language}/validation.parquet")).select(range(300))
        )
        noise = {"severity": 0.1, "columns": ("context", "question"), "errors": FREE}
        dropped = xq.TranslationNoise(**noise, lost="drop")(data, seed=2)
        kept = xq.TranslationNoise(**noise, lost="keep_original")(data, seed=2)
        lost = xq.history(kept)[-1].details["answers_lost"]
        assert 0 < lost < 200
        assert len(dropped) == 300 - lost
        assert len(kept) == 300
        gone = set(data["uid"][:]) - set(dropped["uid"][:])
        moved = 0
        for row in kept:
            start, text = row["answers"]["answer_start"][0], row["answers"]["text"][0]
            assert row["context"][start : start + len(text)] == text
            if row["uid"] in gone:
                assert row["context_before"] is None
            moved += row["answers_before"] is not None
        assert moved > 50
        for row in dropped:
            start, text = row["answers"]["answer_start"][0], row["answers"]["text"][0]
            assert row["context"][start : start + len(text)] == text


def test_the_tags_of_real_tokens_follow(real_data):
    for path, tags in (
        ("panx/ar/test", "ner_tags"),
        ("panx/zh/test", "ner_tags"),
        ("udpos/hi/test", "pos_tags"),
        ("udpos/th/test", "pos_tags"),
    ):
        data = (
            Dataset.from_parquet(str(real_data / f"{path}.parquet")).select(range(150)).select_columns(["tokens", tags])
        )
        names = data.features[tags].feature.names
        after = xq.TranslationNoise(0.2, columns=("tokens",), errors=FREE)(data, seed=3)
        assert after.features[tags] == data.features[tags]
        changed = 0
        for old, new in zip(data, after, strict=True):
            assert len(new["tokens"]) == len(new[tags])
            types = {names[tag].split("-")[-1] for tag in old[tags]}
            assert {names[tag].split("-")[-1] for tag in new[tags]} <= types
            if new[f"{tags}_before"] is None:
                assert new[tags] == old[tags]
                continue
            changed += 1
            assert new["tokens_before"] == old["tokens"]
            assert new[f"{tags}_before"] == old[tags]
            last = "O"
            for tag in new[tags]:
                assert not names[tag].startswith("I-") or last[2:] == names[tag][2:]
                last = names[tag]
        assert changed > 80


def test_tokens_keep_their_fate_in_any_order_and_on_a_stream():
    data = xq.with_uid(toy.entities.load("hi", "test").select(range(50)))
    noise = xq.TranslationNoise(0.3, columns=("tokens",))
    plain = {row["uid"]: row for row in noise(data, seed=1)}
    shuffled = {row["uid"]: row for row in noise(data.shuffle(2), seed=1)}
    stream = {row["uid"]: row for row in noise(data.to_iterable_dataset(), seed=1)}
    assert plain == shuffled == stream


def test_a_row_in_a_large_table_has_the_fate_it_has_alone():
    data = xq.with_uid(Dataset.from_dict({"text": [f"row {one} has some words of its own" for one in range(25_000)]}))
    noise = xq.TranslationNoise(0.3)
    together = noise(data, seed=1)
    some = noise(data.select(range(9_990, 10_020)), seed=1)
    assert together["text"][9_990:10_020] == some["text"][:]
    assert together["text_before"][9_990:10_020] == some["text_before"][:]


def test_an_empty_token_neither_changes_nor_decides_its_neighbours_fate():
    data = xq.with_uid(Dataset.from_dict({"tokens": [["Uno", "", None, "2020"], ["東"], ["", "b"]]}))
    vocabulary = xq.Vocabulary(("la", "casa", "sol"), ("東", "京", "大"))
    noise = xq.TranslationNoise(1.0, columns=("tokens",), errors=("wrong_word", "entity"), vocabulary=vocabulary)
    together = noise(data, seed=1)["tokens"][:]
    assert [noise(data.select([row]), seed=1)["tokens"][0] for row in range(3)] == together
    assert together[0][1:3] == ["", None]
    assert together[2][0] == ""
    assert xq.TranslationNoise(1.0, columns=("tokens",))(data, seed=1)["tokens"][:] != data["tokens"][:]


def test_no_text_is_emptied_by_empty_tokens_of_its_source():
    data = Dataset.from_dict({"text": ["a b"] * 2, "source": [["", ""], ["x", None]]})
    noise = xq.TranslationNoise(1.0, errors=("untranslated",), parallel=("source",))
    assert noise(data, seed=1)["text"][:] == ["a b", "x x"]


def test_a_text_is_its_own_source_and_leaves_nothing_untranslated():
    text = " ".join(f"w{one}" for one in range(49))
    noise = xq.TranslationNoise(1.0, errors=("untranslated",), parallel=("text",))
    assert noise(Dataset.from_dict({"text": [text]}), seed=1)["text"][0] == text


def test_nulls_and_empty_texts_stay_as_they_are():
    data = Dataset.from_dict({"text": [None, "", "  ", "...", "uno dos tres"]})
    after = xq.TranslationNoise(1.0)(data, seed=1)
    assert after["text"][:4] == [None, "", "  ", "..."]
    assert after["text_before"][:4] == [None] * 4
    assert after["text"][4] != "uno dos tres"


def test_a_second_noise_keeps_the_first_text():
    data = toy.topics.load("es", "validation")
    twice = (xq.TranslationNoise(0.3) >> xq.TranslationNoise(0.3, errors=("omission",)))(data, seed=1)
    for row, first in zip(twice, data["text"][:], strict=True):
        assert row["text_before"] in (None, first)
        assert (row["text_before"] is None) <= (row["text"] == first)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: xq.TranslationNoise(1.5), "between 0 and 1"),
        (lambda: xq.TranslationNoise(float("nan")), "finite"),
        (lambda: xq.TranslationNoise(0.1, columns="text"), "list of names"),
        (lambda: xq.TranslationNoise(0.1, columns=("text", "text")), "once"),
        (lambda: xq.TranslationNoise(0.1, errors=("typo",)), "must be one of"),
        (lambda: xq.TranslationNoise(0.1, errors=("omission", "omission")), "once"),
        (lambda: xq.TranslationNoise(0.1, errors=()), "list of names"),
        (lambda: xq.TranslationNoise(0.1, errors=("wrong_word",)), "Vocabulary.fit"),
        (lambda: xq.TranslationNoise(0.1, errors=("untranslated",)), "parallel"),
        (lambda: xq.TranslationNoise(0.1, columns=("a", "b"), parallel=("c",)), "one column for each"),
        (lambda: xq.TranslationNoise(0.1, vocabulary=["a"]), "must be a Vocabulary"),
        (lambda: xq.TranslationNoise(0.1, vocabulary={}), "give a Vocabulary"),
        (lambda: xq.TranslationNoise(0.1, calibration={"metric": "chrf"}), "give a Calibration"),
        (lambda: xq.TranslationNoise(0.1, columns=("a", "b"), tags=("b",)), "cannot be tags as well"),
        (lambda: xq.TranslationNoise(0.1, tags=""), "list of names"),
        (lambda: xq.TranslationNoise(0.1, columns=()), "list of names"),
        (lambda: xq.TranslationNoise(0.1, lost="ignore"), "must be one of"),
        (lambda: xq.TranslationNoise(0.1, stream=-1), "at least 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(call, said):
    with pytest.raises(SettingError, match=said):
        call()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"columns": ("absent",)}, "absent"),
        ({"columns": ("label",)}, "text or lists of tokens"),
        ({"columns": ("text",), "parallel": ("label",), "errors": ("untranslated",)}, "text or lists of tokens"),
        ({"columns": ("text",), "context": "text", "answers": "label"}, "name the column of answers"),
    ],
)
def test_columns_that_cannot_be_read_are_refused(settings, said):
    data = Dataset.from_dict({"text": ["a b"], "label": [0]})
    with pytest.raises(ColumnError, match=said):
        xq.TranslationNoise(0.1, **settings)(data, seed=1)
