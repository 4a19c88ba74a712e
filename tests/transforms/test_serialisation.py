"""Transforms as JSON: read back equal, and never guessed at."""

import json
from dataclasses import dataclass
from typing import Any, ClassVar, final

import pytest

import xquality as xq
from xquality.errors import SerialisationError, SettingError
from xquality.transforms import Change, Draw, Rows, Transform

EXAMPLES: tuple[Transform | xq.Compose, ...] = (
    xq.Subsample(n=3),
    xq.Subsample(fraction=0.1, stratify_by=("label", "part"), stream=2),
    xq.LabelNoise(rate=0.2, column="topic", exact=False),
    xq.CleanlabFilter(action="relabel", text_columns=("premise", "hypothesis"), max_fraction=0.5),
    xq.Compose(),
    xq.LabelNoise(rate=1 / 3) >> xq.Subsample(fraction=0.1) >> xq.CleanlabFilter(),
)


@final
@dataclass(frozen=True)
class Mine(Transform):
    """A transform of a user's own."""

    algorithm: ClassVar[int] = 4

    names: tuple[tuple[str, ...], ...] = (("a",), ())
    table: Any = None
    stream: int = 0

    def apply(self, rows: Rows, draw: Draw) -> Change:
        return Change(rows.table, acted=len(draw.uids))


@pytest.mark.parametrize("transform", EXAMPLES, ids=repr)
def test_a_transform_survives_a_trip_through_json(transform: Transform | xq.Compose) -> None:
    back = xq.from_dict(json.loads(json.dumps(transform.to_dict())))
    assert back == transform
    assert hash(back) == hash(transform)
    assert repr(back) == repr(transform)


def test_a_transform_of_ones_own_is_read_where_it_is_named_as_known() -> None:
    mine = Mine(names=(("a", "b"), ("c",)))
    written = json.loads(json.dumps(mine.to_dict()))
    assert xq.from_dict(written, known=[Mine]) == mine
    joined = json.loads(json.dumps((mine >> xq.Subsample(n=1)).to_dict()))
    assert xq.from_dict(joined, known=(Mine,)) == mine >> xq.Subsample(n=1)
    for unknown in (written, joined):
        with pytest.raises(SerialisationError, match=r"No transform is named 'Mine'; .*known="):
            xq.from_dict(unknown)


@pytest.mark.parametrize("value", [print, object(), {1: "a"}, {"a": {1, 2}}, (1, b"a"), Mine])
def test_a_setting_that_json_cannot_hold_is_refused_by_name(value: Any) -> None:
    with pytest.raises(SerialisationError, match="Mine holds table of type"):
        Mine(table=value).to_dict()


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "LabelNoise",
        {},
        {"transform": "LabelNoise"},
        {"transform": "LabelNoise", "settings": None},
        {"settings": {}},
        {"transform": "Transform", "settings": {}},
        {"transform": "os.system", "settings": {}},
        {"transform": "LabelNoise", "settings": {}},
        {"transform": "LabelNoise", "settings": {"rate": 0.1, "colour": "red"}},
        {"transform": "Compose", "settings": {"transforms": ["LabelNoise"]}},
        {"transform": "Compose", "settings": {"transforms": [{"transform": "Compose", "settings": {}}]}},
    ],
)
def test_json_of_no_known_transform_is_refused(data: Any) -> None:
    with pytest.raises(SerialisationError):
        xq.from_dict(data)


def test_settings_out_of_range_are_refused_as_in_python() -> None:
    with pytest.raises(SettingError, match="between 0 and 1"):
        xq.from_dict({"transform": "LabelNoise", "settings": {"rate": 2}})


def test_what_another_version_wrote_is_refused_and_not_run_differently() -> None:
    written = xq.LabelNoise(rate=0.1).to_dict()
    with pytest.raises(SerialisationError, match="algorithm 99, but this version has"):
        xq.from_dict({**written, "algorithm": 99})
    inside = (xq.LabelNoise(rate=0.1) >> xq.Subsample(n=1)).to_dict()
    inside["settings"]["transforms"][1]["algorithm"] = 99
    with pytest.raises(SerialisationError, match="Subsample was written with algorithm 99"):
        xq.from_dict(inside)
