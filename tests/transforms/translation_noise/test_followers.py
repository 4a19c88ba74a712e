"""Answers follow their context and tags follow their tokens, or the data are refused."""

import pyarrow as pa
import pytest
from datasets import ClassLabel, Dataset, DatasetInfo, Features, List, Value, concatenate_datasets
from hypothesis import given
from hypothesis import strategies as st

import xquality as xq
from xquality.errors import ColumnError, LabelError, SettingError

KINDS = ("omission", "repetition", "reordering", "truncation", "hallucination")


# Answers


def question(context, *answers, uid=0):
    found = [{"text": [text for text, _ in answers], "answer_start": [start for _, start in answers]}]
    return Dataset.from_dict({"context": [context], "answers": found, "uid": [uid]})


def questions(context, answer, start, count=400):
    found = [{"text": [answer], "answer_start": [start]}] * count
    return Dataset.from_dict({"context": [context] * count, "answers": found})


def context_noise(**settings):
    return xq.TranslationNoise(**{"severity": 1.0, "columns": ("context",), "errors": ("repetition",), **settings})


PIECES = ["uno", "dos", "Él", " ", " ", ", ", "¿", "東", "京", "م", "नम", "स्ते", "น้ำ", "👩‍👩‍👧", "12", "\n"]
contexts = st.lists(st.sampled_from(PIECES), min_size=1, max_size=12).map("".join)


@given(contexts, st.sampled_from([0.1, 0.4, 1.0]), st.sampled_from([(kind,) for kind in KINDS] + [KINDS]), st.data())
def test_an_answer_that_is_whole_is_at_its_offset_and_one_that_is_not_is_lost(context, severity, errors, data):
    answers = []
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(context) - 1))
        answers.append((context[start : data.draw(st.integers(start + 1, len(context)))], start))
    seed = data.draw(st.integers(0, 30))
    rows = question(context, *answers)
    noise = context_noise(severity=severity, errors=errors, lost="drop")
    after = noise(rows, seed=seed)
    noisy = noise(rows.remove_columns("answers"), seed=seed)["context"][0]  # answers decide nothing in the text
    if errors == ("truncation",):
        assert len(after) == all(noisy.startswith(context[: start + len(text)]) for text, start in answers)
    elif not all(text in noisy for text, _ in answers):
        assert len(after) == 0
    for row in after:
        assert row["context"] == noisy
        for text, start in zip(row["answers"]["text"], row["answers"]["answer_start"], strict=True):
            assert noisy[start : start + len(text)] == text


def test_every_answer_of_a_row_moves_along():
    rows = question("año ñandú ¿qué? 東京 fin", ("ñandú", 4), ("fin", 19))
    after = context_noise(severity=0.5)(rows, seed=1)[0]
    for text, start in zip(after["answers"]["text"], after["answers"]["answer_start"], strict=True):
        assert after["context"][start : start + len(text)] == text
    assert after["answers_before"]["answer_start"] == [4, 19]


def test_one_broken_answer_of_several_is_a_lost_row():
    rows = question("uno dos tres", ("uno", 0), ("uno dos tres", 0))
    after = context_noise()(rows, seed=1)
    assert after["context"][0] == "uno dos tres"
    assert after["context_before"][0] is None
    assert xq.history(after)[-1].details["answers_lost"] == 1
    assert len(context_noise(lost="drop")(rows, seed=1)) == 0


def test_a_lost_answer_is_an_error_where_the_setting_says_so():
    with pytest.raises(LabelError, match="broke the answer of 1 rows, the first with the uid 7;"):
        context_noise(lost="error")(question("uno dos tres", ("uno dos", 0), uid=7), seed=1)


def test_rows_without_an_answer_need_none_to_follow():
    after = context_noise()(question("uno dos"), seed=1)[0]
    assert after["context"] == "uno uno dos dos"
    assert after["answers"]["text"] == []


def test_an_answer_without_a_text_is_no_answer_whatever_its_offset():
    for start in (-1, 0, 4, 999):
        after = context_noise()(question("uno dos tres", ("", start), ("tres", 8)), seed=1)[0]
        assert after["context"] == "uno uno dos dos tres tres"
        new = after["answers"]["answer_start"]
        assert new[0] == start
        assert after["context"][new[1] :].startswith("tres")


