import pyarrow as pa
import pytest
from datasets import ClassLabel, Dataset, Features, List, Value

import xquality as xq
from xquality.data._datasets import table_of
from xquality.errors import ColumnError, LabelError, SettingError
from xquality.transforms import Rows
from xquality.transforms.translation_noise.followers import answers_of, first_values, tags_of

ANSWER = {"text": ["dos"], "answer_start": [4]}
FEATURES = Features(
    {
        "tokens": List(Value("string")),
        "other": List(Value("string")),
        "tags": List(ClassLabel(names=["A", "B"])),
        "langs": List(Value("string")),
    }
)
DATA = Dataset.from_dict(
    {"tokens": [["a", "b", "c"]], "other": [["x", "y", "z"]], "tags": [[0, 1, 0]], "langs": [["en", "es", "de"]]},
    features=FEATURES,
)


def rows(data):
    return Rows(table_of(data), data.features, "TranslationNoise")


def noised(given, **settings):
    data = Dataset.from_dict({name: [one] for name, one in given.items()})
    noise = {"severity": 1.0, "columns": ("context",), "errors": ("repetition",), **settings}
    return xq.TranslationNoise(**noise)(data, seed=1)[0]


def test_answers_follow_the_column_they_point_into():
    assert noised({"context": "uno dos", "answers": ANSWER})["answers"]["answer_start"] == [8]
    named = noised({"passage": "uno dos", "gold": ANSWER}, columns=("passage",), context="passage", answers="gold")
    assert named["gold"]["answer_start"] == [8]
    assert (
        noised({"question": "uno", "context": "uno dos", "answers": ANSWER}, columns=("question",))["answers"] == ANSWER
    )


@pytest.mark.parametrize(
    ("columns", "settings", "said"),
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
def test_offsets_that_would_go_stale_are_refused(columns, settings, said):
    with pytest.raises(ColumnError, match=said):
        noised(columns, **settings)


def test_what_keeps_first_values_follows_nothing():
    noise = xq.TranslationNoise(1.0, columns=("context",), errors=("repetition",))
    data = Dataset.from_dict({"context": ["uno dos"], "answers": [ANSWER]})
    after = noise(data, seed=1)
    assert first_values(rows(after)) == {"context_before", "answers_before"}
    assert answers_of(rows(after), ("context",), "answers", "context", asked=False) == "answers"
    again = xq.TranslationNoise(1.0, columns=("context",), errors=("repetition",), stream=1)(after, seed=1)[0]
    assert again["answers_before"] == ANSWER
    assert again["context"][again["answers"]["answer_start"][0] :].startswith("dos")


def test_answers_of_which_no_row_has_one_need_no_type():
    empty = {"context": "uno dos", "answers": {"text": [], "answer_start": []}}
    assert noised(empty)["context"] == "uno uno dos dos"


def test_class_labels_follow_by_themselves_and_others_by_name():
    noise = xq.TranslationNoise(1.0, columns=("tokens",), errors=("repetition",))
    after = noise(DATA, seed=1)[0]
    assert after["tags"] == [0, 0, 1, 1, 0, 0]
    assert after["langs"] == ["en", "es", "de"]
    named = xq.TranslationNoise(1.0, columns=("tokens",), errors=("repetition",), tags=("tags", "langs"))
    assert named(DATA, seed=1)[0]["langs"] == ["en", "en", "es", "es", "de", "de"]


def test_no_tags_follow_where_none_are_named():
    noise = xq.TranslationNoise(1.0, columns=("tokens", "other"), errors=("repetition",), tags=())
    assert noise(DATA, seed=1)[0]["tags"] == [0, 1, 0]
    assert tags_of(rows(DATA), ("tokens", "other"), ()) == {}
    assert xq.from_dict(noise.to_dict()) == noise


def test_first_values_of_tags_do_not_follow():
    noise = xq.TranslationNoise(0.5, columns=("tokens",), errors=("repetition",))
    twice = (noise >> noise)(DATA, seed=1)[0]
    assert twice["tags_before"] in (None, [0, 1, 0])


@pytest.mark.parametrize(
    ("settings", "kind", "said"),
    [
        ({"columns": ("tokens", "other")}, SettingError, "hold 2 of them; call it for each column of tokens alone"),
        ({"columns": ("tokens", "other"), "tags": ("tags",)}, SettingError, "hold 2 of them"),
        ({"columns": ("text",), "tags": ("tags",)}, SettingError, "hold 0 of them"),
        ({"columns": ("text",), "tags": ("absent",)}, ColumnError, "'absent'"),
        ({"columns": ("tokens",), "tags": ("number",)}, ColumnError, "'number' holds int64"),
        ({"columns": ("tokens",), "tags": ("fixed",)}, ColumnError, "'fixed' holds fixed_size_list"),
    ],
)
def test_tags_that_cannot_follow_are_refused(settings, kind, said):
    data = DATA.add_column("number", [1]).add_column("text", ["a"])
    data = data.add_column("fixed", pa.array([[1, 2, 3]], pa.list_(pa.int64(), 3)).to_pylist()).cast(
        Features({**data.features, "fixed": List(Value("int64"), length=3)})
    )
    with pytest.raises(kind, match=said):
        xq.TranslationNoise(0.5, **settings)(data, seed=1)


@pytest.mark.parametrize(("names", "right"), [(["O", "B-X", "I-X"], True), (["A", "B"], True), (["O", "B-X", "U-X"], False), (["O", "B-X", "X"], False)])  # fmt: skip
def test_a_tagging_is_bio_or_has_no_beginnings(names, right):
    features = Features({"tokens": List(Value("string")), "tags": List(ClassLabel(names=names))})
    data = rows(Dataset.from_dict({"tokens": [["a"]], "tags": [[0]]}, features=features))
    if right:
        assert tags_of(data, ("tokens",), None) == {"tags": tuple(names)}
    else:
        with pytest.raises(LabelError, match="rewrite them with B-, I- and O"):
            tags_of(data, ("tokens",), None)
