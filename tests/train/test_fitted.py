"""Fitted: saved whole, loaded equal."""

import json
from pathlib import Path

import pytest

from xquality import toy
from xquality.errors import DamagedError, ModelError, SettingError
from xquality.evaluation import evaluate
from xquality.train import Fitted, Stage, fit


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


def test_a_folder_without_a_model_or_with_a_damaged_history_is_refused(fitted: Fitted, tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        Fitted.load(tmp_path)
    folder = fitted.save(tmp_path / "kept")
    (folder / "history.json").write_text(json.dumps({"stages": []})[:-3], encoding="utf-8")
    with pytest.raises(DamagedError):
        Fitted.load(folder)


def test_the_languages_are_those_of_the_stages(fitted: Fitted) -> None:
    assert fitted.languages == ("en",)
