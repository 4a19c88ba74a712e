"""What a person sees of a training: the bar, the log, TensorBoard, and what callbacks are given."""

import io
import logging
import math
from pathlib import Path

import pytest
from transformers import EarlyStoppingCallback, TrainerCallback

from xquality import toy
from xquality.errors import SettingError
from xquality.models import load_encoder
from xquality.train import Selection, Stage, fit
from xquality.train.arguments import make_arguments

SETTINGS = {"seed": 1, "threads": 1}


class Recorder(TrainerCallback):
    """Keeps what it is told, and stops after a step."""

    def __init__(self, stop: int | None = None) -> None:
        self.stop, self.epochs, self.ends, self.begins, self.logs = stop, [], [], 0, []

    def on_epoch_begin(self, args, state, control, **others):
        self.begins += 1

    def on_step_end(self, args, state, control, **others):
        self.epochs.append(state.epoch)
        if state.global_step == self.stop:
            control.should_training_stop = True

    def on_epoch_end(self, args, state, control, **others):
        self.ends.append(state.epoch)

    def on_train_end(self, args, state, control, **others):
        self.total = state.num_train_epochs

    def on_log(self, args, state, control, logs=None, **others):
        self.logs.append((state.global_step, dict(logs)))


@pytest.mark.parametrize("selection", [Selection(), Selection("best_source", every=5), Selection("average", every=5)])
def test_a_stage_that_a_callback_stops_is_measured_where_it_stops(encoder: Path, selection: Selection) -> None:
    stage = Stage(toy.topics, steps=20, batch_size=8, callbacks=[Recorder(stop=7)], selection=selection)
    history = fit([stage], model=encoder, evaluate_on=["de"], **SETTINGS).history
    assert history.stages[0]["steps"] == 7
    assert {point.language for point in history.points if point.step == 7} == {"de", "en"}
    if selection.rule == "best_source":
        assert [step for step, _ in history.stages[0]["selection"]["looks"]] == [5, 7]
    if selection.rule == "average":
        assert history.stages[0]["selection"]["chosen_step"] == [5, 7]


@pytest.mark.parametrize("epochs", [1, 2.5, 3])
def test_callbacks_see_the_epochs_of_the_stage(encoder: Path, epochs: float) -> None:
    recorder, rows = Recorder(), toy.topics.load("en", "train").select(range(36))
    fit([Stage(toy.topics, rows, epochs=epochs, batch_size=8, callbacks=[recorder])], model=encoder, **SETTINGS)
    steps = math.ceil(epochs * 36 / 8)
    assert recorder.epochs == pytest.approx([step * 8 / 36 for step in range(1, steps + 1)])
    assert len(recorder.ends) == recorder.begins == math.ceil(epochs)
    assert [math.floor(epoch) for epoch in recorder.ends[:-1]] == list(range(1, math.ceil(epochs)))
    assert recorder.total == math.ceil(steps * 8 / 36)


def test_the_log_of_callbacks_has_the_loss_and_the_probe(encoder: Path) -> None:
    recorder = Recorder()
    stage = Stage(toy.topics, steps=12, batch_size=8, callbacks=[recorder], arguments={"logging_steps": 4})
    history = fit([stage], model=encoder, evaluate_on=["de"], **SETTINGS).history
    assert [step for step, logs in recorder.logs if "loss" in logs] == [4, 8, 12]
    told = [(step, logs["eval_de_accuracy"]) for step, logs in recorder.logs if "eval_de_accuracy" in logs]
    assert told == [(point.step, point.value) for point in history.points if point.metric == "accuracy"]


def test_early_stopping_of_the_trainer_is_a_setting_error_that_names_the_selection(encoder: Path) -> None:
    for callback in (EarlyStoppingCallback, EarlyStoppingCallback(3)):
        with pytest.raises(SettingError, match="best_source"):
            fit([Stage(toy.topics, steps=1, callbacks=[callback])], model=encoder, **SETTINGS)