def test_an_omitted_answer_is_not_found_in_a_hallucinated_tail():
    rows = questions("uno dos tres cuatro cinco", "dos", 4)
    after = context_noise(severity=0.5, errors=("omission", "hallucination"), lost="drop")(rows, seed=1)
    assert {row["answers"]["answer_start"][0] for row in after} == {0, 4}
    assert 50 < xq.history(after)[-1].details["answers_lost"] < 150


def test_an_answer_whose_first_word_is_repeated_is_not_whole():
    after = context_noise(severity=0.5, lost="drop")(questions("uno dos tres", "dos tres", 4), seed=1)
    for row in after:
        assert "dos dos" not in row["context"]
        assert row["context"][row["answers"]["answer_start"][0] :].startswith("dos tres")
    assert any(row["context"].endswith("tres tres") for row in after)


def test_the_answers_of_real_questions_follow_the_context(real_data):
    for language in ("es", "ar", "hi", "th", "zh"):
        path = str(real_data / f"xquad/xquad.{language}/validation.parquet")
        data = xq.with_uid(Dataset.from_parquet(path).select(range(300)))
        settings = {"severity": 0.1, "columns": ("context", "question")}
        dropped = xq.TranslationNoise(**settings, lost="drop")(data, seed=2)
        kept = xq.TranslationNoise(**settings, lost="keep_original")(data, seed=2)
        lost = xq.history(kept)[-1].details["answers_lost"]
        assert 0 < lost < 200
        assert len(dropped) == 300 - lost
        assert len(kept) == 300
        gone = set(data["uid"][:]) - set(dropped["uid"][:])
        moved = 0
        for row in [*kept, *dropped]:
            start, text = row["answers"]["answer_start"][0], row["answers"]["text"][0]
            assert row["context"][start : start + len(text)] == text
            if row["uid"] in gone:
                assert row["context_before"] is None
            moved += row["answers_before"] is not None
        assert moved > 100


@pytest.mark.parametrize("severity", [0.0, 1.0])
@pytest.mark.parametrize(
    ("text", "start"), [("dos", 3), ("dos", -3), ("tres", -4), ("uno", 99), ("s tres y", 6), ("東", 4)]
)
def test_an_answer_that_is_not_at_its_offset_is_refused_in_every_row(text, start, severity):
    rows = question("uno dos tres", (text, start), uid="q7")
    with pytest.raises(LabelError, match=f"{text!r} is not at {start} .* uid 'q7'"):
        context_noise(severity=severity)(rows, seed=1)


def test_an_offset_does_not_reach_into_another_row():
    rows = concatenate_datasets(
        [question("uno tres", uid=1), question("dos", ("tres", -4), uid=2), question("tres", uid=3)]
    )
    with pytest.raises(LabelError, match=r"'tres' is not at -4 .* uid 2"):
        context_noise()(rows, seed=1)
    rows = concatenate_datasets([question("dos", ("tres", 3), uid=2), question("tres", uid=3)])
    with pytest.raises(LabelError, match=r"'tres' is not at 3 .* uid 2"):
        context_noise()(rows, seed=1)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"text": [None], "answer_start": [0]}, "one of them is null"),
        ({"text": ["uno"], "answer_start": [None]}, "one of them is null"),
        ({"text": ["uno", "dos"], "answer_start": [0]}, "2 texts and 1 offsets"),
        ({"text": None, "answer_start": [0]}, "0 texts and 1 offsets"),
    ],
)
def test_an_answer_without_its_offset_is_refused(answer, message):
    features = Features(
        {
            "context": Value("string"),
            "answers": {"text": List(Value("string")), "answer_start": List(Value("int32"))},
            "uid": Value("int64"),
        }
    )
    rows = Dataset.from_dict({"context": ["uno dos"], "answers": [answer], "uid": [5]}, features=features)
    with pytest.raises(LabelError, match=f"{message} in the row with the uid 5"):
        context_noise()(rows, seed=1)


def test_fields_that_are_no_offsets_and_rows_without_answers_stay_as_they_were():
    features = Features(
        {
            "context": Value("large_string"),
            "answers": {"source": Value("string"), "text": List(Value("string")), "answer_start": List(Value("int64"))},
        }
    )
    answers = [
        {"source": "a", "text": ["dos"], "answer_start": [4]},
        None,
        {"source": None, "text": [], "answer_start": []},
    ]
    rows = Dataset.from_dict({"context": ["uno dos"] * 3, "answers": answers}, features=features)
    after = context_noise()(rows, seed=1)
    assert after.features["answers"] == features["answers"]
    assert after["answers"][:] == [{"source": "a", "text": ["dos"], "answer_start": [8]}, *answers[1:]]
    assert after["answers_before"][:] == [answers[0], None, None]
    assert None not in after["context_before"][:]


