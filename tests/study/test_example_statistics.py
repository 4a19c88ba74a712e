"""The statistics of a cell's examples and the uids of its rows: read back equal, small, damage is named."""

import copy
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xquality._stored import write_json
from xquality.analysis import crossed_interval
from xquality.errors import DamagedError, StudyError
from xquality.metrics import Examples, Metric, ratios
from xquality.metrics._stock import ACCURACY, MACRO_F1
from xquality.metrics.metric import measure
from xquality.records import Result, Score
from xquality.study import Finished, Study, read_cells, row_values
from xquality.study.example_statistics import pack, unpack, write_uids

ROWS, LANGUAGES = 204, ("de", "ru", "sw")
LOSS = Metric(
    "loss_like", lambda examples: float(100 * np.mean(_losses(examples))), lambda examples: ratios(_losses(examples), 1)
)


def _losses(examples: Examples) -> Any:
    return np.abs(np.sin(np.arange(len(examples.references)) + np.asarray(examples.predictions)))


def make_scores(seed: int, rows: int = ROWS, metrics: tuple[Metric, ...] = (ACCURACY, MACRO_F1)) -> tuple[Score, ...]:
    """Return scores as `evaluate` returns them: some rows of each language are right."""
    scores = []
    for number, language in enumerate(LANGUAGES):
        references = [(row * 5 + row // 9) % 7 for row in range(rows)]
        predictions = [(right + (row * (seed + 3) + number) % 4 // 3) % 7 for row, right in enumerate(references)]
        for value in measure(metrics, Examples(predictions, references, language)):
            signature = {"split": "test", "data": f"{number:016x}"}
            found = value.metric, value.value, rows, signature, value.statistics, tuple(range(rows))
            scores.append(Score("t", language, *found))
    return tuple(scores)


def trial(rate: float, seed: int) -> Result:
    return Result(make_scores(seed + round(rate * 10)))


def assert_equal(found: tuple[Score, ...], wanted: tuple[Score, ...]) -> None:
    assert found == wanted
    for score, other in zip(found, wanted, strict=True):
        assert score.uids == other.uids
        if score.each is None or other.each is None:
            assert score.each is other.each
            continue
        assert score.each.dtype == np.float64
        assert score.each.shape == other.each.shape
        assert score.each.tobytes() == np.asarray(other.each, np.float64).tobytes()


def test_the_statistics_and_uids_of_a_study_are_read_back_equal(tmp_path: Path) -> None:
    folder = Study(trial, {"rate": [0.0, 0.2], "seed": range(2)}).run(tmp_path / "s", progress=False)
    found = read_cells(folder)
    assert len(found) == 4
    for finished in found:
        assert_equal(finished.result.scores, trial(**finished.cell).scores)
    assert len(list((folder / "rows").iterdir())) == len(LANGUAGES)
    assert all(file.stat().st_size < 2800 for file in (folder / "cells").iterdir())


def test_two_runs_write_the_same_bytes_but_for_times(tmp_path: Path) -> None:
    study = Study(trial, {"rate": [0.0], "seed": range(2)})
    first, second = (study.run(tmp_path / name, progress=False) for name in "ab")

    def content(folder: Path) -> dict[str, Any]:
        files = sorted(folder.rglob("*/*.json"))
        read = {file.name: json.loads(file.read_text("utf-8")) for file in files}
        return {name: {key: value for key, value in kept.items() if key != "run"} for name, kept in read.items()}

    assert content(first) == content(second)
    assert len(content(first)) == 2 + len(LANGUAGES)


numbers = st.sampled_from([0.0, -0.0, 1.0, 0.1, 1e300, 5e-324, float("inf"), float("nan")])
arrays = st.integers(0, 5).flatmap(
    lambda rows: st.integers(1, 3).flatmap(
        lambda parts: st.lists(numbers, min_size=rows * parts * 2, max_size=rows * parts * 2).map(
            lambda flat: np.array(flat, np.float64).reshape(rows, parts, 2)
        )
    )
)


@given(st.lists(st.tuples(st.sampled_from(LANGUAGES), st.none() | arrays), max_size=5))
def test_any_numbers_are_packed_without_loss(found: list[tuple[str, Any]]) -> None:
    scores = tuple(
        Score("t", language, f"m{number}", 1.0, 0 if each is None else len(each), each=each)
        for number, (language, each) in enumerate(found)
    )
    packed = pack(scores)
    if packed is None:
        assert all(score.each is None for score in scores)
        return
    bare = tuple(Score.from_dict(score.to_dict()) for score in scores)
    assert_equal(unpack(json.loads(json.dumps(packed)), bare, Path("s/cells/x.json")), scores)


def test_metrics_whose_examples_all_differ_and_integers_are_packed_without_loss(tmp_path: Path) -> None:
    scores = make_scores(1, metrics=(LOSS,))
    counted = dataclasses.replace(scores[0], metric="count", each=np.ones((ROWS, 1, 2), np.int8))
    wanted = (*scores, counted)
    packed = json.loads(json.dumps(pack(wanted)))
    bare = tuple(Score.from_dict(score.to_dict()) for score in wanted)
    file = tmp_path / "cells" / "x.json"
    write_uids(tmp_path, wanted)
    assert_equal(unpack(packed, bare, file), wanted)


def test_scores_that_were_read_are_copied_and_written_again(tmp_path: Path) -> None:
    folder = Study(trial, {"rate": [0.0], "seed": [1]}).run(tmp_path / "s", progress=False)
    (finished,) = read_cells(folder)
    assert_equal(copy.deepcopy(finished).result.scores, trial(0.0, 1).scores)
    assert pack(finished.result.scores) == pack(trial(0.0, 1).scores)


@pytest.mark.parametrize(
    "wrong",
    [
        {"each": np.ones((3, 2))},
        {"each": np.ones((3, 1, 2), np.complex128)},
        {"each": np.array([[["a", "b"]]])},
        {"each": [[[1.0, 1.0]]]},
        {"uids": [0, 1, 2]},
        {"uids": (0, 1)},
        {"uids": (0, 1, 2.0)},
    ],
)
def test_statistics_and_uids_of_another_form_are_refused(wrong: dict[str, Any], tmp_path: Path) -> None:
    def wrong_trial(seed: int) -> Result:
        return Result((Score("t", "de", "accuracy", 1.0, 3, **wrong),))

    with pytest.raises(StudyError, match="accuracy in de must be"):
        Study(wrong_trial, {"seed": [0]}).run(tmp_path / "s", progress=False)


def edit(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a stored file, and give it the checksum of the changed content."""
    content = json.loads(file.read_text(encoding="utf-8"))
    content.pop("checksum")
    change(content)
    write_json(file, content, ("run",))


@pytest.mark.parametrize(
    "change",
    [
        lambda packed: packed.update(bytes=packed["bytes"][:-8]),
        lambda packed: packed.update(bytes="?" + packed["bytes"]),
        lambda packed: packed.update(different=packed["different"] + 1),
        lambda packed: packed.update(examples=[204, 204, 10**12]),
        lambda packed: packed.update(examples=[-204, 204, 204]),
        lambda packed: packed.update(parts=[1, 10**15]),
        lambda packed: packed.update(scores=[[0, 1], [2, 3], [4, 4]]),
        lambda packed: packed.update(scores=[[0, 1], [2, 3], [4, 99]]),
        lambda packed: packed.pop("bytes"),
        lambda packed: packed.update(parts=None),
    ],
)
def test_changed_statistics_are_not_believed(change: Callable[[dict[str, Any]], object], tmp_path: Path) -> None:
    folder = Study(trial, {"rate": [0.0], "seed": [1]}).run(tmp_path / "s", progress=False)
    (file,) = (folder / "cells").iterdir()
    edit(file, lambda content: change(content["examples"]["statistics"][0]))
    with pytest.raises((DamagedError, UserWarning), match=r"seed=1"):
        _ = [score.each for finished in read_cells(folder) for score in finished.result.scores]


def test_missing_and_changed_uids_are_named_and_the_statistics_stay_readable(tmp_path: Path) -> None:
    study = Study(trial, {"rate": [0.0], "seed": [1]})
    folder = study.run(tmp_path / "s", progress=False)
    (folder / "rows" / f"{0:016x}.json").unlink()
    file = folder / "rows" / f"{1:016x}.json"
    file.write_text(file.read_text("utf-8").replace("17", "18", 1), "utf-8")
    (finished,) = read_cells(folder)
    for place in (0, 2):
        assert finished.result.scores[place].each is not None
        with pytest.raises(DamagedError, match="rows"):
            _ = finished.result.scores[place].uids
    assert finished.result.scores[4].uids == tuple(range(ROWS))
    Study(trial, {"rate": [0.0], "seed": [1, 2]}).run(folder, progress=False)
    assert read_cells(folder)[0].result.scores[0].uids == tuple(range(ROWS))


@pytest.fixture
def cells(tmp_path: Path) -> list[Finished]:
    return read_cells(Study(trial, {"rate": [0.0, 0.2], "seed": range(3)}).run(tmp_path / "s", progress=False))


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_the_mean_over_rows_is_the_score_of_each_seed(cells: list[Finished], metric: str) -> None:
    found = row_values(cells, {"rate": 0.2}, language="ru", metric=metric)
    scores = [
        score.value
        for seed in range(3)
        for score in trial(0.2, seed).scores
        if (score.language, score.metric) == ("ru", metric)
    ]
    assert found.seeds == (0, 1, 2)
    assert found.uids == tuple(range(ROWS))
    assert found.values.mean(axis=1) == pytest.approx(scores)
    assert crossed_interval(found.values).mean == pytest.approx(np.mean(scores))
    if metric == "accuracy":
        assert set(np.unique(found.values.round(9))) == {0.0, 100.0}


def test_the_linearised_values_have_the_spread_of_the_bootstrap(cells: list[Finished]) -> None:
    from xquality.evaluation import interval

    values = row_values(cells, {"rate": 0.2}, language="ru", metric="macro_f1").values[0]
    score = next(score for score in trial(0.2, 0).scores if (score.language, score.metric) == ("ru", "macro_f1"))
    found = interval(score)
    assert values.std() / np.sqrt(ROWS) == pytest.approx((found.high - found.low) / 3.92, rel=0.15)


def test_the_mean_over_parallel_languages_is_taken_row_by_row(cells: list[Finished], tmp_path: Path) -> None:
    of = {language: row_values(cells, {"rate": 0.2}, language=language, metric="accuracy") for language in ("de", "ru")}
    both = row_values(cells, {"rate": 0.2}, language=["de", "ru"], metric="accuracy")
    places = [of["ru"].uids.index(uid) for uid in of["de"].uids]
    assert both.uids == of["de"].uids
    assert both.values == pytest.approx((of["de"].values + of["ru"].values[:, places]) / 2)


@pytest.mark.parametrize(
    ("arm", "settings", "sentence"),
    [
        ({"rate": 0.0}, {"language": []}, "names none"),
        ({}, {}, "names 2 arms"),
        ({"rate": 0.5}, {}, "names 0 arms"),
        ({"strength": 0.2}, {}, "on the axes rate"),
        ({"rate": False}, {}, "names 0 arms"),
        ({"rate": 0.0}, {"language": "xx"}, "0 scores"),
        ({"rate": 0.0}, {"metric": "f1"}, "0 scores"),
        ({"rate": 0.0}, {"task": "u"}, "0 scores"),
    ],
)
def test_an_arm_or_a_score_that_is_not_there_is_refused(
    cells: list[Finished], arm: dict[str, Any], settings: dict[str, str], sentence: str
) -> None:
    with pytest.raises(StudyError, match=sentence):
        row_values(cells, arm, **{"language": "de", "metric": "accuracy", **settings})


def test_cells_of_other_rows_or_without_statistics_are_refused(cells: list[Finished]) -> None:
    score = cells[0].result.scores[0]
    for other, sentence in (
        (dataclasses.replace(score, signature={"data": "f" * 16}), "different rows"),
        (dataclasses.replace(score, each=None), "no statistics"),
    ):
        first = dataclasses.replace(cells[0], result=Result((other,)))
        with pytest.raises(StudyError, match=sentence):
            row_values([first, *cells[1:]], {"rate": 0.0}, language="de", metric="accuracy")
