"""What fit does before training: load and check all data once, and decide by its content which stage is which."""

from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset

from xquality import toy
from xquality.errors import ColumnError, LabelError, TrainingError
from xquality.heads import SequenceHead
from xquality.models import load_encoder
from xquality.tasks import Task
from xquality.train import Probe, Selection, Stage, fit
from xquality.train.execution import describe, stage_digest
from xquality.train.preparation import TrainingRows, load_rows, prepare


def digest(encoder: Path, rows: Dataset, seed: int = 1, probe: Probe | None = None, **settings: Any) -> str:
    """Return the name of a stage in the store."""
    chain = prepare(
        [Stage(toy.topics, rows, "es", **settings)], model=encoder, seed=seed, probe=probe, planned_stages=0
    )
    return stage_digest(chain.stages[0], describe(chain.stages[0], chain.start))


def test_each_setting_seed_row_and_measurement_makes_another_stage(encoder: Path, spanish: Dataset) -> None:
    plain = digest(encoder, spanish, steps=5)
    assert plain == digest(encoder, spanish, steps=5) == digest(encoder, spanish.shuffle(seed=1), steps=5)
    others = [
        digest(encoder, spanish, steps=6),
        digest(encoder, spanish, steps=5, schedule="linear"),
        digest(encoder, spanish, steps=5, learning_rate=1e-3),
        digest(encoder, spanish, steps=5, group_by_length=True),
        digest(encoder, spanish, steps=5, selection=Selection("average")),
        digest(encoder, spanish, steps=5, selection=Selection("best_source")),
        digest(encoder, spanish, steps=5, selection=Selection("best_source", rows=50)),
        digest(encoder, spanish, steps=5, arguments={"weight_decay": 0.1}),
        digest(encoder, spanish, seed=2, steps=5),
        digest(encoder, spanish.select(range(100)), steps=5),
        digest(encoder, spanish, steps=5, probe=Probe(("de",))),
        digest(encoder, spanish, steps=5, probe=Probe(("de",), points=5)),
        digest(encoder, spanish, steps=5, probe=Probe(("de",), rows=50)),
    ]
    assert len({plain, *others}) == 1 + len(others)


def test_the_models_recommended_learning_rate_is_the_default(encoder: Path, spanish: Dataset) -> None:
    assert load_encoder(encoder)[0].config.recommended_learning_rate == 2e-3
    assert digest(encoder, spanish) == digest(encoder, spanish, learning_rate=2e-3)


def rows_of(data: Dataset) -> TrainingRows:
    return load_rows(Stage(toy.topics, data, "es").sources[0])


def test_the_order_and_columns_that_are_not_read_change_nothing(spanish: Dataset) -> None:
    other = spanish.shuffle(seed=1).add_column("note", ["x"] * len(spanish))
    assert rows_of(other).digest == rows_of(spanish).digest


def test_labels_uids_and_weights_count(spanish: Dataset) -> None:
    flipped = spanish.map(lambda row: {"label": (row["label"] + 1) % 6})
    weighted = spanish.add_column("weight", [0.5] * len(spanish))
    renumbered = spanish.map(lambda row: {"uid": row["uid"] + 1})
    assert len({rows_of(data).digest for data in (spanish, flipped, weighted, renumbered)}) == 4


@pytest.mark.usefixtures("no_training")
def test_rows_that_cannot_be_trained_on_are_refused_before_an_earlier_stage_is_trained(
    encoder: Path, spanish: Dataset
) -> None:
    def fit_last(data: Dataset) -> None:
        fit([Stage(toy.topics, steps=1), Stage(toy.topics, data, "es", steps=1)], model=encoder, seed=1)

    with pytest.raises(TrainingError, match="no rows"):
        fit_last(spanish.select([]))
    with pytest.raises(ColumnError):
        fit_last(spanish.remove_columns("text"))
    with pytest.raises(LabelError):
        fit_last(spanish.map(lambda _: {"label": -1}))


@pytest.mark.usefixtures("no_training")
def test_rows_that_are_empty_once_encoded_are_refused_before_an_earlier_stage_is_trained(encoder: Path) -> None:
    entities = toy.entities.load("es", "train").select(range(3))
    entities = entities.map(lambda _: {"tokens": [], "ner_tags": []}, features=entities.features)
    stages = [Stage(toy.topics, steps=1), Stage(toy.entities, entities, "es", steps=1)]
    with pytest.raises(TrainingError, match="nothing to train on"):
        fit(stages, model=encoder, seed=1)


def test_each_split_is_loaded_once_and_a_stage_in_the_store_encodes_no_training_rows(
    encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[tuple[str, str, str]] = []
    encoded: list[int] = []
    load, encode_rows = Task.load, SequenceHead.encode

    def spy_load(task: Task, language: str, split: str, root: object = None) -> Dataset:
        loaded.append((task.name, language, split))
        return load(task, language, split, root)

    def spy_encode(head: SequenceHead, data: Dataset, *others: Any) -> Any:
        encoded.append(len(data))
        return encode_rows(head, data, *others)

    monkeypatch.setattr(Task, "load", spy_load)
    monkeypatch.setattr(SequenceHead, "encode", spy_encode)
    chosen = Selection("best_target", every=2, languages=("de",), rows=30)
    stages = [Stage(toy.topics, language="es", steps=2), Stage(toy.topics, steps=2, selection=chosen)]
    probe = Probe(("de", "sw"), rows=20, every_stage=True)
    fit(stages, model=encoder, seed=1, threads=1, store=tmp_path, evaluate_on=probe)
    expected = [("de", "validation"), ("en", "train"), ("es", "train"), ("sw", "validation")]
    assert sorted(loaded) == [("toy.topics", language, split) for language, split in expected]
    assert sorted(encoded) == [20, 20, 30, 1000, 1000]
    encoded.clear()
    fit(stages, model=encoder, seed=1, threads=1, store=tmp_path, evaluate_on=probe)
    assert sorted(encoded) == [20, 20, 30]