ANSWER = {"text": ["dos"], "answer_start": [4]}


def noised(row, **settings):
    data = Dataset.from_dict({name: [value] for name, value in row.items()})
    return context_noise(**settings)(data, seed=1)[0]


def test_answers_follow_the_column_they_point_into():
    assert noised({"context": "uno dos", "answers": ANSWER})["answers"]["answer_start"] == [8]
    named = noised({"passage": "uno dos", "gold": ANSWER}, columns=("passage",), context="passage", answers="gold")
    assert named["gold"]["answer_start"] == [8]
    apart = noised({"question": "uno", "context": "uno dos", "answers": ANSWER}, columns=("question",))
    assert apart["answers"] == ANSWER
    empty = {"context": "uno dos", "answers": {"text": [], "answer_start": []}}  # lists of nulls
    assert noised(empty)["context"] == "uno uno dos dos"


@pytest.mark.parametrize(
    ("row", "settings", "message"),
    [
        (
            {"passage": "uno dos", "answers": ANSWER},
            {"columns": ("passage",)},
            "no column 'context' .* name it in context=",
        ),
        ({"passage": "uno", "a": [ANSWER]}, {"columns": ("passage",)}, "offsets in 'a'"),
        ({"context": "uno dos", "answers": ANSWER}, {"answers": "anwsers"}, "'anwsers'"),
        ({"context": "uno dos", "gold": ANSWER}, {}, "\\['gold'\\] point into 'context'"),
        ({"context": "uno dos", "answers": ANSWER, "more": ANSWER}, {}, "'more'"),
        ({"context": "uno dos", "answers": {**ANSWER, "answer_end": [7]}}, {}, "no other numbers"),
        ({"context": "uno dos", "answers": {**ANSWER, "more": [{"at": 7}]}}, {}, "no other numbers"),
        ({"context": "uno dos", "answers": {"text": "dos", "answer_start": 4}}, {}, "lists of text"),
        ({"context": "uno dos", "answers": [{"text": "dos", "answer_start": 4}]}, {}, "lists of text"),
        ({"context": "uno dos", "answers": {"text": ["dos"], "answer_start": [4.0]}}, {}, "lists of text"),
        ({"context": ["uno", "dos"], "answers": ANSWER}, {}, "count the characters of a text"),
    ],
)
def test_offsets_that_would_go_stale_are_refused(row, settings, message):
    with pytest.raises(ColumnError, match=message):
        noised(row, **settings)


def test_first_values_of_answers_do_not_follow():
    after = context_noise()(Dataset.from_dict({"context": ["uno dos"], "answers": [ANSWER]}), seed=1)
    assert {"context_before", "answers_before"} <= set(after.column_names)
    again = context_noise(stream=1)(after, seed=1)[0]
    assert again["answers_before"] == ANSWER
    assert again["context"][again["answers"]["answer_start"][0] :].startswith("dos")


# Tags

NAMES = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
REPEAT = xq.TranslationNoise(1.0, columns=("tokens",), errors=("repetition",))


def tagging(tokens, tags, names=NAMES):
    """Rows as they may be stored: a ClassLabel column takes any number, and a null."""
    features = Features({"tokens": List(Value("string")), "tags": List(ClassLabel(names=names))})
    columns = {"tokens": (tokens, pa.string()), "tags": (tags, pa.int64())}
    lists = {
        name: pa.array(values, pa.list_(kind)) if isinstance(values, list) else values
        for name, (values, kind) in columns.items()
    }
    return Dataset(pa.table(lists).cast(features.arrow_schema), info=DatasetInfo(features=features), fingerprint="tags")


@st.composite
def taggings(draw):
    """Rows of different tokens with valid BIO tags; a row may be null in both, or in its tags alone."""
    tokens, tags = [], []
    for row in range(draw(st.integers(1, 5))):
        of_row = []
        for _ in range(draw(st.integers(0, 9))):
            last = of_row[-1] if of_row else 0
            inside = {1: [2], 2: [2], 3: [4], 4: [4]}.get(last, [])
            of_row.append(draw(st.sampled_from([0, 1, 3, -100, *inside])))
        missing = draw(st.sampled_from(["nothing", "nothing", "nothing", "tags", "both"]))
        tokens.append(None if missing == "both" else [f"r{row}t{place}" for place in range(len(of_row))])
        tags.append(None if missing != "nothing" else of_row)
    return tokens, tags


