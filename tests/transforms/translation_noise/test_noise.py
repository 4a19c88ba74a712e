"""TranslationNoise as a whole: real sentences, the laws, records, batches, and what is refused."""

import tracemalloc
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
import regex
from datasets import ClassLabel, Dataset, Features, List, Value
from hypothesis import given, settings
from hypothesis import strategies as st

import xquality as xq
from xquality import toy
from xquality.data._datasets import dataset_of, table_of
from xquality.errors import ColumnError, SettingError
from xquality.testing import check_transform

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
    return data["text"][:], after["text"][:], after["text_before"][:], xq.history(after)[-1]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "kind",
    ["omission", "repetition", "reordering", "wrong_word", "untranslated", "entity", "truncation", "hallucination"],
)
def test_each_kind_alone_on_real_sentences(sentences, language, kind):
    before, after, first_values, record = noised(sentences[language], 0.2, kind)
    count = record.details["kinds"][kind]
    assert set(record.details["kinds"]) == {kind}
    for old, new, first in zip(before, after, first_values, strict=True):
        new.encode()
        assert new
        assert old == (new if first is None else first)
    assert record.changed == sum(first is not None for first in first_values)
    assert sum(old != new for old, new in zip(before, after, strict=True)) <= record.changed
    if kind in ("omission", "repetition", "reordering", "wrong_word"):
        units = record.details["units"]
        lost = len(before) if kind == "omission" else 0  # one unit of each row is not omitted
        assert abs(count - 0.2 * (units - lost / 2)) < 4 * np.sqrt(0.16 * units) + lost / 2
        assert record.realised_rate == count / units
    if kind in ("truncation", "hallucination"):
        assert count == record.changed
        assert 15 < count < 70
    if kind == "entity":
        assert count >= 15
    longer = sum(map(len, after)) - sum(map(len, before))
    assert {
        "omission": longer < 0,
        "repetition": longer > 0,
        "truncation": longer < 0,
        "hallucination": longer > 0,
    }.get(kind, True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_each_kind_leaves_of_a_text(sentences, language):
    for old, new in zip(*noised(sentences[language], 0.2, "reordering")[:2], strict=True):
        assert Counter(old) == Counter(new)  # nothing is lost and nothing added
    for old, new in zip(*noised(sentences[language], 0.2, "omission")[:2], strict=True):
        assert not Counter(new) - Counter(old)
        rest = iter(old)
        assert all(character in rest for character in new)
    for old, new in zip(*noised(sentences[language], 0.2, "truncation")[:2], strict=True):
        assert old.startswith(new)
        assert len(new) > len(old) / 10
    for old, new in zip(*noised(sentences[language], 0.2, "hallucination")[:2], strict=True):
        assert new.startswith(old.rstrip(" .!?:।。”」\"'»)]…॥؟")[:-3])
    for old, new in zip(*noised(sentences[language], 0.5, "entity")[:2], strict=True):
        assert len(old) - 9 <= len(new) <= len(old)


def test_untranslated_words_are_words_of_the_source(sentences):
    before, after, _, _ = noised(sentences["zh"], 0.3, "untranslated")
    english = sentences["zh"]["english"][:]
    for old, new, source in zip(before, after, english, strict=True):
        added = Counter(filter(str.isascii, new)) - Counter(filter(str.isascii, old))
        assert set(added) <= set(source)


WORDS = ["uno", "Dos", "tres", "東", "京", "م", "مُحَمَّد", "नमस्ते", "क्ष", "ก", "น้ำ", "👩‍👩‍👧", "👍🏽", "🇪🇸", "e\u0301", "\u200f", "\u200d", " ", " ", ", ", ". ", "2020", "٣٤"]  # fmt: skip
texts = st.lists(st.lists(st.sampled_from(WORDS), max_size=14).map("".join), min_size=1, max_size=8)


def pictures(text):
    """The emoji and flags of a text, as whole characters."""
    picture = regex.compile(r"\p{Extended_Pictographic}|\p{RI}")
    return {character for character in regex.findall(r"\X", text) if picture.match(character)}


@settings(max_examples=60)
@given(texts, st.sampled_from([0.3, 1.0]), st.integers(0, 1000))
def test_text_of_any_script_and_direction_comes_out_as_valid_text(values, severity, seed):
    after = xq.TranslationNoise(severity)(Dataset.from_dict({"text": values}), seed=seed)
    for old, new in zip(values, after["text"][:], strict=True):
        new.encode()
        assert pictures(new) <= pictures(old)
        assert bool(new.strip()) == bool(old.strip())


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
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_the_laws_hold_on_rows_of_every_kind(rows, settings):
    check_transform(xq.TranslationNoise(0.4, **settings), law_rows(rows))


def test_the_laws_hold_for_a_calibrated_severity():
    check_transform(xq.TranslationNoise.calibrate(law_rows("texts"), chrf=70, rows=40), law_rows("texts"))


def test_tokens_come_out_alike_in_any_order_and_on_a_stream():
    data = xq.with_uid(toy.entities.load("hi", "test").select(range(50)))
    noise = xq.TranslationNoise(0.3, columns=("tokens",))
    plain = {row["uid"]: row for row in noise(data, seed=1)}
    shuffled = {row["uid"]: row for row in noise(data.shuffle(2), seed=1)}
    stream = {row["uid"]: row for row in noise(data.to_iterable_dataset(), seed=1)}
    assert plain == shuffled == stream


def test_a_row_in_a_large_table_comes_out_as_it_does_alone():
    data = xq.with_uid(Dataset.from_dict({"text": [f"row {row} has some words of its own" for row in range(25_000)]}))
    noise = xq.TranslationNoise(0.3)
    together = noise(data, seed=1)
    some = noise(data.select(range(9_990, 10_020)), seed=1)
    assert together["text"][9_990:10_020] == some["text"][:]
    assert together["text_before"][9_990:10_020] == some["text_before"][:]
    assert together["text"][:100] == noise(data.select(range(100)), seed=1)["text"][:]
    assert len(together) == 25_000


def test_long_rows_come_out_as_they_do_alone_and_few_are_in_memory_at_once():
    rows = [f"uno dos tres {row}, Roma " * 20_000 for row in range(24)]
    answer = [{"text": ["Roma"], "answer_start": [row.index("Roma")]} for row in rows]
    data = xq.with_uid(Dataset.from_dict({"context": rows, "answers": answer}))
    noise = xq.TranslationNoise(0.2, columns=("context",), errors=("omission", "truncation"), lost="drop")
    tracemalloc.start()  # the arrays of the work, not the rows and the result, which Arrow holds
    after = noise(data, seed=1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100 * 2**20  # all rows at once take three times as much
    alone = [noise(data.select([row]), seed=1) for row in range(24)]
    assert after[:] == {name: [value for part in alone for value in part[name]] for name in after.column_names}
    records = [xq.history(part)[-1].details for part in alone]
    assert xq.history(after)[-1].details["units"] == sum(record["units"] for record in records)
    assert xq.history(after)[-1].details["answers_lost"] == sum(record["answers_lost"] for record in records) > 0


def test_large_strings_and_chunks_of_any_length_come_out_alike():
    values = [f"uno dos tres {row}" for row in range(40)]
    plain = xq.with_uid(Dataset.from_dict({"text": values}))
    large = Features({"text": Value("large_string")})
    wide = xq.with_uid(Dataset.from_dict({"text": values}, features=large))
    parts = pa.concat_tables([table_of(plain).slice(start, 7) for start in range(0, 40, 7)])
    chunked = dataset_of(parts, plain.features, like=plain, fingerprint="chunked")
    noise = xq.TranslationNoise(0.5)
    after = noise(plain, seed=1)
    assert noise(wide, seed=1).features["text"] == large["text"]
    assert noise(wide, seed=1)["text"][:] == noise(chunked, seed=1)["text"][:] == after["text"][:]


def test_lists_of_large_strings_stay_as_wide_as_they_were():
    features = Features({"tokens": List(Value("large_string"))})
    data = Dataset.from_dict({"tokens": [["a", "b"], None, [], ["c"]]}, features=features)
    noise = xq.TranslationNoise(1.0, columns=("tokens",), errors=("wrong_word",), vocabulary=xq.Vocabulary(("x",)))
    after = noise(data, seed=1)
    assert after.features["tokens"] == features["tokens"]
    assert after["tokens"][:] == [["x", "x"], None, [], ["x"]]


def test_an_empty_token_neither_changes_nor_decides_its_neighbours():
    data = xq.with_uid(Dataset.from_dict({"tokens": [["Uno", "", None, "2020"], ["東"], ["", "b"]]}))
    vocabulary = xq.Vocabulary(("la", "casa", "sol"), ("東", "京", "大"))
    noise = xq.TranslationNoise(1.0, columns=("tokens",), errors=("wrong_word", "entity"), vocabulary=vocabulary)
    together = noise(data, seed=1)["tokens"][:]
    assert [noise(data.select([row]), seed=1)["tokens"][0] for row in range(3)] == together
    assert together[0][1:3] == ["", None]
    assert together[2][0] == ""
    assert xq.TranslationNoise(1.0, columns=("tokens",))(data, seed=1)["tokens"][:] != data["tokens"][:]


def test_nulls_and_empty_texts_stay_as_they_are():
    data = Dataset.from_dict({"text": [None, "", "  ", "...", "uno dos tres"]})
    after = xq.TranslationNoise(1.0)(data, seed=1)
    assert after["text"][:4] == [None, "", "  ", "..."]
    assert after["text_before"][:4] == [None] * 4
    assert after["text"][4] != "uno dos tres"


def test_a_text_that_comes_out_as_it_was_is_not_a_change():
    after = xq.TranslationNoise(1.0, errors=("reordering",))(Dataset.from_dict({"text": ["ja ja ja"] * 5}), seed=1)
    assert after["text_before"][:] == [None] * 5
    assert xq.history(after)[-1].changed == 0


def test_a_second_noise_keeps_the_first_text():
    data = toy.topics.load("es", "validation")
    twice = (xq.TranslationNoise(0.3) >> xq.TranslationNoise(0.3, errors=("omission",)))(data, seed=1)
    for row, first in zip(twice, data["text"][:], strict=True):
        assert row["text_before"] in (None, first)
        assert (row["text_before"] is None) <= (row["text"] == first)


# Records


def questions(count=50):
    answer = {"text": ["uno dos tres cuatro cinco"], "answer_start": [0]}
    return Dataset.from_dict({"context": ["uno dos tres cuatro cinco"] * count, "answers": [answer] * count})


def test_the_counts_of_a_record_are_those_of_all_columns():
    data = Dataset.from_dict({"a": ["uno dos tres"] * 200, "b": ["one two"] * 200})
    record = xq.history(xq.TranslationNoise(0.4, columns=("a", "b"), errors=("repetition",))(data, seed=1))[-1]
    assert record.details["units"] == 1000
    assert abs(record.details["kinds"]["repetition"] - 400) < 4 * np.sqrt(1000 * 0.24)
    assert record.realised_rate == record.details["kinds"]["repetition"] / 1000


@pytest.mark.parametrize(("lost", "rows", "units"), [("keep_original", 50, 250), ("drop", 0, 0)])
def test_errors_that_were_taken_back_or_dropped_are_not_counted(lost, rows, units):
    after = xq.TranslationNoise(1.0, columns=("context",), errors=("omission",), lost=lost)(questions(), seed=1)
    record = xq.history(after)[-1]
    assert len(after) == rows
    assert record.details["answers_lost"] == 50
    assert record.details["kinds"] == {"omission": 0}
    assert record.details["units"] == units
    assert (record.changed, record.realised_rate) == (0, 0.0)


@pytest.mark.parametrize("lost", ["keep_original", "drop"])
def test_the_counts_are_those_of_the_texts_that_come_out(lost):
    data = questions(300).add_column("question", ["uno dos"] * 300)
    noise = xq.TranslationNoise(0.1, columns=("question", "context"), errors=("repetition",), lost=lost)
    after = noise(data, seed=1)
    record = xq.history(after)[-1]
    repeated = sum(len(row["question"].split()) - 2 + len(row["context"].split()) - 5 for row in after)
    assert 0 < record.details["kinds"]["repetition"] == repeated
    assert record.details["units"] == 7 * len(after)
    assert record.realised_rate == repeated / (7 * len(after))
    columns = ("question", "context", "answers")
    assert record.changed == sum(row[f"{name}_before"] is not None for row in after for name in columns)


def test_the_rate_of_errors_in_whole_rows_is_the_share_of_texts():
    data = Dataset.from_dict({"a": ["uno dos tres"] * 200, "b": ["one two"] * 200})
    for columns in (("a",), ("a", "b")):
        record = xq.history(xq.TranslationNoise(0.3, columns=columns, errors=("truncation",))(data, seed=1))[-1]
        assert record.realised_rate == record.details["kinds"]["truncation"] / (200 * len(columns))
        assert abs(record.realised_rate - 0.3) < 0.13


def test_columns_that_followed_are_named_in_the_record():
    after = xq.TranslationNoise(0.1, columns=("context",))(questions(), seed=1)
    assert xq.history(after)[-1].details["followed"] == ["answers"]
    plain = xq.TranslationNoise(0.1)(Dataset.from_dict({"text": ["a"]}), seed=1)
    assert xq.history(plain)[-1].details["followed"] == []


# Refusals


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"severity": 1.5}, "between 0 and 1"),
        ({"severity": float("nan")}, "finite"),
        ({"columns": "text"}, "list of names"),
        ({"columns": ("text", "text")}, "once"),
        ({"columns": ()}, "list of names"),
        ({"errors": ("typo",)}, "must be one of"),
        ({"errors": ("omission", "omission")}, "once"),
        ({"errors": ()}, "list of names"),
        ({"errors": ("wrong_word",)}, "Vocabulary.fit"),
        ({"errors": ("untranslated",)}, "parallel"),
        ({"columns": ("a", "b"), "parallel": ("c",)}, "one column for each"),
        ({"vocabulary": ["a"]}, "must be a Vocabulary"),
        ({"vocabulary": {}}, "give a Vocabulary"),
        ({"calibration": {"metric": "chrf"}}, "give a Calibration"),
        ({"columns": ("a", "b"), "tags": ("b",)}, "cannot be tags as well"),
        ({"tags": ""}, "list of names"),
        ({"tags": ("a", "a")}, "once"),
        ({"lost": "ignore"}, "must be one of"),
        ({"context": ""}, "must be a name"),
        ({"answers": None}, "must be a name"),
        ({"stream": -1}, "at least 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(given, message):
    with pytest.raises(SettingError, match=message):
        xq.TranslationNoise(**{"severity": 0.1, **given})


FEATURES = Features(
    {
        "tokens": List(Value("string")),
        "tags": List(ClassLabel(names=["A", "B"])),
        "text": Value("string"),
        "source": Value("string"),
        "label": Value("int64"),
        "uid": Value("string"),
    }
)
DATA = Dataset.from_dict(
    {"tokens": [["a", "b"]], "tags": [[0, 1]], "text": ["a b"], "source": ["x"], "label": [0], "uid": ["u"]},
    features=FEATURES,
)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"columns": ("absent",)}, "^TranslationNoise [a-z].*absent"),
        ({"columns": ("label",)}, "^TranslationNoise [a-z].*text or lists of tokens"),
        ({"columns": ("tags",)}, "^TranslationNoise [a-z].*text or lists of tokens"),
        ({"columns": ("uid",)}, "^TranslationNoise may not change 'uid'"),
        ({"parallel": ("label",), "errors": ("untranslated",)}, "text or lists of tokens"),
        ({"context": "text", "answers": "label"}, "name the column of answers"),
    ],
)
def test_columns_that_cannot_be_read_or_changed_are_refused(given, message):
    with pytest.raises(ColumnError, match=message):
        xq.TranslationNoise(0.1, **given)(DATA, seed=1)


def test_columns_of_first_values_are_not_changed():
    after = xq.TranslationNoise(1.0, errors=("repetition",))(DATA, seed=1)
    with pytest.raises(ColumnError, match="may not change 'text_before'"):
        xq.TranslationNoise(1.0, columns=("text", "text_before"), stream=1)(after, seed=1)


def test_a_column_of_first_values_that_holds_others_is_refused_before_any_work():
    data = DATA.add_column("text_before", [1])
    for refused in (data.select([]), data.to_iterable_dataset()):
        with pytest.raises(ColumnError, match="'text_before', which holds others"):
            xq.TranslationNoise(1.0)(refused, seed=1)


def test_the_source_text_is_read_only_where_a_kind_needs_it():
    plain = xq.TranslationNoise(0.5, columns=("text", "tokens"))(DATA, seed=1)
    given = xq.TranslationNoise(0.5, columns=("text", "tokens"), parallel=("source", "source"))(DATA, seed=1)
    assert given[:] == plain[:]
