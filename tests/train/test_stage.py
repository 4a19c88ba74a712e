"""Stage: its languages and data, and its settings as the history keeps them."""

import warnings

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, Value

import xquality as xq
from xquality import toy
from xquality.errors import DataKindError, LabelError, SettingError
from xquality.train import Stage
from xquality.train.preparation import load_rows


def test_the_default_language_is_the_tasks_source_language() -> None:
    assert Stage(toy.topics).trained_language == "en"
    assert Stage(toy.topics, language="sw").trained_language == "sw"


def test_settings_are_plain_values() -> None:
    import json

    settings = Stage(toy.topics, steps=5, arguments={"weight_decay": 0.01}).settings()
    assert json.loads(json.dumps(settings)) == settings
    assert settings["schedule"] == "constant"


def test_rows_are_loaded_where_none_are_given() -> None:
    (source,) = Stage(toy.topics, language="tr").sources
    assert source.languages == ("tr",)
    assert len(source.load()) == 1000


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"steps": 1, "epochs": 2}, SettingError),
        ({"steps": 0}, SettingError),
        ({"epochs": -1.0}, SettingError),
        ({"learning_rate": "fast"}, SettingError),
        ({"schedule": "step"}, SettingError),
        ({"warmup": 2}, SettingError),
        ({"max_length": 3}, SettingError),
        ({"head": "old"}, SettingError),
        ({"group_by_length": 1}, SettingError),
        ({"selection": "last"}, SettingError),
        ({"arguments": ["optim"]}, SettingError),
        ({"callbacks": 3}, SettingError),
        ({"language": "xx"}, SettingError),
        ({"data": ["rows"]}, DataKindError),
    ],
)
def test_wrong_settings_are_refused_by_name(settings: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error, match="xx" if "language" in settings else next(iter(settings))):
        Stage(toy.topics, **settings)


def test_numbers_of_numpy_become_plain_numbers() -> None:
    stage = Stage(toy.topics, steps=np.int64(5), learning_rate=np.float64(0.1), callbacks=[])
    assert (type(stage.steps), type(stage.learning_rate), stage.callbacks) == (int, float, ())


NAMES = toy.topics.head.labels


@pytest.mark.parametrize("how", ["names", "integers", "floats", "another order", "more classes"])
def test_labels_are_taken_however_they_are_spelt(how: str) -> None:
    data = toy.topics.load("es", "test")
    order = [*NAMES[::-1], *(["other"] if how == "more classes" else [])]
    labels, kind = {
        "names": ([NAMES[label] for label in data["label"]], Value("string")),
        "integers": (data["label"][:], Value("int32")),
        "floats": (data["label"][:], Value("float64")),
        "another order": ([order.index(NAMES[label]) for label in data["label"]], ClassLabel(names=order)),
        "more classes": ([order.index(NAMES[label]) for label in data["label"]], ClassLabel(names=order)),
    }[how]
    spelt = data.remove_columns("label").add_column("label", labels).cast_column("label", kind)
    (source,) = Stage(toy.topics, spelt, steps=1).sources
    assert load_rows(source).digest == load_rows(Stage(toy.topics, data, steps=1).sources[0]).digest
    tagged = toy.entities.load("es", "test")
    tags = toy.entities.head.labels
    named = tagged.map(lambda row: {"ner_tags": [tags[tag] for tag in row["ner_tags"]]}, remove_columns="ner_tags")
    (source,) = Stage(toy.entities, named, steps=1).sources
    assert load_rows(source).digest == load_rows(Stage(toy.entities, tagged, steps=1).sources[0]).digest


def test_labels_beyond_the_tasks_are_refused_with_their_row() -> None:
    data = toy.topics.load("es", "test").remove_columns("label")
    for wrong in ("poetry", 99):
        (source,) = Stage(toy.topics, data.add_column("label", [wrong] * len(data)), steps=1).sources
        with pytest.raises(LabelError, match=f"were expected.*{wrong}.*first on row 0"):
            load_rows(source)


@pytest.mark.parametrize(
    ("make", "languages"),
    [
        (lambda: toy.topics.load("en", "train"), ("es", "en")),
        (lambda: xq.LabelNoise(0.2)(toy.topics.load("en", "train"), seed=1), ("es", "en")),
        (lambda: xq.Mix(toy.topics.load("de", "train"), 0.5)(toy.topics.load("es", "train"), seed=1), ("es", "de")),
    ],
    ids=["loaded", "spoilt", "mixed"],
)
def test_rows_that_were_loaded_in_another_language_count_as_trained_in_it_too(make, languages) -> None:
    with pytest.warns(UserWarning, match="loaded in .* count as trained in too"):
        stage = Stage(toy.topics, make(), "es")
    assert stage.languages == languages


def test_rows_of_the_language_that_is_named_and_rows_of_unknown_origin_raise_no_warning() -> None:
    rows = toy.topics.load("es", "train")
    with warnings.catch_warnings(action="error"):
        assert Stage(toy.topics, rows, "es").languages == ("es",)
        assert Stage(toy.topics, Dataset.from_dict(rows.to_dict(), rows.features), "de").languages == ("de",)
        assert Stage(toy.inference, toy.topics.load("en", "train"), "es").languages == ("es",)  # of another task