def type_of(tag):
    return "ignored" if tag == -100 else NAMES[tag][2:]


def check_bio(tags, names=NAMES):
    last = "O"
    for tag in tags:
        name = "O" if tag == -100 else names[tag]
        assert not name.startswith("I-") or last[2:] == name[2:], "an I without its B"
        last = name


@given(taggings(), st.sampled_from([0.0, 0.2, 0.6, 1.0]), st.integers(0, 30))
def test_each_token_keeps_its_type_and_bio_stays_valid(rows, severity, seed):
    data = tagging(*rows)
    after = xq.TranslationNoise(severity, columns=("tokens",), errors=KINDS)(data, seed=seed)
    assert after.features["tags"] == data.features["tags"]
    for row, (tokens, tags) in enumerate(zip(*rows, strict=True)):
        new_tokens, new_tags = after[row]["tokens"], after[row]["tags"]
        assert (new_tags is None) == (tags is None)
        if tags is not None:
            types = {token: type_of(tag) for token, tag in zip(tokens, tags, strict=True)}
            assert [types[token] for token in new_tokens] == [type_of(tag) for tag in new_tags]
            check_bio(new_tags)
        if severity == 0 or new_tokens == tokens:
            assert new_tags == tags


def test_a_span_that_loses_its_first_token_stays_a_span_and_neighbours_stay_two():
    data = tagging([["New", "York", "Madrid", "is"]] * 300, [[3, 4, 3, 0]] * 300)
    after = xq.TranslationNoise(0.4, columns=("tokens",), errors=("omission",))(data, seed=1)
    found = {tuple(row["tokens"]): row["tags"] for row in after}
    assert found["York", "Madrid", "is"] == [3, 3, 0]
    assert found["New", "Madrid", "is"] == [3, 3, 0]
    assert found["New", "York"] == [3, 4]


def test_tags_without_bio_are_carried_along():
    data = tagging([["a", "b", "c"]] * 50, [[7, 8, 9]] * 50, [f"T{number}" for number in range(10)])
    for row in xq.TranslationNoise(0.5, columns=("tokens",), errors=KINDS)(data, seed=1):
        assert row["tags"] == [{"a": 7, "b": 8, "c": 9}[token] for token in row["tokens"]]


def test_the_tags_of_real_tokens_follow(real_data):
    for path, tags in (
        ("panx/ar/test", "ner_tags"),
        ("panx/zh/test", "ner_tags"),
        ("udpos/hi/test", "pos_tags"),
        ("udpos/th/test", "pos_tags"),
    ):
        data = Dataset.from_parquet(str(real_data / f"{path}.parquet")).select(range(150))
        data = data.select_columns(["tokens", tags])
        names = data.features[tags].feature.names
        after = xq.TranslationNoise(0.2, columns=("tokens",))(data, seed=3)
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
            check_bio(new[tags], names)
        assert changed > 80


@pytest.mark.parametrize("wrong", [-1, -3, 5, None])
def test_a_token_without_a_class_is_refused_with_the_uid_of_its_row(wrong):
    data = tagging([["a"], ["a", "b", "c"]], [[0], [0, wrong, 1]]).add_column("uid", ["first", "second"])
    with pytest.raises(LabelError, match=f"'second' has {wrong}"):
        REPEAT(data, seed=1)


def test_a_token_that_is_ignored_is_outside_every_span():
    data = tagging([["a", "b", "c"]], [[1, -100, 1]])
    assert REPEAT(data, seed=1)["tags"][:] == [[1, 1, -100, -100, 1, 1]]


def test_a_row_without_tags_stays_without_and_moves_no_tags_of_other_rows():
    data = tagging([["a", "b"], ["c"], None, ["d", "e"]], [[1, 2], None, None, [3, 0]])
    after = REPEAT(data, seed=1)
    assert after["tokens"][:] == [["a", "a", "b", "b"], ["c", "c"], None, ["d", "d", "e", "e"]]
    assert after["tags"][:] == [[1, 1, 2, 1], None, None, [3, 3, 0, 0]]
    assert after["tags_before"][:] == [[1, 2], None, None, [3, 0]]


