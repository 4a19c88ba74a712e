"""What a report says: the answer from the numbers, what was not run, what never to conclude."""

from pathlib import Path

import numpy as np
import pytest
from planted_study import run, score_of

from xquality.analysis import adjust, exchange_rate
from xquality.errors import StudyError
from xquality.records import Result
from xquality.report import Summary, summarise, write_report
from xquality.study import Study


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("s") / "s")


@pytest.fixture(scope="module")
def summary(folder: Path) -> Summary:
    return summarise(folder)


def test_the_answer_has_the_effects_of_quality_and_quantity_the_speed_and_the_exchange_rate(summary: Summary) -> None:
    quality, quantity, speed, rates = summary.answer()
    assert quality.startswith(
        "Quality at equal quantity, in zero-shot accuracy: rate 0.5 instead of 0, at rows 400 gives -"
    )
    assert "6 pairs, r = " in quality
    assert "rate 1 instead of 0, at rows 400" in quality
    assert quantity.startswith(
        "Quantity at equal quality, in zero-shot accuracy: rows 25 instead of 400, at rate 0 gives -"
    )
    assert speed.startswith("Speed, in steps up to 20 until ")
    assert "one row of rate 0.5 is worth 0." in rates
    assert "on average over 100 to 400 rows, at equal steps" in rates
    assert "what one row of rate 1 is worth is withheld" in rates


def test_exchange_rates_are_those_of_the_cells_scores_by_number_of_rows(summary: Summary) -> None:
    half, nothing = summary.exchange_rates()
    clean, other = (
        {rows: {seed: score_of("Spanish", seed, rows, rate) + 2 for seed in range(6)} for rows in amounts}
        for rate, amounts in ((0.0, (25, 100, 400)), (0.5, (100, 400)))
    )
    direct = exchange_rate(clean, other)
    assert (half.rate.rate, half.rate.low, half.rate.high) == (direct.rate, direct.low, direct.high)
    assert 0.35 < direct.rate < 0.7  # half a row was planted
    assert (half.unit, half.why, half.equal_steps) == ("rows", None, True)
    assert set(half.effective()) == {100.0, 400.0}
    assert nothing.why is not None
    assert str(nothing).startswith("withheld: ")


def test_comparisons_are_paired_and_adjusted_among_those_of_their_kind(summary: Summary) -> None:
    found = summary.comparisons()
    kinds = [each.kind for each in found]
    assert [kinds.count(kind) for kind in ("reference", "quality", "quantity")] == [7, 4, 4]
    quality = [each for each in found if each.kind == "quality"]
    assert tuple(each.adjusted for each in quality) == adjust([each.difference.p for each in quality])
    first = quality[0]
    own, other = ([score_of("Spanish", seed, 100, rate) for seed in range(6)] for rate in (0.5, 0.0))
    assert first.name == "rate 0.5 instead of 0, at rows 100"
    assert first.difference.mean == pytest.approx(np.mean(own) - np.mean(other))
    assert first.correlation == pytest.approx(np.corrcoef(own, other)[0, 1])
    ratio = np.var(np.subtract(own, other), ddof=1) / (np.var(own, ddof=1) + np.var(other, ddof=1))
    assert first.variance_ratio == pytest.approx(ratio)


def test_what_was_not_run_and_what_never_to_conclude_are_said(summary: Summary) -> None:
    assert "rate 0.5, 1 at rows 25." in summary.not_run()
    cautions = " ".join(summary.cautions())
    for part in (
        "no effect where an interval holds 0",
        "another encoder",
        "rows 25: 32 times, 400: 2 times",
        "best of 8",
    ):
        assert part in cautions
    assert "bootstrap" not in cautions  # there are six seeds


def test_without_axes_of_quality_and_quantity_the_answer_is_about_the_arms(tmp_path: Path) -> None:
    def trial(arm: str, seed: int) -> Result:
        return Result(measures={"score": {"a": 50.0, "b": 55.0}[arm] + seed % 3 + (seed if arm == "a" else 0) / 9})

    summary = summarise(Study(trial, {"arm": ["a", "b"], "seed": range(4)}).run(tmp_path / "s", progress=False))
    (only,) = summary.answer()
    assert only.startswith("Beside 'a', in score: 'b' gives +4.8")
    assert any("names no axis of quality and of quantity" in sentence for sentence in summary.not_run())
    assert any("bootstrap" in sentence for sentence in summary.cautions())


