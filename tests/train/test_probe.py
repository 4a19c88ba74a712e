"""Probe: when to measure, and what evaluate_on may be."""

import itertools
from pathlib import Path
from typing import Any

import pytest
import torch

from xquality import toy
from xquality.errors import ModelError, SettingError, SourceError, TrainingError
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


@pytest.mark.parametrize("arguments", [{}, {"bf16": True}])
def test_points_are_measured_in_the_precision_of_the_probe_whatever_the_stage_trains_in(
    encoder: Path, arguments: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    from xquality.heads import SequenceHead

    seen: list[bool] = []
    predict = SequenceHead.predict

    def spy(head: SequenceHead, outputs: Any, batch: Any) -> list[int]:
        assert outputs.logits.dtype == torch.float32
        seen.append(bool((outputs.logits == outputs.logits.bfloat16().float()).all()))
        return predict(head, outputs, batch)

    monkeypatch.setattr(SequenceHead, "predict", spy)
    stage = Stage(toy.topics, steps=2, batch_size=8, arguments=arguments)
    weights = set()
    for precision in ("float32", "bfloat16"):
        seen.clear()
        probe = Probe(languages=("de",), rows=20, precision=precision)
        fitted = fit([stage], model=encoder, seed=1, threads=1, evaluate_on=probe)
        assert seen == [precision == "bfloat16"] * 3
        weights.add(fitted.model.digest)
    assert len(weights) == 1


def test_the_default_precision_is_not_printed_and_another_one_is() -> None:
    assert "precision" not in repr(Probe())
    assert repr(Probe(precision="bfloat16")).endswith("root=None, precision='bfloat16')")
    with pytest.raises(SettingError, match="bfloat16"):
        Probe(precision="bf16")


def test_a_probe_reads_the_layer_that_it_names(encoder: Path, tmp_path: Path) -> None:
    def measure(**settings: Any) -> list[float]:
        probe = Probe(languages=("es",), task=toy.sentences, rows=None, points=2, **settings)
        stage = Stage(toy.topics, steps=2, batch_size=8)
        fitted = fit([stage], model=encoder, seed=1, threads=1, evaluate_on=probe, store=tmp_path)
        return [point.value for point in fitted.history.points if point.metric == "accuracy"]

    embeddings, last = measure(layer=0), measure(layer=-1)
    assert embeddings != last
    assert measure() == last  # an encoder that is neither of 12 nor of 24 layers
    assert "layer" not in repr(Probe())
    assert "layer=0" in repr(Probe(layer=0))


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(
    ("probe", "error", "text"),
    [
        (Probe(layer=1), SettingError, "reads no layer"),
        (Probe(task=toy.sentences, layer=9), ModelError, "layer 9"),
    ],
)
def test_a_layer_that_cannot_be_read_is_refused_before_training(
    encoder: Path, probe: Probe, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        fit([Stage(toy.topics, steps=1)], model=encoder, seed=1, evaluate_on=probe)
