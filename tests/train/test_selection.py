"""Selection: when to look, and what is recorded."""

import pytest

from xquality.errors import SettingError
from xquality.train import Selection


def test_looks_are_spaced_and_the_last_step_is_among_them() -> None:
    assert Selection("average", every=30).looks(100) == (30, 60, 90, 100)
    assert Selection("best_source").looks(5) == (1, 2, 3, 4, 5)
    assert Selection().looks(100) == ()


def test_an_oracle_is_recorded_as_one() -> None:
    assert Selection("best_target", languages=("de", "sw")).settings()["oracle"] is True
    assert Selection("best_source").settings()["oracle"] is False
    assert Selection().settings() == {"rule": "last"}


@pytest.mark.parametrize(
    "call",
    [
        lambda: Selection("first"),
        lambda: Selection("best_target"),
        lambda: Selection("best_source", languages=("de",)),
        lambda: Selection("average", patience=2),
        lambda: Selection("best_source", patience=0),
        lambda: Selection("best_source", every=0),
        lambda: Selection("average", count=0),
    ],
)
def test_settings_that_contradict_each_other_are_refused(call) -> None:
    with pytest.raises(SettingError):
        call()