def test_values_that_are_hidden_under_a_null_list_move_nothing():
    hidden = [False, True, False]
    tokens = pa.ListArray.from_arrays(
        pa.array([0, 2, 3, 5], pa.int32()), pa.array(list("abcde")), mask=pa.array(hidden)
    )
    tags = pa.ListArray.from_arrays(
        pa.array([0, 2, 3, 5], pa.int32()), pa.array([1, 2, 1, 3, 4], pa.int64()), mask=pa.array(hidden)
    )
    after = REPEAT(tagging(tokens, tags), seed=1)
    assert after["tokens"][:] == [["a", "a", "b", "b"], None, ["d", "d", "e", "e"]]
    assert after["tags"][:] == [[1, 1, 2, 1], None, [3, 3, 4, 3]]


def test_tags_are_repaired_only_where_tokens_moved():
    # The tagging begins a span with I, as real ones do: an error that moves no token leaves it so.
    data = tagging([["en", "Ana", "Maria", "1"]], [[0, 2, 2, 0]])
    spelling = xq.TranslationNoise(1.0, columns=("tokens",), errors=("entity",))(data, seed=1)
    assert spelling["tokens"][:] != data["tokens"][:]
    assert spelling["tags"][:] == data["tags"][:]
    assert spelling["tags_before"][:] == [None]


@pytest.mark.parametrize("names", [["O", "B-X", "U-X"], ["O", "B-X", "X"]])
def test_unknown_schemes_are_refused(names):
    with pytest.raises(LabelError, match=r"of no scheme that is known .*; rewrite them with B-, I- and O"):
        REPEAT(tagging([["Ana", "Maria"]], [[1, 2]], names), seed=1)


def test_tags_of_another_length_are_refused_with_the_uid_of_their_row():
    with pytest.raises(ColumnError, match="2 tokens have 1 tags in the row with the uid 1"):
        REPEAT(tagging([["a"], ["b", "c"]], [[0], [0]]), seed=1)


DATA = Dataset.from_dict(
    {"tokens": [["a", "b", "c"]], "other": [["x", "y", "z"]], "tags": [[0, 1, 0]], "langs": [["en", "es", "de"]]},
    features=Features(
        {
            "tokens": List(Value("string")),
            "other": List(Value("string")),
            "tags": List(ClassLabel(names=["A", "B"])),
            "langs": List(Value("string")),
        }
    ),
)


def test_class_labels_follow_without_being_named_and_others_by_name():
    after = REPEAT(DATA, seed=1)[0]
    assert after["tags"] == [0, 0, 1, 1, 0, 0]
    assert after["langs"] == ["en", "es", "de"]
    named = xq.TranslationNoise(1.0, columns=("tokens",), errors=("repetition",), tags=("tags", "langs"))
    assert named(DATA, seed=1)[0]["langs"] == ["en", "en", "es", "es", "de", "de"]


def test_no_tags_follow_where_none_are_named():
    noise = xq.TranslationNoise(1.0, columns=("tokens", "other"), errors=("repetition",), tags=())
    after = noise(DATA, seed=1)
    assert after[0]["tags"] == [0, 1, 0]
    assert xq.history(after)[-1].details["followed"] == []
    assert xq.from_dict(noise.to_dict()) == noise


def test_first_values_of_tags_do_not_follow():
    noise = xq.TranslationNoise(0.5, columns=("tokens",), errors=("repetition",))
    twice = (noise >> noise)(DATA, seed=1)[0]
    assert twice["tags_before"] in (None, [0, 1, 0])


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"columns": ("tokens", "other")}, SettingError, "hold 2 of them; call it for each column of tokens alone"),
        ({"columns": ("tokens", "other"), "tags": ("tags",)}, SettingError, "hold 2 of them"),
        ({"columns": ("text",), "tags": ("tags",)}, SettingError, "hold 0 of them"),
        ({"columns": ("text",), "tags": ("absent",)}, ColumnError, "'absent'"),
        ({"columns": ("tokens",), "tags": ("number",)}, ColumnError, "'number' holds int64"),
        ({"columns": ("tokens",), "tags": ("fixed",)}, ColumnError, "'fixed' holds fixed_size_list"),
    ],
)
def test_tags_that_cannot_follow_are_refused(settings, error, message):
    data = DATA.add_column("number", [1]).add_column("text", ["a"])
    data = data.add_column("fixed", [[1, 2, 3]])
    data = data.cast(Features({**data.features, "fixed": List(Value("int64"), length=3)}))
    with pytest.raises(error, match=message):
        xq.TranslationNoise(0.5, **settings)(data, seed=1)
