"""MiningHead: corpora and gold pairs, a threshold tuned elsewhere and recorded, what is refused."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from datasets import Dataset

from xquality import toy
from xquality.errors import ColumnError, SettingError
from xquality.evaluation.evaluation_set import load_scored_rows
from xquality.heads import MiningHead
from xquality.heads.mining import join_corpora
from xquality.metrics import retrieval
from xquality.models import load_encoder

HEAD = toy.mining.head
ALONE = MiningHead(layer=0, tuned_on=None, k=2)


def small() -> Dataset:
    source = Dataset.from_dict({"id": ["s0", "s1", "s2"], "sentence": ["uno", "dos", "tres"]})
    target = Dataset.from_dict({"id": ["t0", "t1", "t2"], "sentence": ["two", "one", "nine"]})
    return join_corpora(source, target, Dataset.from_dict({"source_id": ["s0", "s1"], "target_id": ["t1", "t0"]}))


def vectors(*rows: list[float]) -> list[dict[int, np.ndarray]]:
    return [{0: np.array(row, np.float32)} for row in rows]


FOUND = vectors([1, 0, 0], [0, 1, 0], [0, 0.3, 1], [0, 1, 0.1], [1, 0.1, 0], [0.5, 0.5, 0.7])


def test_corpora_and_gold_pairs_become_one_dataset() -> None:
    rows = small()
    assert rows["pairs"][:] == [["t1"], ["t0"], [], [], [], []]
    assert rows["side"][:] == ["source"] * 3 + ["target"] * 3
    HEAD.check(rows)


def test_the_split_that_is_tuned_on_comes_along() -> None:
    rows = load_scored_rows(toy.mining, "es", "test")
    assert len(rows) == 700 + 500
    assert rows["part"][:].count("tuning") == 500
    scored = [row["sentence"] for row in rows if row["part"] == "scored" and row["side"] == "source"]
    assert scored == toy.mining.load("es", "source")["sentence"][:]
    alone = load_scored_rows(
        dataclasses.replace(toy.mining, head=dataclasses.replace(HEAD, tuned_on=None)), "es", "test"
    )
    assert set(alone["part"]) == {"scored"}


def test_scores_are_those_of_mining_and_of_the_best_threshold(encoder: Path) -> None:
    _, tokenizer = load_encoder(encoder)
    gold = ALONE.encode(small(), tokenizer, 64).references_or_targets
    values = {value.metric: value for value in ALONE.score(FOUND, gold, "es")}
    source, target = (np.stack([row[0] for row in side]) for side in (FOUND[:3], FOUND[3:]))
    mined = [(score, f"s{row}", f"t{found}") for score, row, found in retrieval.mine(source, target, k=2)]
    expected = retrieval.best_threshold(mined, [("s0", "t1"), ("s1", "t0")], at_end="keep")
    assert {name: value.value for name, value in values.items()} == {
        name: expected[name] for name in ("f1", "precision", "recall")
    }
    assert values["f1"].signature["threshold"] == pytest.approx(expected["threshold"], abs=1e-6)
    assert values["f1"].signature["tuned_on"] == "the scored split"
    assert values["f1"].signature["gold"] == 2
    for value in values.values():
        above, below = value.statistics[:, 0].sum(0)
        assert 100 * above / below == pytest.approx(value.value)


def test_the_threshold_is_that_of_the_tuning_part(encoder: Path) -> None:
    _, tokenizer = load_encoder(encoder)
    rows = small()
    parts = [rows.add_column("part", [name] * 6) for name in ("scored", "tuning")]
    both = Dataset.from_list([*parts[0], *parts[1]])
    gold = ALONE.encode(both, tokenizer, 64).references_or_targets
    close = vectors([1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0], [0.6, 0.6, 0.6])  # all scores are higher
    strict = dataclasses.replace(ALONE, tuned_on="validation").score([*FOUND, *close], gold, "es")[0]
    alone = ALONE.score(FOUND, gold[:6], "es")[0]
    assert strict.signature["tuned_on"] == "validation"
    assert strict.signature["threshold"] > alone.signature["threshold"]
    assert len(strict.statistics) == 6  # the tuning part is no part of the score


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.remove_columns("pairs"),
        lambda rows: rows.remove_columns("id"),
        lambda rows: rows.map(lambda _: {"side": "source"}),
        lambda rows: rows.map(lambda _: {"id": "same"}),
    ],
)
def test_rows_it_cannot_read_are_refused(change) -> None:
    with pytest.raises(ColumnError):
        HEAD.check(change(small()))
    with pytest.raises(ColumnError):
        join_corpora(Dataset.from_dict({"id": ["a"]}), small(), small())


@pytest.mark.parametrize("settings", [{"k": 0}, {"margin": "wide"}, {"heaps": ("a", "b")}, {"heaps": "abc"}])
def test_settings_out_of_range_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(SettingError):
        MiningHead(**settings)


@pytest.mark.parametrize(("pair", "side"), [(("de-2", "en-7"), "source"), (("de-1", "en-8"), "target")])
def test_gold_pairs_of_sentences_that_no_corpus_has_are_refused(pair, side) -> None:
    source = Dataset.from_dict({"id": ["de-1"], "sentence": ["Es regnet."]})
    target = Dataset.from_dict({"id": ["en-7"], "sentence": ["It rains."]})
    gold = Dataset.from_dict({"source_id": [pair[0]], "target_id": [pair[1]]})
    with pytest.raises(ColumnError, match=side):
        join_corpora(source, target, gold)
