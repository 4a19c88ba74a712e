"""What is printed fits on a screen and is for people; notebooks get a table; numbers come out for pandas and LaTeX."""

import html.parser

import pytest

import xquality as xq
from xquality import toy
from xquality.models import tiny_encoder
from xquality.records import History, Point, Result, Score
from xquality.report import summarise
from xquality.study import Study
from xquality.study.trial_identity import trial_digest
from xquality.train import Probe, Stage, fit


def trial(rate: float, seed: int) -> Result:
    stages = ({"task": "t", "languages": ["en"], "rows": 5, "steps": 9, "records": ["long"] * 400},)
    points = tuple(Point(0, step, "t", "de", "accuracy", 10.0 * step - rate, 9) for step in range(5))
    scores = tuple(Score("t", "de", f"m{number}", 5.0 + seed, 9) for number in range(50))
    return Result(scores, History(stages, points), {"score": 1.0 - rate}, {"long": "x" * 4000})


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    folder = tmp_path_factory.mktemp("s")
    rows = toy.sentences.load("de", "train")["source_sentence"][:100]
    encoder = tiny_encoder(rows, folder=folder / "encoder", pieces=200, width=16, steps=2)
    noisy = (xq.LabelNoise(rate=0.2) >> xq.Subsample(fraction=0.3))(toy.topics.load("es", "train"), seed=1)
    stage = Stage(toy.topics, noisy, "es", steps=2, batch_size=8)
    fitted = fit([stage], model=encoder, seed=0, evaluate_on=Probe(languages=("de", "en"), rows=10), threads=1)
    study = Study(trial, {"rate": [0.0, 0.1], "seed": range(20)})
    summary = summarise(study.run(folder / "study", progress=False))
    flagged = xq.CleanlabFilter(action="flag")(noisy, seed=1)
    return {
        "history of data": xq.history(noisy),
        "record": xq.history(noisy)[0],
        "audit": xq.audit(flagged),
        "model": fitted.model,
        "fitted": fitted,
        "training history": fitted.history,
        "result": trial(0.0, 1),
        "study": study,
        "summary": summary,
        "arm": summary.arms[0],
        "finished cell": summary.arms[0].cells[0].result,
    }


@pytest.mark.parametrize("columns", [120])
def test_what_is_printed_fits_on_a_few_lines(values: dict[str, object], columns: int) -> None:
    for name, value in values.items():
        lines = repr(value).splitlines()
        assert len(lines) <= 3, name
        assert all(len(line) <= 2 * columns for line in lines), name
        assert " at 0x" not in repr(value), name


def test_the_history_of_data_prints_one_line_for_each_record(values: dict[str, object]) -> None:
    found = values["history of data"]
    assert isinstance(found, tuple)
    assert repr(found).splitlines() == [f"1. {found[0]}", f"2. {found[1]}"]
    assert "LabelNoise(" in str(found[0])
    assert "seed 1, 1,000 -> 1,000 rows, 200 changed, realised rate 0.2" in str(found[0])
    assert found == tuple(found)
    assert found.to_pandas()["rows_after"].tolist() == [1000, 300]
    assert repr(xq.history(toy.topics.load("en", "test"))) == "()"


class Balanced(html.parser.HTMLParser):
    """Raises where tags are not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize(
    "name", ["history of data", "audit", "model", "fitted", "training history", "study", "summary"]
)
def test_notebooks_get_html(values: dict[str, object], name: str) -> None:
    parser = Balanced()
    parser.feed(values[name]._repr_html_())
    assert not parser.open


def test_numbers_come_out_as_tables(values: dict[str, object]) -> None:
    points = values["training history"].to_pandas()
    assert list(points.columns) == ["stage", "step", "task", "language", "metric", "value", "rows"]
    assert len(points) == len(values["training history"].points)
    assert len(History().to_pandas()) == 0
    summary = values["summary"].to_pandas()
    assert summary.loc["rate 0.1", ["seeds", "score mean", "difference count"]].tolist() == pytest.approx([20, 0.9, 20])
    assert values["summary"].to_latex().startswith("\\begin{tabular}{l")
    assert values["audit"].to_pandas().index[-1] == "all"
    assert values["audit"].to_latex().endswith("\\end{tabular}")


def test_a_short_repr_hides_nothing_from_the_digest_of_a_trial() -> None:
    def digest_with(bound: object) -> str:
        def run(seed: int) -> object:
            return bound, seed

        return trial_digest(run)

    first, second = (History((), (Point(0, 1, "t", "de", "accuracy", value, 9),)) for value in (1.0, 2.0))
    assert repr(first) == repr(second)
    assert digest_with(first) != digest_with(second)
    scores = [Score("t", "de", "accuracy", 5.0, 9, {"data": name}) for name in "ab"]
    assert digest_with(scores[0]) != digest_with(scores[1])
