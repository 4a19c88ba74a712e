"""Probe: when to measure, and what evaluate_on may be."""

import itertools
from pathlib import Path

import pytest

from xquality import toy
from xquality.errors import SettingError, SourceError, TrainingError
from xquality.train import Probe, Stage, fit
from xquality.train.probe import as_probe


@pytest.mark.parametrize("total", [1, 2, 5, 60, 10_000])
def test_steps_begin_at_0_and_end_at_the_last_without_repeats(total: int) -> None:
    steps = Probe(points=10).steps(total)
    assert steps[0] == 0
    assert steps[-1] == total
    assert list(steps) == sorted(set(steps))


def test_steps_are_dense_at_the_start() -> None:
    steps = Probe(points=9).steps(1000)
    assert all(later / earlier < 5 for earlier, later in itertools.pairwise(steps[1:]))


def test_languages_and_tasks_are_understood_as_probes() -> None:
    assert as_probe(["de", "sw"]) == Probe(languages=("de", "sw"))
    assert as_probe(toy.topics) == Probe(task=toy.topics)
    assert as_probe(None) is None
    with pytest.raises(SettingError):
        as_probe("de")


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(
    ("probe", "error"),
    [
        (Probe(task=toy.inference), TrainingError),
        (Probe(languages=("xx",)), SettingError),
        (Probe(split="nothing"), SourceError),
    ],
)
def test_a_probe_that_could_not_be_measured_is_refused_before_training(
    encoder: Path, probe: Probe, error: type[Exception]
) -> None:
    with pytest.raises(error):
        fit([Stage(toy.inference, steps=1), Stage(toy.topics, steps=1)], model=encoder, seed=1, evaluate_on=probe)


@pytest.mark.parametrize("settings", [{"languages": "de"}, {"rows": 0}, {"points": 1}, {"task": "toy.topics"}])
def test_settings_out_of_range_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(SettingError):
        Probe(**settings)
