"""Stage: its languages and data, and its settings as the history keeps them."""

import numpy as np
import pytest

from xquality import toy
from xquality.errors import DataKindError, SettingError
from xquality.train import Stage


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
