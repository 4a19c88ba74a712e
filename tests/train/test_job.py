"""Job: what decides a stage's outcome is in its description."""

from pathlib import Path

from datasets import Dataset

from xquality import toy
from xquality.models import Model, load_encoder
from xquality.train import Selection, Stage
from xquality.train.job import Job
from xquality.train.part import PartRows


def described(encoder: Path, rows: Dataset, seed: int = 1, **settings: object) -> dict[str, object]:
    stage = Stage(toy.topics, rows, "es", **settings)
    start = Model(*load_encoder(encoder), 0, {})
    return Job(stage, tuple(map(PartRows.of, stage.parts)), seed, None, 100).described(start)


def test_each_setting_seed_and_datum_changes_the_description(encoder: Path, spanish: Dataset) -> None:
    plain = described(encoder, spanish, steps=5)
    assert plain == described(encoder, spanish, steps=5)
    others = [
        described(encoder, spanish, steps=6),
        described(encoder, spanish, steps=5, schedule="linear"),
        described(encoder, spanish, steps=5, learning_rate=1e-3),
        described(encoder, spanish, steps=5, group_by_length=True),
        described(encoder, spanish, steps=5, selection=Selection("average")),
        described(encoder, spanish, steps=5, arguments={"weight_decay": 0.1}),
        described(encoder, spanish, seed=2, steps=5),
        described(encoder, spanish.select(range(100)), steps=5),
    ]
    assert all(one != plain for one in others)


def test_the_models_recommended_learning_rate_is_taken_where_none_is_named(encoder: Path, spanish: Dataset) -> None:
    assert described(encoder, spanish)["learning_rate"] == 2e-3
    assert described(encoder, spanish, learning_rate=1e-5)["learning_rate"] == 1e-5
