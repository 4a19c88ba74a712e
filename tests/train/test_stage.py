"""Stage: its languages, and settings as they are recorded."""

from xquality import toy
from xquality.train import Stage


def test_the_language_is_the_tasks_own_where_none_is_named() -> None:
    assert Stage(toy.topics).trained_language == "en"
    assert Stage(toy.topics, language="sw").trained_language == "sw"


def test_settings_are_plain_values() -> None:
    import json

    settings = Stage(toy.topics, steps=5, arguments={"weight_decay": 0.01}).settings()
    assert json.loads(json.dumps(settings)) == settings
    assert settings["schedule"] == "constant"
