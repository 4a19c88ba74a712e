"""Records, scores, histories and results: equal after a round trip through JSON; curves are means over languages."""

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xquality.errors import SerialisationError
from xquality.records import History, Point, Record, Result, Score

text = st.text(max_size=8)
number = st.floats(allow_nan=False, allow_infinity=False)
count = st.none() | st.integers(0, 10**6)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | number | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
mapping = st.dictionaries(text, json_values, max_size=3)
records = st.builds(
    Record,
    transform=text,
    settings=mapping,
    seed=st.none() | st.integers(),
    rows_before=count,
    rows_after=count,
    changed=count,
    realised_rate=st.none() | st.floats(0, 1),
    versions=mapping,
    details=mapping,
)
scores = st.builds(Score, text, text, text, number, st.integers(0), mapping)
points = st.builds(Point, st.integers(0, 3), st.integers(0, 99), text, text, text, number, st.integers(0))
histories = st.builds(History, st.lists(mapping, max_size=3).map(tuple), st.lists(points, max_size=4).map(tuple))
results = st.builds(
    Result,
    st.lists(scores, max_size=3).map(tuple),
    st.none() | histories,
    st.dictionaries(text, number, max_size=3),
    mapping,
)


@given(st.one_of(records, scores, histories, results))
def test_what_is_written_as_json_is_read_back_equal(value: Record | Score | History | Result) -> None:
    assert type(value).from_dict(json.loads(json.dumps(value.to_dict()))) == value


@pytest.mark.parametrize("kind", [Record, Score, History, Result])
@pytest.mark.parametrize("data", [None, 3, "x", ["transform"], {"unheard of": 1}])
def test_json_of_something_else_is_refused_with_the_keys_there_are(kind: Any, data: object) -> None:
    with pytest.raises(SerialisationError, match=f"A {kind.__name__} is read from JSON with the keys"):
        kind.from_dict(data)


VALUES: dict[str, Any] = {
    "record": Record("LabelNoise", {"rate": 0.5}, 1, 20, 20, 10, 0.5, {"algorithm": 1}, {"flagged": 3}),
    "score": Score("toy", "de", "accuracy", 61.25, 40, {"split": "test"}),
    "history": History(({"steps": 10},), (Point(0, 0, "toy", "de", "accuracy", 40.0, 40),)),
    "result": Result((), None, {"mean": 40.5}, {"note": "x"}),
}
OTHERS = (None, True, "x", 1.5, 7, 10**400, float("nan"), [], {}, [None], {"x": None}, {"x": "y"})


@pytest.mark.parametrize("name", VALUES)
def test_a_value_of_another_type_is_refused_or_is_usable(name: str) -> None:
    kind, plain = type(VALUES[name]), VALUES[name].to_dict()
    for key in plain:
        for other in OTHERS:
            try:
                read = kind.from_dict({**plain, key: other})
            except SerialisationError:
                continue
            again = kind.from_dict(json.loads(json.dumps(read.to_dict())))
            assert again.to_dict().keys() == plain.keys()
            assert str(read) == str(again)
            if kind is History:
                read.curve()


@pytest.mark.parametrize("other", [*OTHERS, ["es", 3]])
def test_a_history_whose_stages_hold_other_values_is_shown(other: object) -> None:
    stage = {"steps": other, "languages": other, "task": other, "rows": other}
    assert "<table" in History((stage,), VALUES["history"].points)._repr_html_()


@pytest.mark.parametrize("key", ["stage", "step", "task", "language", "metric", "value", "rows"])
@pytest.mark.parametrize("other", [None, True, [], {}])
def test_a_point_with_a_value_of_another_type_is_refused(key: str, other: object) -> None:
    plain = VALUES["history"].to_dict()
    plain["points"][0][key] = other
    with pytest.raises(SerialisationError, match=f"A Point is read from JSON with .* under '{key}'"):
        History.from_dict(plain)


def test_a_point_with_a_strange_key_is_refused() -> None:
    with pytest.raises(SerialisationError, match="Point"):
        History.from_dict({"stages": [], "points": [{"time": 1}]})


def test_tuples_in_settings_are_written_as_lists_however_deep() -> None:
    record = Record("Subsample", {"stratify_by": ("label", ("a", {"b": (1, 2)}))})
    assert record.to_dict()["settings"] == {"stratify_by": ["label", ["a", {"b": [1, 2]}]]}


def test_a_record_computes_its_digest_on_access_and_never_serialises_it() -> None:
    calls = []
    record = Record("Subsample", digest_source=lambda: calls.append("computed") or "cafe")
    assert not calls
    assert record.digest == "cafe"
    assert calls == ["computed"]
    assert "digest_source" not in record.to_dict()
    assert record == dataclasses.replace(record, digest_source=None)
    assert Record("Subsample").digest is None
    assert Record("Subsample", digest_source="beef").digest == "beef"


def test_a_score_prints_its_value_and_how_it_was_made_in_the_given_order() -> None:
    score = Score("xnli", "de", "accuracy", 66.666, 300, {"split": "test", "head": "sequence", "data": "a1b2"})
    assert str(score) == "xnli/de accuracy = 66.67 rows:300|split:test|head:sequence|data:a1b2"
    assert str(Score("xnli", "de", "accuracy", 100.0, 3)) == "xnli/de accuracy = 100.00 rows:3"


def point(step: int, value: float, *, stage: int = 0, language: str = "de", metric: str = "accuracy") -> Point:
    return Point(stage, step, "toy", language, metric, value, 10)


def test_a_curve_is_the_mean_over_languages_in_the_order_of_steps() -> None:
    history = History(
        ({},),
        (point(10, 50.0), point(0, 20.0), point(0, 40.0, language="es"), point(10, 80.0, language="es")),
    )
    assert history.curve() == ((0, 10), (30.0, 65.0))
    assert history.curve(languages=["es"]) == ((0, 10), (40.0, 80.0))
    assert history.curve(languages=("es", "de")) == history.curve()


def test_a_curve_is_of_one_stage_and_of_one_metric_and_never_of_the_loss() -> None:
    history = History(
        ({}, {}),
        (
            point(0, 1.5, metric="loss"),
            point(0, 20.0),
            point(0, 0.9, stage=1, metric="loss"),
            point(0, 30.0, stage=1, metric="macro_f1"),
            point(0, 60.0, stage=1),
        ),
    )
    assert history.curve(stage=0) == ((0,), (20.0,))
    assert history.curve() == ((0,), (30.0,))  # the last stage's first metric
    assert history.curve("accuracy") == ((0,), (60.0,))
    assert history.curve(stage=-2) == history.curve(stage=0)


@pytest.mark.parametrize(
    "selection",
    [{"languages": ["fr"]}, {"metric": "bleu"}, {"stage": 5}, {"stage": -3}, {"languages": []}, {"metric": "loss"}],
)
def test_a_curve_of_what_was_not_measured_is_empty(selection: dict[str, Any]) -> None:
    assert History(({}, {}), (point(0, 20.0), point(0, 20.0, stage=1))).curve(**selection) == ((), ())
    assert History().curve() == ((), ())