def test_reporting_decides_no_weights_and_leaves_the_store_usable(
    encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def train(store: str | None, **arguments: object):
        stage = Stage(toy.topics, steps=6, batch_size=8, arguments=arguments)
        return fit([stage], model=encoder, store=store, evaluate_on=["de"], **SETTINGS)

    quiet = train(None)
    told = train("store", report_to="none", logging_steps=1, run_name="one", disable_tqdm=True, log_level="error")
    assert told.history == quiet.history
    monkeypatch.setattr("transformers.Trainer.train", lambda *_, **__: pytest.fail("a stage was trained"))
    assert train("store").history == train("store", logging_strategy="no", logging_dir="x").history == quiet.history


@pytest.mark.parametrize("folder", ["named", None])
def test_tensorboard_has_the_loss_and_the_probe(
    encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str | None
) -> None:
    reading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    monkeypatch.chdir(tmp_path)
    arguments = {"report_to": "tensorboard", "logging_steps": 2, **({"logging_dir": folder} if folder else {})}
    stage = Stage(toy.topics, steps=6, batch_size=8, arguments=arguments)
    history = fit([stage], model=encoder, evaluate_on=["de"], **SETTINGS).history
    (events,) = (tmp_path / (folder or "runs")).rglob("events.out.tfevents.*")
    read = reading.EventAccumulator(str(events.parent))
    read.Reload()
    assert [event.step for event in read.Scalars("train/loss")] == [2, 4, 6]
    measured = [(event.step, event.value) for event in read.Scalars("eval/de_accuracy")]
    expected = [(point.step, point.value) for point in history.points if point.metric == "accuracy"]
    assert measured == [(step, pytest.approx(value)) for step, value in expected]
    assert expected[0][0] == 0


@pytest.mark.parametrize("name", ["nowhere", ["tensorboard", "nowhere"], "comet_ml"])
def test_a_tool_that_is_not_there_is_refused_before_anything_is_trained(encoder: Path, name: object) -> None:
    chain = [Stage(toy.topics, steps=1), Stage(toy.topics, steps=1, arguments={"report_to": name})]
    with pytest.raises(SettingError, match="report"):
        fit(chain, model=encoder, **SETTINGS)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("progress", "stream", "is_shown"),
    [(None, Terminal, True), (None, io.StringIO, False), (True, io.StringIO, True), (False, Terminal, False)],
)
def test_a_bar_shows_step_loss_and_time_left_where_somebody_looks(
    encoder: Path, monkeypatch: pytest.MonkeyPatch, progress: bool | None, stream: type[io.StringIO], is_shown: bool
) -> None:
    shown = stream()
    monkeypatch.setattr("sys.stderr", shown)
    fit([Stage(toy.topics, steps=6, batch_size=8)], model=encoder, progress=progress, **SETTINGS)
    parts = ("toy.topics", "6/6", "loss=", "<")
    assert [part in shown.getvalue() for part in parts] == [is_shown] * len(parts)
    assert bool(shown.getvalue()) == is_shown


def test_the_logger_says_what_is_trained_measured_and_found(
    encoder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        with caplog.at_level(logging.INFO, logger="xquality"):
            fit([Stage(toy.topics, steps=2)], model=encoder, store=tmp_path, evaluate_on=["de"], **SETTINGS)
    lines = [record.getMessage() for record in caplog.records if record.name == "xquality"]
    assert "Stage 1 of 1: toy.topics in en." in lines
    assert any(line.startswith("Step 2: de accuracy") for line in lines)
    assert "trained before" in lines[-1]


def test_a_model_object_is_refused_with_what_to_give(encoder: Path) -> None:
    network, _ = load_encoder(encoder)
    for model in (network, None, 7):
        with pytest.raises(SettingError, match="must be a folder or a Hub id"):
            fit([Stage(toy.topics, steps=1)], model=model, **SETTINGS)


def test_reports_come_about_fifty_times_where_no_number_is_given(tmp_path: Path) -> None:
    told = Stage(toy.topics, arguments={"report_to": "none"})
    assert make_arguments(told, 1000, str(tmp_path), 0, 1.0).logging_steps == 20
