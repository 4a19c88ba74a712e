"""Fitted: saved whole, loaded equal."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from xquality import toy
from xquality._stored import write_checksums
from xquality.errors import DamagedError, ModelError, SettingError
from xquality.evaluation import evaluate
from xquality.models.model import weights_digest
from xquality.tasks import Task
from xquality.train import Fitted, Mixture, Stage, fit


@pytest.fixture(scope="module")
def fitted(encoder: Path) -> Fitted:
    return fit([Stage(toy.topics, steps=5, batch_size=8)], model=encoder, seed=1, threads=1, evaluate_on=["de"])


def test_it_is_loaded_as_it_was_saved(fitted: Fitted, tmp_path: Path) -> None:
    again = Fitted.load(fitted.save(tmp_path / "kept"))
    assert again.model.digest == fitted.model.digest
    assert again.history.to_dict() == fitted.history.to_dict()
    assert evaluate(again, toy.topics, ["de"]) == evaluate(fitted, toy.topics, ["de"])


def test_weights_are_safetensors_and_nothing_is_pickled(fitted: Fitted, tmp_path: Path) -> None:
    endings = {file.suffix for file in fitted.save(tmp_path / "kept").rglob("*") if file.is_file()}
    assert endings == {".safetensors", ".json"}


def test_nothing_is_overwritten(fitted: Fitted, tmp_path: Path) -> None:
    folder = fitted.save(tmp_path / "kept")
    with pytest.raises(SettingError):
        fitted.save(folder)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        Fitted.load(tmp_path)


def flip_a_bit(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.write_bytes(content)


HARMS: dict[str, Callable[[Path], object]] = {
    "flip": flip_a_bit,
    "cut": lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    "empty": lambda file: file.write_bytes(b""),
    "no JSON": lambda file: file.write_text("{"),
    "a list": lambda file: file.write_text("[]"),
    "null": lambda file: file.write_text("null"),
    "an object": lambda file: file.write_text("{}"),
    "a deep list": lambda file: file.write_text("[" * 100_000),
    "no text": lambda file: file.write_bytes(b"\xff\xfe"),
    "delete": Path.unlink,
    "a folder": lambda file: (file.unlink(), file.mkdir()),
}
FILES = (
    "model.safetensors",
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "xquality-model.json",
    "history.json",
    "checksums.json",
)


@pytest.mark.parametrize("checksums", ["kept", "written again"])
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS)
def test_what_was_changed_is_refused_or_the_same(
    fitted: Fitted, tmp_path: Path, name: str, harm: Callable[[Path], object], checksums: str
) -> None:
    folder = fitted.save(tmp_path / "kept")
    harm(folder / name)
    if checksums == "written again" and name != "checksums.json":
        (folder / "checksums.json").unlink()
        write_checksums(folder, {})
        with contextlib.suppress(DamagedError, ModelError):
            again = Fitted.load(folder)
            assert weights_digest(again.model.network) == weights_digest(fitted.model.network)
        return
    for load in (Fitted.load, lambda folder: evaluate(folder, toy.topics, ["de"])):
        with pytest.raises((DamagedError, ModelError)):
            load(folder)


def test_weights_that_are_not_those_of_the_history_are_not_saved(encoder: Path, tmp_path: Path) -> None:
    changed = fit([Stage(toy.topics, steps=1)], model=encoder, seed=1, threads=1)
    next(changed.model.network.parameters()).data += 1
    with pytest.raises(ModelError, match="changed after training"):
        changed.save(tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


TASKS = (toy.topics, toy.entities, toy.questions, toy.choices)


@pytest.mark.parametrize("task", [*TASKS, Mixture([toy.topics, toy.entities])], ids=lambda task: task.name)
def test_every_kind_of_head_is_loaded_as_it_was_saved(encoder: Path, tmp_path: Path, task: Task | Mixture) -> None:
    trained = fit([Stage(task, steps=4, batch_size=2)], model=encoder, seed=1, threads=1)
    assert Fitted.load(trained.save(tmp_path / "kept")).model.digest == trained.model.digest


def test_the_languages_are_those_of_the_stages(fitted: Fitted) -> None:
    assert fitted.languages == ("en",)