def test_an_open_interval_is_called_open_with_what_would_have_been_found(tmp_path: Path) -> None:
    def trial(rate: float, rows: int, seed: int) -> Result:
        return Result(measures={"score": 50 + (-1) ** seed * (3 if rate else 1) + rows / 100})

    axes = {"rate": [0.0, 0.2], "rows": [10, 20], "seed": range(5)}
    study = Study(trial, axes, quantity="rows", quality="rate")
    quality = summarise(study.run(tmp_path / "s", progress=False)).answer()[0]
    assert "the direction is open, and a difference below" in quality
    assert "no effect" not in quality


def test_the_clean_quality_is_zero_or_named_or_chosen_by_the_scores_which_is_said(tmp_path: Path) -> None:
    def trial(chrf: int, rows: int, seed: int) -> Result:
        return Result(measures={"score": float(chrf + rows + seed)})

    axes = {"chrf": [40, 60], "rows": [10, 20], "seed": range(3)}
    folder = Study(trial, axes, quantity="rows", quality="chrf").run(tmp_path / "s", progress=False)
    chosen = summarise(folder)
    assert chosen.clean == 60
    assert any("counts as clean" in note for note in chosen.notes)
    named = summarise(folder, clean=40)
    assert (named.clean, named.notes) == (40, ())
    with pytest.raises(StudyError, match="no arm of the quality 50"):
        write_report(folder, clean=50)


def test_fractions_are_exchanged_as_shares_where_no_cell_says_its_rows(tmp_path: Path) -> None:
    def trial(fraction: float, rate: float, seed: int) -> Result:
        numbers = np.random.default_rng((round(100 * fraction), round(10 * rate), seed))
        return Result(measures={"score": 50 + 6 * np.log(fraction * (1 - rate)) + 0.3 * float(numbers.normal())})

    axes = {"fraction": [0.1, 0.3, 1.0], "rate": [0.0, 0.5], "seed": range(5)}
    study = Study(trial, axes, quantity="fraction", quality="rate")
    (found,) = summarise(study.run(tmp_path / "s", progress=False)).exchange_rates()
    assert found.unit == "fraction"
    assert "times as much clean data, on average over fraction 0.1 to 1" in str(found)
    assert found.rate.rate == pytest.approx(0.5, rel=0.1)
    assert found.effective()[1.0].rows == pytest.approx(0.5, rel=0.1)


def test_few_amounts_say_why_there_is_no_exchange_rate(tmp_path: Path) -> None:
    def trial(fraction: float, rate: float, seed: int) -> Result:
        return Result(measures={"score": fraction - rate + seed})

    axes = {"fraction": [0.5, 1.0], "rate": [0.0, 0.5], "seed": range(4)}
    study = Study(trial, axes, quantity="fraction", quality="rate")
    summary = summarise(study.run(tmp_path / "s", progress=False))
    assert any("was not measured: An exchange rate needs 3 clean amounts" in sentence for sentence in summary.not_run())


def test_the_page_shows_baselines_audits_trained_languages_and_how_it_was_made(folder: Path) -> None:
    page = write_report(folder).read_text(encoding="utf-8")
    assert "chance: 12.5" in page
    assert '<td data-value="0.6">0.60</td>' in page  # the audits' precision, 15 of 25
    assert "&lt;b&gt;sport&lt;/b&gt;" in page
    assert " †</td>" in page
    assert "def trial(seed: int, arm: str = &quot;Spanish&quot;" in page
    for part in ("digest of the trial", "host", "versions", "command"):
        assert f">{part}</td>" in page


def test_exports_are_the_figures_and_tables_of_the_page(folder: Path) -> None:
    write_report(folder, exports=True)
    files = {file.name for file in (folder / "report").iterdir()}
    assert {"arms.csv", "arms.tex", "rates.csv", "rate-1-raw.svg", "rate-1-shifted.svg", "map-1.svg"} <= files
    (folder / "report" / "old.svg").write_text("")
    (folder / "report" / "mine.txt").write_text("")
    write_report(folder, exports=True)
    assert {file.name for file in (folder / "report").iterdir()} == files | {"mine.txt"}
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert (folder / "report" / "rate-1-raw.svg").read_text(encoding="utf-8").strip() in page
