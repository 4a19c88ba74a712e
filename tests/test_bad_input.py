"""Invalid input, one case a line: each raises a typed error with one sentence, before any work is done."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

import xquality as xq
from xquality import errors, toy
from xquality.analysis import (
    area_under_curve,
    bootstrap,
    mean_interval,
    paired_difference,
    speed_up,
    steps_to,
    steps_to_fraction,
)
from xquality.errors import XqualityError
from xquality.evaluation import average, difference, evaluate, interval, table, transfer_gap, zero_shot_mean
from xquality.heads import MaskedLMHead, MiningHead, RetrievalHead, SpanHead
from xquality.metrics import classification, question_answering, retrieval, tagging
from xquality.models import tiny_encoder, trim_encoder
from xquality.probabilities import from_embeddings, from_fine_tuning
from xquality.records import History, Record, Score
from xquality.report import write_report
from xquality.study import Study
from xquality.tasks import anli_plus, bucc, ccg, sib200, udpos, xcopa, xnli, xquad
from xquality.train import Fitted, Probe, Stage, fit
from xquality.xtreme import score_folder, write_submission

FEATURES = Features({"text": Value("string"), "label": ClassLabel(names=["a", "b"])})
ROWS = Dataset.from_dict({"text": [f"t{row}" for row in range(20)], "label": [0, 1] * 10}, features=FEATURES)
TOPICS = toy.topics.load("es", "test").select(range(20))
NOTHING = Path("/nonexistent")


def trial(seed: int) -> xq.Result:
    return xq.Result(measures={"score": float(seed)})


def no_fit(stages: object = None, **others: object) -> object:
    """Call fit with a model that does not exist: a case that is checked too late raises a `ModelError` instead."""
    return fit(stages if stages is not None else [Stage(toy.topics)], **{"model": NOTHING, "seed": 1, **others})


TRANSFORMS = [
    (errors.SettingError, lambda: xq.LabelNoise(rate=-0.1)),
    (errors.SettingError, lambda: xq.LabelNoise(rate=1.1)),
    (errors.SettingError, lambda: xq.LabelNoise(rate=math.nan)),
    (errors.SettingError, lambda: xq.LabelNoise(rate=math.inf)),
    (errors.SettingError, lambda: xq.LabelNoise(rate="0.2")),
    (errors.SettingError, lambda: xq.LabelNoise(rate=True)),
    (errors.SettingError, lambda: xq.LabelNoise(rate=None)),
    (errors.SettingError, lambda: xq.LabelNoise(rate=0.2, column="")),
    (errors.SettingError, lambda: xq.LabelNoise(rate=0.2, exact="yes")),
    (errors.SettingError, lambda: xq.LabelNoise(rate=0.2, stream=-1)),
    (errors.SettingError, lambda: xq.LabelNoise(rate=0.2, stream=0.5)),
    (errors.SettingError, xq.Subsample),
    (errors.SettingError, lambda: xq.Subsample(n=3, fraction=0.5)),
    (errors.SettingError, lambda: xq.Subsample(n=-1)),
    (errors.SettingError, lambda: xq.Subsample(n=2.5)),
    (errors.SettingError, lambda: xq.Subsample(fraction=1.5)),
    (errors.SettingError, lambda: xq.Subsample(n=3, exact=False)),
    (errors.SettingError, lambda: xq.Subsample(fraction=0.5, stratify_by="label", exact=False)),
    (errors.SettingError, lambda: xq.Subsample(n=3, stratify_by=())),
    (errors.SettingError, lambda: xq.CleanlabFilter(action="delete")),
    (errors.SettingError, lambda: xq.CleanlabFilter(filter_by="magic")),
    (errors.SettingError, lambda: xq.CleanlabFilter(folds=1)),
    (errors.SettingError, lambda: xq.CleanlabFilter(max_fraction=2)),
    (errors.SettingError, lambda: xq.CleanlabFilter(text_columns="text")),
    (errors.SettingError, lambda: xq.Subsample(n=21, stratify_by="length:text")(ROWS, seed=1)),
    (errors.ColumnError, lambda: xq.Subsample(n=3, stratify_by="length:words")(ROWS, seed=1)),
    (errors.SettingError, lambda: xq.Deduplicate(columns="text")),
    (errors.SettingError, lambda: xq.Deduplicate(method="simhash")),
    (errors.SettingError, lambda: xq.Deduplicate(threshold=0)),
    (errors.SettingError, lambda: xq.Deduplicate(respell=("lower",))),
    (errors.ColumnError, lambda: xq.Deduplicate(columns=("words",))(ROWS, seed=1)),
    (errors.ColumnError, lambda: xq.Deduplicate()(ROWS.remove_columns("text"), seed=1)),
    (errors.StreamError, lambda: xq.Deduplicate()(ROWS.to_iterable_dataset(), seed=1)),
    (errors.SettingError, lambda: xq.LanguageFilter("klingon")),
    (errors.SettingError, lambda: xq.LanguageFilter("es", minimum_letters=0)),
    (errors.SettingError, lambda: xq.LanguageFilter("es", short="no")),
    (errors.ColumnError, lambda: xq.LanguageFilter("es", columns=("label",))(ROWS, seed=1)),
    (errors.SettingError, lambda: xq.LengthRatioFilter(columns=("text",))),
    (errors.SettingError, lambda: xq.LengthRatioFilter(columns=("a", "b"), maximum=0.5)),
    (errors.SettingError, lambda: xq.LengthRatioFilter(columns=("a", "b"), minimum_length=3, maximum_length=2)),
    (errors.ColumnError, lambda: xq.LengthRatioFilter(columns=("text", "label"))(ROWS, seed=1)),
    (errors.SettingError, lambda: xq.Mix(ROWS, rate=2)),
    (errors.DataKindError, lambda: xq.Mix(DatasetDict({"train": ROWS}), rate=0.5)),
    (errors.UidError, lambda: xq.Mix(ROWS.select(range(19)), rate=0.5)(ROWS, seed=1)),
    (errors.ColumnError, lambda: xq.Mix(ROWS.cast_column("label", Value("int64")), rate=0.5)(ROWS, seed=1)),
    (errors.SerialisationError, lambda: xq.from_dict(xq.Mix(ROWS, rate=0.5).to_dict())),
    (errors.SettingError, lambda: xq.CleanlabFilter(batch_size=0)),
    (errors.SettingError, lambda: xq.CleanlabFilter(filter_by="both", batch_size=10)),
    (errors.ColumnError, lambda: xq.CleanlabFilter(probabilities="p")(ROWS, seed=1)),
    (errors.DataKindError, lambda: xq.Compose((1,))),
    (errors.DataKindError, lambda: xq.LabelNoise(0.2) >> print),
    (errors.SettingError, lambda: xq.LabelNoise(0.2)(ROWS, seed=None)),
    (errors.SettingError, lambda: xq.LabelNoise(0.2)(ROWS, seed=1.0)),
    (errors.SettingError, lambda: xq.LabelNoise(0.2)(ROWS, seed="1")),
    (errors.SettingError, lambda: xq.LabelNoise(0.2)(ROWS, seed=1, num_proc=0)),
    (errors.SettingError, lambda: xq.Compose()(ROWS, seed=np.float64(1))),
    (errors.SettingError, lambda: xq.Subsample(n=21)(ROWS, seed=1)),
    (errors.DataKindError, lambda: xq.LabelNoise(0.2)(DatasetDict({"train": ROWS}), seed=1)),
    (errors.DataKindError, lambda: xq.LabelNoise(0.2)(ROWS.to_list(), seed=1)),
    (errors.DataKindError, lambda: xq.LabelNoise(0.2)(ROWS.to_pandas(), seed=1)),
    (errors.ColumnError, lambda: xq.LabelNoise(0.2, column="topic")(ROWS, seed=1)),
    (errors.LabelError, lambda: xq.LabelNoise(0.2, column="text")(ROWS, seed=1)),
    (errors.UidError, lambda: xq.LabelNoise(0.2)(ROWS.add_column("uid", [1] * 20), seed=1)),
    (errors.UidError, lambda: xq.LabelNoise(0.2)(ROWS.add_column("uid", [None, *range(19)]), seed=1)),
    (errors.UidError, lambda: xq.LabelNoise(0.2)(ROWS.add_column("uid", [row / 2 for row in range(20)]), seed=1)),
    (errors.SerialisationError, lambda: xq.from_dict({"transform": "Magic", "settings": {}})),
    (errors.SerialisationError, lambda: xq.from_dict({"transform": "LabelNoise", "settings": {"speed": 1}})),
    (errors.SerialisationError, lambda: xq.from_dict({"transform": "LabelNoise"})),
    (errors.SerialisationError, lambda: xq.from_dict("LabelNoise")),
    (errors.SerialisationError, lambda: xq.from_dict({**xq.LabelNoise(0.2).to_dict(), "algorithm": 99})),
    (errors.SettingError, lambda: xq.from_dict({"transform": "LabelNoise", "settings": {"rate": 7}})),
    (errors.SerialisationError, lambda: Record.from_dict({"transform": "x", "speed": 1})),
]

DATA = [
    (errors.DataKindError, lambda: xq.with_uid(DatasetDict({"train": ROWS}))),
    (errors.ColumnError, lambda: xq.with_uid(ROWS, "id")),
    (errors.UidError, lambda: xq.with_uid(ROWS, "label")),
    (errors.UidError, lambda: xq.with_uid(ROWS.add_column("uid", list(range(1, 21))))),
    (errors.DataKindError, lambda: xq.digest(ROWS.to_list())),
    (errors.DataKindError, lambda: xq.history(None)),
    (errors.DataKindError, lambda: xq.concatenate([])),
    (errors.DataKindError, lambda: xq.concatenate(ROWS)),
    (errors.SettingError, lambda: xq.concatenate([ROWS, ROWS], names=["a"])),
    (errors.SettingError, lambda: xq.concatenate([ROWS, ROWS], names=["a", "a"])),
    (errors.UidError, lambda: xq.concatenate([ROWS, ROWS])),
    (errors.DataKindError, lambda: xq.concatenate([ROWS, toy.topics.load("es", "test")], names=["a", "b"])),
    (errors.DataKindError, lambda: xq.save(DatasetDict({"train": ROWS}), NOTHING)),
    (errors.SettingError, lambda: xq.save(ROWS, Path(__file__).parent)),
    (errors.SourceError, lambda: xq.load(NOTHING)),
    (errors.SettingError, xq.audit),
    (errors.SettingError, lambda: xq.audit(ROWS, before=ROWS)),
    (errors.DataKindError, lambda: xq.audit(ROWS.to_list())),
    (errors.ColumnError, lambda: xq.audit(ROWS)),
    (errors.ColumnError, lambda: xq.audit(before=xq.with_uid(ROWS), after=xq.with_uid(ROWS))),
    (
        errors.ColumnError,
        lambda: xq.audit(ROWS.add_column("label_issue", ["x"] * 20).add_column("label_before", [0] * 20)),
    ),
    (errors.SettingError, lambda: xq.Audit(0, 0, 0, 0).table("given")),
    (errors.DataKindError, lambda: xq.card(DatasetDict({"train": ROWS}))),
    (errors.DataKindError, lambda: xq.push_to_hub(DatasetDict({"train": ROWS}), "user/name")),
    (errors.SettingError, lambda: xq.push_to_hub(ROWS, "")),
    (errors.SourceError, lambda: toy.topics.load("xx", "train")),
    (errors.SourceError, lambda: toy.topics.load("es", "dev")),
    (errors.SourceError, lambda: xnli.load("de", "test", root=NOTHING)),
    (errors.SourceError, lambda: xnli.load("de", "../../etc/passwd", root=Path(__file__).parent)),
    (errors.UnreachableError, lambda: xnli.load("de", "test")),  # no folder, and no connection to the Hub
    (errors.SettingError, lambda: sib200.load("deu_Latn", "")),
    (errors.SourceError, lambda: anli_plus.load("en", "train", root=NOTHING)),
    (errors.SourceError, lambda: bucc.load("de", "train")),
    (errors.SourceError, lambda: bucc.load("de", "validation")),
    (errors.SourceError, lambda: bucc.load("en", "test")),
    (errors.SourceError, lambda: ccg.load("en", "train")),
    (errors.SourceError, lambda: ccg.load("en", "train", root=Path(__file__).parent)),
    (errors.SourceError, lambda: udpos.load("de", "test", root=NOTHING)),
    (errors.SourceError, lambda: xcopa.load("en", "train", root=Path(__file__).parent)),
    (errors.SourceError, lambda: xquad.load("de", "train", root=Path(__file__).parent)),
]

TRAINING = [
    (errors.SettingError, lambda: Stage("xnli")),
    (errors.SettingError, lambda: Stage(toy.sentences)),
    (errors.DataKindError, lambda: Stage(toy.topics, ROWS.to_list())),
    (errors.SettingError, lambda: Stage(toy.topics, language="xx")),
    (errors.SettingError, lambda: Stage(toy.topics, steps=1, epochs=1)),
    (errors.SettingError, lambda: Stage(toy.topics, steps=0)),
    (errors.SettingError, lambda: Stage(toy.topics, epochs=-1)),
    (errors.SettingError, lambda: Stage(toy.topics, learning_rate=0)),
    (errors.SettingError, lambda: Stage(toy.topics, schedule="cosmic")),
    (errors.SettingError, lambda: Stage(toy.topics, head="new")),
    (errors.SettingError, lambda: Stage(toy.topics, warmup=2)),
    (errors.SettingError, lambda: Stage(toy.topics, batch_size=0)),
    (errors.SettingError, lambda: Stage(toy.topics, max_length=1)),
    (errors.SettingError, lambda: Probe(languages="de")),
    (errors.SettingError, lambda: Probe(points=1)),
    (errors.SettingError, lambda: Probe(rows=0)),
    (errors.SettingError, lambda: no_fit([])),
    (errors.SettingError, lambda: no_fit(Stage(toy.topics))),
    (errors.SettingError, lambda: no_fit(["xnli"])),
    (errors.SettingError, lambda: no_fit(seed="one")),
    (errors.SettingError, lambda: no_fit(evaluate_on="de")),
    (errors.SettingError, lambda: no_fit(evaluate_on=["xx"])),
    (errors.SettingError, lambda: no_fit([Stage(toy.topics, arguments={"evaluation_strategy": "no"})])),
    (errors.SettingError, lambda: no_fit([Stage(toy.topics, arguments={"seed": 3})])),
    (errors.SettingError, lambda: no_fit([Stage(toy.topics, arguments={"weight_decay": object()})])),
    (
        errors.SettingError,
        lambda: no_fit([Stage(toy.topics, batch_size=9, arguments={"gradient_accumulation_steps": 2})]),
    ),
    (errors.TrainingError, lambda: no_fit([Stage(toy.topics, head="carry")])),
    (errors.TrainingError, lambda: no_fit([Stage(toy.inference), Stage(toy.topics, head="carry")])),
    (errors.TrainingError, lambda: no_fit([Stage(toy.topics, toy.topics.load("es", "test").select([]))])),
    (errors.TrainingError, lambda: no_fit(evaluate_on=toy.inference)),
    (errors.LabelError, lambda: no_fit([Stage(toy.topics, ROWS)])),
    (errors.ColumnError, lambda: no_fit([Stage(toy.topics, ROWS.remove_columns("text"))])),
    (errors.SourceError, lambda: no_fit([Stage(xnli, root=NOTHING)])),
    (errors.ModelError, no_fit),
    (errors.DataKindError, lambda: from_embeddings(ROWS.to_list(), NOTHING, seed=1)),
    (errors.SettingError, lambda: from_embeddings(ROWS, NOTHING, seed=1, folds=1)),
    (errors.ColumnError, lambda: from_embeddings(ROWS, NOTHING, seed=1, name="label")),
    (errors.ModelError, lambda: from_embeddings(ROWS, NOTHING, seed=1)),
    (errors.DataKindError, lambda: from_fine_tuning(None, toy.topics, model=NOTHING, seed=1)),
    (errors.SettingError, lambda: from_fine_tuning(ROWS, toy.topics, model=NOTHING, seed=None)),
    (errors.SettingError, lambda: from_fine_tuning(ROWS, toy.sentences, model=NOTHING, seed=1)),
    (errors.LabelError, lambda: from_fine_tuning(ROWS, toy.topics, model=NOTHING, seed=1)),
    (errors.ModelError, lambda: from_fine_tuning(TOPICS, toy.topics, model=NOTHING, seed=1)),
    (errors.ModelError, lambda: Fitted.load(NOTHING)),
    (errors.ModelError, lambda: evaluate(NOTHING, toy.topics)),
    (errors.ModelError, lambda: tiny_encoder([], folder=NOTHING)),
    (errors.SettingError, lambda: tiny_encoder(["a"], folder=NOTHING, steps=0)),
    (errors.SettingError, lambda: SpanHead(metric="bleu")),
    (errors.SettingError, lambda: SpanHead(metric="mlqa", unanswerable=True)),
    (errors.SettingError, lambda: SpanHead(stride=0)),
    (errors.SettingError, lambda: MaskedLMHead(rate=1.5)),
    (errors.SettingError, lambda: RetrievalHead(pooling="max")),
    (errors.SettingError, lambda: RetrievalHead(layer=3, layers=(1, 2))),
    (errors.SettingError, lambda: MiningHead(k=0)),
    (errors.ModelError, lambda: evaluate(NOTHING, toy.sentences)),
]

NUMBERS = [
    (errors.MetricError, lambda: classification.accuracy([1], [1, 2])),
    (errors.MetricError, lambda: classification.accuracy([], [])),
    (errors.MetricError, lambda: classification.f1([1], [1], average="best")),
    (errors.MetricError, lambda: tagging.chunk_f1([["O", None]], [["O", "O"]])),
    (errors.MetricError, lambda: tagging.chunk_f1([["O"]], [["O"]], seqeval="2")),
    (errors.MetricError, lambda: tagging.token_accuracy([["O"]], [["O", "O"]])),
    (errors.MetricError, lambda: question_answering.squad({}, {})),
    (errors.MetricError, lambda: question_answering.squad({"q": None}, {"q": ["x"]})),
    (errors.MetricError, lambda: question_answering.mlqa({"q": "x"}, {"q": ["x"]}, "fr")),
    (errors.MetricError, lambda: question_answering.squad_v2({}, {"q": []})),
    (errors.MetricError, lambda: retrieval.nearest_neighbours([[1.0]], [[1.0, 2.0]])),
    (errors.MetricError, lambda: retrieval.mine([[math.nan]], [[1.0]])),
    (errors.MetricError, lambda: retrieval.mine([[1.0]], [[1.0]], margin="best")),
    (errors.MetricError, lambda: retrieval.best_threshold([(1.0, "a", "x")], [("a", "x")])),
    (errors.SourceError, lambda: score_folder(NOTHING, NOTHING)),
    (errors.MetricError, lambda: write_submission(NOTHING, {"mnli": {}})),
    (errors.SettingError, lambda: bootstrap(np.zeros((0, 2)), sum, seed=1)),
    (errors.ConvergenceError, lambda: steps_to(History(), 50)),
    (errors.SettingError, lambda: steps_to(History(), math.nan)),
    (errors.SettingError, lambda: steps_to_fraction(History(), 1.5, 80.0)),
    (errors.SettingError, lambda: area_under_curve(History(), x="time")),
    (errors.ConvergenceError, lambda: speed_up(History(), History())),
    (errors.SettingError, lambda: mean_interval([])),
    (errors.SettingError, lambda: mean_interval([1.0, math.nan])),
    (errors.SettingError, lambda: mean_interval([1.0, 2.0], level=1.0)),
    (errors.SettingError, lambda: paired_difference({0: 1.0}, {1: 1.0})),
    (errors.SettingError, lambda: zero_shot_mean([], ["en"])),
    (errors.SettingError, lambda: average([])),
    (errors.SettingError, lambda: average([Score("t", "en", "accuracy", 1.0, 1)], without="en")),
    (errors.SettingError, lambda: transfer_gap([Score("t", "de", "accuracy", 1.0, 1)])),
    (errors.SettingError, lambda: table([], by="continent")),
    (errors.SettingError, lambda: interval(Score("t", "de", "perplexity", 1.0, 1))),
    (errors.SettingError, lambda: difference(Score("t", "de", "f1", 1.0, 1), Score("t", "es", "f1", 1.0, 1))),
    (errors.SettingError, lambda: zero_shot_mean([Score("t", "en", "accuracy", 1.0, 1)], ["en"])),
    (errors.StudyError, lambda: Study("trial", {"seed": [0]})),
    (errors.StudyError, lambda: Study(trial, {})),
    (errors.StudyError, lambda: Study(trial, {"seed": []})),
    (errors.StudyError, lambda: Study(trial, {"seed": [0, 0]})),
    (errors.StudyError, lambda: Study(trial, {"seed": 3})),
    (errors.StudyError, lambda: Study(trial, {"seed": "0123"})),
    (errors.StudyError, lambda: Study(trial, {"seed": [math.nan]})),
    (errors.StudyError, lambda: Study(trial, {"seed": [object()]})),
    (errors.StudyError, lambda: Study(trial, {"two words": [0]})),
    (errors.StudyError, lambda: Study(trial, {"seed": [0]}, quality="rate")),
    (errors.StudyError, lambda: Study(trial, {"seed": [0]}).results(NOTHING)),
    (errors.StudyError, lambda: write_report(NOTHING)),
]

CASES = TRANSFORMS + DATA + TRAINING + NUMBERS


@pytest.mark.parametrize(("kind", "call"), CASES, ids=range(len(CASES)))
def test_bad_input_is_one_typed_sentence(kind: type[XqualityError], call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(XqualityError) as caught:
        call()
    assert type(caught.value) is kind, caught.value
    sentence = str(caught.value)
    assert sentence.endswith((".", ")"))
    assert "\n" not in sentence
    assert 20 < len(sentence) < 700, sentence
    assert not NOTHING.exists()


def test_there_are_sixty_cases_or_more() -> None:
    assert len(CASES) >= 60


PATHS: list[Callable[[object], object]] = [
    lambda path: xq.save(ROWS, path),
    xq.load,
    lambda path: xnli.load("de", "test", path),
    lambda path: tiny_encoder(["a"] * 100, folder=path),
    lambda path: trim_encoder(NOTHING, ["a"], folder=path),
    lambda path: score_folder(path, path),
    lambda path: write_submission({"xnli": {}}, path),
    write_report,
]


@pytest.mark.parametrize("path", ["a\0b", "x" * 300, "caf\udce9", 3], ids=["NUL", "too long", "no UTF-8", "a number"])
@pytest.mark.parametrize("number", range(len(PATHS)))
def test_a_path_that_cannot_be_looked_up_is_refused_everywhere(number: int, path: object) -> None:
    with pytest.raises(errors.SettingError, match="must be a path that can be looked up"):
        PATHS[number](path)
