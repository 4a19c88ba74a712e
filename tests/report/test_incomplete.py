"""Reports of studies that are not whole: every finished cell counts, and what is missing is said."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xquality.records import History, Point, Result, Score
from xquality.report import Summary, draw_curves, draw_differences, draw_heat_map, summarise, write_report
from xquality.study import Study
from xquality.study.cells import Finished, cell_file, write_cell, write_study
from xquality.study.columns import from_columns
from xquality.study.trial_identity import TrialIdentity

AREA = "area under the curve"
Curve = dict[int, dict[str, float]]


def rising(steps: tuple[int, ...], start: float, end: float, languages: tuple[str, ...] = ("de", "ru")) -> Curve:
    return {step: dict.fromkeys(languages, start + (end - start) * step / steps[-1]) for step in steps}


def history(curve: Curve, metric: str = "accuracy") -> History:
    points = [Point(0, step, "t", name, metric, value, 9) for step, by in curve.items() for name, value in by.items()]
    return History(({"languages": ["en"]},), tuple(points))


def summary_of(folder: Path, cells: dict[tuple[object, object], Curve | None], **axes: list[object]) -> Summary:
    """Return the summary of a study folder with these cells, by arm and seed, and with these axes."""
    axes = axes or {"arm": [arm for arm, _ in cells], "seed": [seed for _, seed in cells]}
    plain = {"arm": list(dict.fromkeys(axes["arm"])), "seed": list(dict.fromkeys(axes["seed"]))}
    names = {"trial": "trial", "source": "x", "seed": "seed", "quantity": None, "quality": None}
    write_study(folder, {**names, "parts": {}, "paths": {}, "changing": {}, "axes": [plain]})
    for (arm, seed), curve in cells.items():
        result = Result((), curve and history(curve), {"score": 1.0 + len(str(seed))})
        write_cell(folder, Finished({"arm": arm, "seed": seed}, result, trial=TrialIdentity({}).digest()))
    return summarise(folder)


LONG, SHORT = (0, 10, 100), (0, 10)


def test_every_seed_is_on_the_curve_whatever_steps_it_was_measured_at(tmp_path: Path) -> None:
    steps = {0: SHORT, 1: LONG, 2: LONG, 3: (0, 30, 90), 4: LONG}
    summary = summary_of(tmp_path, {("a", seed): rising(own, 20, 60) for seed, own in steps.items()})
    found, values = summary.arms[0].curves()
    assert found.tolist() == [0, 10, 30, 90, 100]
    assert values.shape == (5, 5)
    assert [int(math.isnan(value)) for value in values[0]] == [0, 0, 1, 1, 1]
    assert values[1].tolist()[:2] == [20, 24]
    assert values[3][2] == pytest.approx(20 + 40 / 3)
    assert len(summary.arms[0].measures[AREA]) == 5
    assert summary.budget == 10


def test_a_first_seed_without_a_curve_hides_no_other(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, {("a", 0): None, ("a", 1): rising(LONG, 20, 60), ("a", 2): rising(LONG, 20, 60)})
    assert list(summary.arms[0].runs) == [1, 2]
    page = write_report(tmp_path).read_text(encoding="utf-8")
    assert "(2 of 2)" in page  # two runs have a curve and reached the threshold


@pytest.mark.parametrize(
    "values", [["x", None], ["0.2", 0.2], ["rate 0.1", "x"], [True, "arm True"], ["", "trial"], [" ", "  "], [None, ""]]
)
def test_no_two_arms_have_one_name(tmp_path: Path, values: list[object]) -> None:
    def trial(seed: int, arm: object = 0, rate: float = 0.0) -> Result:
        return Result(measures={"score": float(seed)})

    axes = [{"arm": values, "seed": [0, 1]}, {"arm": ["x"], "seed": [0, 1], "rate": [0.1]}, {"seed": [0, 1]}]
    axes = axes if "x" in values else axes[:1]
    folder = Study(trial, axes).run(tmp_path / "s", progress=False)
    names = [arm.name for arm in summarise(folder).arms]
    assert len(set(names)) == len(names) == (4 if "x" in values else 2)
    assert all(summarise(folder, name).reference.name == name for name in names)


def test_missing_cells_and_pairs_are_counted(tmp_path: Path) -> None:
    cells = {("a", 0): None, ("a", 1): None, ("b", 1): None, ("b", 2): None}
    summary = summary_of(tmp_path, cells, arm=["a", "b", "c"], seed=[0, 1, 2])
    assert [(dict(cell), why) for cell, why in summary.missing] == [
        ({"arm": arm, "seed": seed}, "not run") for arm, seed in (("a", 2), ("b", 0), ("c", 0), ("c", 1), ("c", 2))
    ]
    head, rows = summary.texts()
    assert [row[head.index("seeds")] for row in rows] == ["2 of 3", "2 of 3"]
    assert rows[1][head.index("pairs")] == "1"
    page = write_report(tmp_path).read_text(encoding="utf-8")
    assert "4 finished cells" in page
    assert "missing: 5 (0 failed, 5 not run)" in page
    assert page.count('<td class="text">not run</td>') == 5


def test_a_measure_that_some_cells_lack_says_how_many_have_it(tmp_path: Path) -> None:
    def trial(seed: int) -> Result:
        scores = tuple(Score("t", name, "f1", 10.0 + seed, 9) for name in ("de", "ru")[: 1 + (seed > 0)])
        return Result(scores, measures={"score": 1.0, **({"other": 2.0 + seed} if seed else {})}, notes={"who": seed})

    page = write_report(Study(trial, {"seed": range(3)}).run(tmp_path / "s", progress=False)).read_text("utf-8")
    assert "(2 of 3 seeds)" in page
    assert "11.5 (2 of 3)" in page  # the mean in Russian
    assert "0 (in 1 of 3 cells); 1 (in 1 of 3 cells); 2 (in 1 of 3 cells)" in page


def test_a_mean_of_scores_is_over_the_languages_of_all_cells(tmp_path: Path) -> None:
    def trial(seed: int) -> Result:
        names = ("de", "ru", "ar")[: 2 + (seed > 0)]
        return Result(tuple(Score("t", name, "f1", 90.0 if name == "ar" else 30.0, 9) for name in names))

    summary = summarise(Study(trial, {"seed": range(3)}).run(tmp_path / "s", progress=False))
    assert summary.arms[0].measures["mean f1"] == {0: 30.0, 1: 30.0, 2: 30.0}
    assert summary.notes == ("Mean scores leave out ar: some cells have no score in them.",)


def test_one_seed_has_no_interval_and_no_colour_of_one(tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    def trial(rate: float, fraction: float, seed: int) -> Result:
        return Result((), history(rising(LONG, 20, 60)), {"score": 39.13 - rate})

    axes = {"rate": [0.0, 0.2], "fraction": [0.5, 1.0], "seed": [0]}
    folder = Study(trial, axes, quantity="fraction", quality="rate").run(tmp_path / "s", progress=False)
    page = write_report(folder).read_text(encoding="utf-8")
    assert "39.1 (one value)" in page
    assert "inf" not in page.split("<svg", maxsplit=1)[0]
    summary, figure = summarise(folder), Figure()
    draw_differences(axes := figure.add_subplot(), summary, "score")
    assert [line.get_fillstyle() for line in axes.lines[:-1]] == ["none"] * 3
    draw_curves(axes := figure.add_subplot(), summary)
    assert not axes.collections  # no band
    draw_heat_map(axes := figure.add_subplot(), summary, "score")
    assert {text.get_text() for text in axes.texts} == {"39.1\none value", "38.9\none value"}


def test_a_two_class_task_does_not_stand_at_the_threshold_before_training(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, {("a", seed): rising(LONG, 50, 54) for seed in range(3)})
    assert summary.threshold == pytest.approx(53.6)
    assert summary.arms[0].steps_to(summary.threshold).median.value > 10


def test_a_longer_arm_does_not_raise_the_threshold_of_all(tmp_path: Path) -> None:
    cells = {(arm, seed): rising(own, 20, 60) for arm, own in (("a", LONG), ("b", (0, 50, 500))) for seed in range(2)}
    summary = summary_of(tmp_path, cells)
    assert summary.budget == 100
    assert summary.threshold == pytest.approx(20 + 0.9 * 40)


def test_a_bound_below_is_reached_and_not_never(tmp_path: Path) -> None:
    late = {step: {"de": value} for step, value in ((5, 80.0), (10, 80.0))}
    cells = {("a", seed): rising((0, 5, 10), 20, 60, ("de",)) for seed in range(3)} | {("b", s): late for s in range(3)}
    summary = summary_of(tmp_path, cells)
    assert str(summary.arms[1].steps_to(summary.threshold)) == "< 5.0 (3 of 3)"


WITHHELD = {
    "nothing gained": ({("a", 0): rising(LONG, 30, 25), ("b", 0): rising(LONG, 20, 60)}, "gained nothing"),
    "no curve of the reference": ({("a", 0): None, ("b", 0): rising(LONG, 20, 60)}, "'a' has no curve"),
    "a language missing at one step": (
        {("a", 0): {0: {"de": 1.0, "ru": 1.0}, 9: {"de": 2.0}}, ("b", 0): rising((0, 9), 20, 60)},
        "curve of 'a', seed 0, is withheld",
    ),
    "one step only": ({("a", 0): {0: {"de": 5.0}}, ("b", 0): rising(LONG, 20, 60, ("de",))}, "needs measurements at"),
    "other languages": (
        {("a", 0): rising(LONG, 20, 60, ("de",)), ("b", 0): rising(LONG, 20, 60, ("ru",))},
        "No language was measured in every run",
    ),
    "some languages": (
        {("a", 0): rising(LONG, 20, 60), ("b", 0): rising(LONG, 20, 60, ("ru",))},
        "de were measured in some of the runs only",
    ),
    "a start beyond the budget": (
        {("a", 0): rising(SHORT, 20, 60), ("b", 0): rising((20, 40), 20, 60)},
        "of 'b', seed 0, is withheld: An area up to step 10",
    ),
}


@pytest.mark.parametrize("case", WITHHELD)
def test_what_cannot_be_told_is_withheld_with_a_sentence(tmp_path: Path, case: str) -> None:
    cells, sentence = WITHHELD[case]
    summary = summary_of(tmp_path, cells)
    assert any(sentence in note for note in summary.notes), summary.notes
    assert "Missing and left out" in write_report(tmp_path).read_text(encoding="utf-8")


def test_a_value_that_is_not_finite_is_withheld(tmp_path: Path) -> None:
    summary_of(tmp_path, {("a", 0): rising(LONG, 20, 60), ("a", 1): rising(LONG, 20, 60)})
    file = next((tmp_path / "cells").glob("*seed=1*"))
    kept = json.loads(file.read_text(encoding="utf-8"))
    history = kept["result"]["history"]
    history["points"] = from_columns(history["points"])
    history["points"][-1]["value"] = math.inf
    file.write_text(json.dumps(kept), encoding="utf-8")
    try:
        summary = summarise(tmp_path)
    except Exception as fault:  # noqa: BLE001 (a reader of cells may refuse it first)
        assert "cell" in str(fault).lower()  # noqa: PT017
    else:
        assert list(summary.arms[0].runs) == [0]
        assert "seed 1" in summary.notes[0]


values = st.one_of(st.none(), st.integers(-2, 2), st.sampled_from(["", " ", "x", "$a$", "_b", "é\n<"]))
curves = st.none() | st.builds(
    lambda steps, start, end, languages: rising(tuple(sorted(steps)), start, end, tuple(languages)),
    st.sets(st.integers(0, 50), min_size=1, max_size=4).filter(lambda steps: max(steps) > 0),
    *(st.floats(0, 100), st.floats(0, 100)),
    st.sets(st.sampled_from(["de", "ru"]), min_size=1),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cells=st.dictionaries(
        st.tuples(values, st.integers(0, 3) | st.sampled_from(["b", "c"])), curves, min_size=1, max_size=7
    )
)
def test_no_finished_cell_is_lost(tmp_path_factory: pytest.TempPathFactory, cells) -> None:
    summary = summary_of(tmp_path_factory.mktemp("s"), cells)
    assert sum(len(arm.cells) for arm in summary.arms) == len(cells)
    withheld = sum(note.startswith("The curve of") for note in summary.notes)
    assert sum(len(arm.runs) for arm in summary.arms) + withheld == sum(curve is not None for curve in cells.values())
    head, rows = summary.texts()
    assert all(len(row) == len(head) for row in rows)
    assert len({arm.name for arm in summary.arms}) == len(summary.arms)
    assert len(summary.to_pandas()) == len(rows)


def test_failed_cells_and_files_that_are_not_believed_are_said(tmp_path: Path) -> None:
    def trial(seed: int) -> Result:
        if seed == 1:
            raise ValueError("out of memory")
        return Result(measures={"score": float(seed)})

    with pytest.warns(UserWarning, match="1 of 3 cells failed"):
        folder = Study(trial, {"seed": range(3)}).run(tmp_path / "s", progress=False)
    file = cell_file(folder, {"seed": 2})
    file.write_text(file.read_text("utf-8").replace("2.0", "9.0"), "utf-8")
    with pytest.warns(UserWarning, match="left out"):
        summary = summarise(folder)
    assert [(dict(cell), why) for cell, why in summary.missing] == [
        ({"seed": 1}, "failed: ValueError: out of memory"),
        ({"seed": 2}, "not run"),
    ]
    assert summary.arms[0].measures["score"] == {0: 0.0}
    assert any("It was left out" in note for note in summary.notes)


def test_axes_and_measures_named_like_columns_keep_their_values(tmp_path: Path) -> None:
    def trial(seed: int, seeds: int, p: str) -> Result:
        return Result(measures={"difference": float(seed + seeds)})

    study = Study(trial, {"seed": [0, 1], "seeds": [5, 6], "p": ["low"]})
    table = summarise(study.run(tmp_path / "s", progress=False)).to_pandas()
    assert len(set(table.columns)) == len(table.columns)
    assert table["axis_seeds"].tolist() == [5, 6]
    assert table["axis_p"].tolist() == ["low", "low"]
    assert table["seeds"].tolist() == [2, 2]
    assert table["difference mean"].tolist() == [5.5, 6.5]
    assert table["difference to the reference mean"].tolist()[1] == 1.0
