"""fit: exact seeds, order of rows, heads, the store, evaluation that training does not notice, callbacks."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset
from transformers import AutoModel, TrainerCallback

import xquality as xq
from xquality import toy
from xquality._stored import write_checksums
from xquality.errors import SettingError
from xquality.evaluation import evaluate
from xquality.heads import MaskedLMHead
from xquality.metrics import Examples, Metric
from xquality.models.model import weights_digest
from xquality.tasks import Task
from xquality.train import Fitted, Probe, Selection, Stage, fit

QUICK = {"steps": 6, "batch_size": 8}
MASKED = dataclasses.replace(toy.topics, head=MaskedLMHead())


def chain(spanish: Dataset, **target: object) -> list[Stage]:
    return [Stage(toy.topics, spanish, "es", **QUICK), Stage(toy.topics, **{**QUICK, **target})]


def weights(fitted: Fitted) -> str:
    return weights_digest(fitted.model.network)


def test_the_same_seed_gives_the_same_weights_and_another_does_not(encoder: Path, spanish: Dataset) -> None:
    first, same, other = (fit(chain(spanish), model=encoder, seed=seed, threads=1) for seed in (1, 1, 2))
    assert weights(first) == weights(same) != weights(other)
    assert first.history == same.history


def test_the_order_of_the_rows_decides_nothing(encoder: Path, spanish: Dataset) -> None:
    shuffled = spanish.shuffle(seed=3)
    first, second = (fit(chain(rows), model=encoder, seed=1, threads=1) for rows in (spanish, shuffled))
    assert weights(first) == weights(second)


def test_another_process_gives_the_same_weights(encoder: Path, spanish: Dataset, run_python) -> None:
    here = weights(fit(chain(spanish), model=encoder, seed=1, threads=1))
    there = run_python(
        "from xquality import toy\nfrom xquality.train import Stage, fit\nfrom xquality.models.model import weights_digest\n"
        "rows = toy.topics.load('es', 'train').select(range(200))\n"
        "stages = [Stage(toy.topics, rows, 'es', steps=6, batch_size=8), Stage(toy.topics, steps=6, batch_size=8)]\n"
        f"print(weights_digest(fit(stages, model={str(encoder)!r}, seed=1, threads=1).model.network))",
        PYTHONHASHSEED="77",
    )
    assert there.splitlines()[-1] == here


def test_the_beginning_of_a_chain_is_the_chains_own_and_is_trained_once(
    encoder: Path, spanish: Dataset, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    both = chain(spanish)
    whole = fit(both, model=encoder, seed=1, threads=1, store=tmp_path)
    request.getfixturevalue("no_training")
    first = fit(both[:1], model=encoder, seed=1, threads=1, store=tmp_path, planned_stages=1)
    assert weights(first) == whole.history.stages[0]["weights_after"]


def test_measuring_on_the_way_does_not_change_training_even_with_dropout(
    encoder: Path, spanish: Dataset, tmp_path: Path
) -> None:
    network = AutoModel.from_pretrained(encoder)
    network.config.hidden_dropout_prob = 0.3
    with_dropout = tmp_path / "dropout"
    network.save_pretrained(with_dropout)
    from transformers import AutoTokenizer

    AutoTokenizer.from_pretrained(encoder).save_pretrained(with_dropout)
    probe = Probe(languages=("de", "ar"), rows=20, points=6)
    plain = fit(chain(spanish), model=with_dropout, seed=1, threads=1)
    measured = fit(chain(spanish), model=with_dropout, seed=1, threads=1, evaluate_on=probe)
    assert weights(plain) == weights(measured)


def test_the_callers_random_state_and_threads_are_left_alone(encoder: Path, spanish: Dataset) -> None:
    torch.manual_seed(5)
    before, numpy_before, threads = torch.get_rng_state(), np.random.get_state()[1].copy(), torch.get_num_threads()  # noqa: NPY002
    fit(chain(spanish), model=encoder, seed=1, threads=1)
    assert torch.equal(torch.get_rng_state(), before)
    assert (np.random.get_state()[1] == numpy_before).all()  # noqa: NPY002
    assert torch.get_num_threads() == threads


def test_the_history_has_step_0_log_spaced_steps_and_every_language(encoder: Path, spanish: Dataset) -> None:
    fitted = fit(chain(spanish), model=encoder, seed=1, threads=1, evaluate_on=Probe(("de", "ar"), rows=20, points=4))
    scored = [point for point in fitted.history.points if point.metric == "accuracy"]
    assert {point.language for point in scored} == {"de", "ar"}
    assert sorted({point.step for point in scored}) == [0, 1, 2, 6]
    assert {point.stage for point in scored} == {1}
    assert all(point.rows == 20 for point in scored)
    assert [point.step for point in fitted.history.points if point.metric == "loss" and point.stage == 1] == [1, 2, 6]


def test_a_fresh_head_starts_anew_and_a_carried_head_goes_on(encoder: Path, spanish: Dataset) -> None:
    ends, starts = {}, {}
    for head in ("fresh", "carry"):
        probe = Probe(("es", "de"), rows=None, points=2, every_stage=True)
        fitted = fit(chain(spanish, head=head), model=encoder, seed=1, threads=1, evaluate_on=probe)
        ends[head] = fitted.history.curve("macro_f1", stage=0)[1][-1]
        starts[head] = fitted.history.curve("macro_f1", stage=1)[1][0]
    assert starts["carry"] == ends["carry"] == ends["fresh"]
    assert starts["fresh"] != ends["fresh"]


def test_the_target_head_is_the_same_whatever_went_before_it(encoder: Path, spanish: Dataset) -> None:
    # Arms of one seed share the target stage's random draws: with an untrained intermediate stage only the encoder may differ.
    alone = fit([Stage(toy.topics, **QUICK)], model=encoder, seed=1, threads=1)
    after = fit(chain(spanish), model=encoder, seed=1, threads=1)
    assert alone.history.stages[-1]["seed"] == after.history.stages[-1]["seed"]
    assert alone.history.stages[-1]["data"] == after.history.stages[-1]["data"]


def test_a_stored_stage_is_not_trained_again_and_gives_the_same_result(
    encoder: Path, spanish: Dataset, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    plain = fit(chain(spanish), model=encoder, seed=1, threads=1, evaluate_on=["de"])
    kept = fit(chain(spanish), model=encoder, seed=1, threads=1, evaluate_on=["de"], store=tmp_path / "store")
    request.getfixturevalue("no_training")
    found = fit(chain(spanish), model=encoder, seed=1, threads=1, evaluate_on=["de"], store=tmp_path / "store")
    assert weights(plain) == weights(kept) == weights(found)
    assert plain.history.to_dict() == kept.history.to_dict() == found.history.to_dict()


def change_history(entry: Path, **changes: object) -> None:
    file = entry / "history.json"
    history = json.loads(file.read_text(encoding="utf-8"))
    history["stages"][0] |= changes
    file.write_text(json.dumps(history), encoding="utf-8")


def change_weights(entry: Path) -> None:
    file = entry / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize(
    "change",
    [
        change_weights,
        lambda entry: change_history(entry, seed=7),
        lambda entry: change_history(entry, languages=["de"]),
        lambda entry: change_history(entry, weights_after="0" * 32),
        lambda entry: (entry / "history.json").write_text('{"stages": [], "points": []}'),
        lambda entry: (entry / "history.json").write_text("null"),
        lambda entry: (entry / "tokenizer.json").write_text("{}"),
    ],
    ids=["weights", "seed", "languages", "digest", "no stages", "null", "tokenizer"],
)
def test_an_entry_of_the_store_is_not_believed_for_its_checksums_alone(
    encoder: Path, tmp_path: Path, change: Callable[[Path], object]
) -> None:
    settings = {"model": encoder, "seed": 1, "threads": 1, "store": tmp_path}
    right = fit([Stage(toy.topics, steps=2, batch_size=8)], **settings)
    digest = right.model.digest  # its weights are memory-mapped from the entry
    (entry,) = (folder for folder in tmp_path.iterdir() if len(folder.name) == 32)
    change(entry)
    (entry / "checksums.json").unlink()
    write_checksums(entry, {"entry": entry.name})
    with pytest.warns(UserWarning, match="set aside as .*damaged-0, and it is made again"):
        again = fit([Stage(toy.topics, steps=2, batch_size=8)], **settings)
    assert (again.model.digest, again.history) == (digest, right.history)


def test_one_intermediate_stage_serves_two_targets(encoder: Path, spanish: Dataset, tmp_path: Path) -> None:
    store = tmp_path / "store"
    fit(chain(spanish), model=encoder, seed=1, threads=1, store=store)
    fit(chain(spanish, steps=3), model=encoder, seed=1, threads=1, store=store)
    assert len([entry for entry in store.iterdir() if entry.name != "locks"]) == 3


def test_callbacks_are_called(encoder: Path) -> None:
    seen: list[int] = []

    class Steps(TrainerCallback):
        def on_step_end(self, args, state, control, **others) -> None:
            seen.append(state.global_step)

    fit([Stage(toy.topics, callbacks=(Steps(),), **QUICK)], model=encoder, seed=1, threads=1)
    assert seen == [1, 2, 3, 4, 5, 6]


def test_weights_of_rows_count_in_the_loss(encoder: Path, spanish: Dataset) -> None:
    flagged = xq.CleanlabFilter(action="weight")(xq.LabelNoise(0.3)(spanish, seed=1), seed=1)
    weighted = fit([Stage(toy.topics, flagged, "es", **QUICK)], model=encoder, seed=1, threads=1)
    plain = fit([Stage(toy.topics, flagged.remove_columns("weight"), "es", **QUICK)], model=encoder, seed=1, threads=1)
    assert weights(weighted) != weights(plain)


def test_the_history_says_how_the_data_came_to_be(encoder: Path, spanish: Dataset) -> None:
    noisy = xq.LabelNoise(0.3)(spanish, seed=9)
    stage = fit(chain(noisy), model=encoder, seed=1, threads=1).history.stages[0]
    assert stage["records"][0]["transform"] == "LabelNoise"
    assert stage["records"][0]["realised_rate"] == 0.3
    assert (stage["steps"], stage["examples"], stage["threads"], stage["head"]) == (6, 48, 1, "fresh")


def test_a_model_with_a_head_leaves_it_behind(encoder: Path, spanish: Dataset, tmp_path: Path) -> None:
    trained = fit([Stage(toy.topics, spanish, "es", **QUICK)], model=encoder, seed=1, threads=1)
    folder = trained.save(tmp_path / "trained")
    again = fit([Stage(toy.topics, **QUICK)], model=folder, seed=1, threads=1, evaluate_on=Probe(("es",), points=2))
    chained = fit(chain(spanish), model=encoder, seed=1, threads=1, evaluate_on=Probe(("es",), points=2))
    assert again.history.curve()[1][0] != pytest.approx(100)
    assert len(chained.history.stages) == 2


def test_a_checkpoint_that_lacks_weights_is_completed_alike_and_half_precision_is_widened(
    encoder: Path, spanish: Dataset, tmp_path: Path
) -> None:
    from transformers import AutoConfig, AutoTokenizer, XLMRobertaForMaskedLM

    torch.manual_seed(3)
    half = XLMRobertaForMaskedLM(AutoConfig.from_pretrained(encoder)).half()  # no pooler, and float16
    half.save_pretrained(tmp_path / "mlm")
    AutoTokenizer.from_pretrained(encoder).save_pretrained(tmp_path / "mlm")
    found = []
    for seed in (11, 22):
        torch.manual_seed(seed)
        found.append(fit(chain(spanish), model=tmp_path / "mlm", seed=1, threads=1))
    assert found[0].history == found[1].history
    assert found[0].model.network.dtype == torch.float32


def test_labels_corrected_in_the_validation_rows_are_measured_anew(
    encoder: Path, spanish: Dataset, tmp_path: Path
) -> None:
    from xquality.tasks import MemorySource, Task

    rows = toy.topics.load("de", "validation").select(range(40))
    curves = []
    for measured in (rows, rows.map(lambda row: {"label": (row["label"] + 1) % 6})):
        task = Task("mine", ("de",), "de", MemorySource({("de", "validation"): measured}), toy.topics.head)
        stage = Stage(toy.topics, spanish, "es", **QUICK)
        fitted = fit([stage], model=encoder, seed=1, threads=1, store=tmp_path / "store", evaluate_on=Probe(task=task))
        curves.append(fitted.history.curve("macro_f1"))
    assert curves[0] != curves[1]


def test_rows_of_several_languages_are_trained_in_all_of_them(encoder: Path) -> None:
    joined = xq.concatenate([toy.topics.load(language, "test") for language in ("es", "de")], names=["es", "de"])
    fitted = fit([Stage(toy.topics, joined, **QUICK)], model=encoder, seed=1, threads=1)
    assert fitted.languages == ("es", "de")


def test_a_loss_that_is_no_number_stops_the_training(encoder: Path, spanish: Dataset) -> None:
    from xquality.errors import TrainingError

    wild = Stage(toy.topics, spanish, "es", learning_rate=1e30, warmup=0, **QUICK)
    with pytest.raises(TrainingError, match="no longer finite"):
        fit([wild], model=encoder, seed=1, threads=1)


def test_mixed_precision_does_not_stay_on_the_network(encoder: Path, spanish: Dataset, tmp_path: Path) -> None:
    stage = Stage(toy.topics, spanish, "es", arguments={"bf16": True}, **QUICK)
    fitted = fit([stage], model=encoder, seed=1, threads=1)
    texts = fitted.model.tokenizer(["tenis y viento"], return_tensors="pt")
    again = Fitted.load(fitted.save(tmp_path / "kept"))
    with torch.no_grad():
        before, after = (result.model.network(**texts).logits for result in (fitted, again))
    assert torch.allclose(before, after, rtol=1e-5, atol=1e-7)  # bfloat16 would differ in the third digit
    assert evaluate(fitted, toy.topics, ["de"]) == evaluate(again, toy.topics, ["de"])


def test_the_precision_of_a_stage_is_the_argument_of_transformers(
    encoder: Path, spanish: Dataset, tmp_path: Path
) -> None:
    def train(**settings: Any) -> Fitted:
        stage = Stage(toy.topics, spanish, "es", **settings, **QUICK)
        return fit([stage], model=encoder, seed=1, threads=1, store=tmp_path)

    plain, field, argument = train(), train(precision="bfloat16"), train(arguments={"bf16": True})
    assert field.model.digest != plain.model.digest
    assert field.model.digest == argument.model.digest
    assert field.history == argument.history
    assert len([folder for folder in tmp_path.iterdir() if folder.is_dir() and len(folder.name) == 32]) == 2
    with pytest.raises(SettingError, match="both set the precision"):
        Stage(toy.topics, precision="bfloat16", arguments={"fp16": True})


def test_the_weights_of_the_best_look_are_kept_and_the_looks_recorded(encoder: Path) -> None:
    settings = {"steps": 40, "batch_size": 8}
    looked = fit(
        [Stage(toy.topics, selection=Selection("best_source", every=10, rows=60), **settings)],
        model=encoder,
        seed=1,
        threads=1,
    )
    record = looked.history.stages[0]["selection"]
    looks = dict(map(tuple, record["looks"]))
    assert list(looks) == [10, 20, 30, 40]
    best = max(looks, key=lambda step: (looks[step], -step))
    assert record["chosen_step"] == best
    short = fit([Stage(toy.topics, steps=best, batch_size=8, warmup=0.1 * 40 / best)], model=encoder, seed=1, threads=1)
    assert short.model.digest == looked.model.digest  # looking changes nothing of the way there


def test_weights_are_selected_by_a_metric_of_ones_own_also_where_lower_is_better(encoder: Path) -> None:
    def error_rate(examples: Examples) -> float:
        return 100 * float(np.mean(np.asarray(examples.predictions) != np.asarray(examples.references)))

    metric = Metric("error_rate", error_rate, higher_is_better=False)
    task = dataclasses.replace(toy.topics, head=dataclasses.replace(toy.topics.head, metrics=(metric,)))
    chosen = Selection("best_source", every=10, rows=60)
    stage = Stage(task, steps=40, batch_size=8, selection=chosen)
    record = fit([stage], model=encoder, seed=1, threads=1).history.stages[0]["selection"]
    rates = dict(map(tuple, record["looks"]))
    assert len(set(rates.values())) > 1
    assert record["chosen_step"] == min(rates, key=lambda step: (rates[step], step))


def test_patience_stops_early_and_says_when(encoder: Path) -> None:
    chosen = Selection("best_target", every=2, patience=2, languages=("de",), rows=20)
    stage = fit(
        [Stage(toy.topics, steps=400, batch_size=8, learning_rate=1e-9, selection=chosen)],
        model=encoder,
        seed=1,
        threads=1,
    ).history.stages[0]
    assert stage["steps"] == 6
    assert stage["selection"]["oracle"] is True
    assert stage["examples"] == 48


@pytest.mark.parametrize(
    ("task", "max_length"),
    [(toy.inference, 64), (toy.entities, 12), (toy.questions, 40), (toy.choices, 64), (MASKED, 64)],
    ids=["pair", "token", "span", "choice", "masked"],
)
def test_seeds_are_exact_and_the_order_of_rows_decides_nothing_for_every_head(
    encoder: Path, task: Task, max_length: int, tmp_path: Path
) -> None:
    rows = task.load("es", "train").select(range(30))
    found = []
    for given, seed in ((rows, 1), (rows, 1), (rows.shuffle(seed=5), 1), (rows, 2)):
        stage = Stage(task, given, "es", steps=5, batch_size=8, max_length=max_length)
        found.append(fit([stage], model=encoder, seed=seed, threads=1))
    first, same, shuffled, other = map(weights, found)
    assert first == same == shuffled != other
    assert found[0].history.stages == found[2].history.stages
    again = Fitted.load(found[0].save(tmp_path / "kept"))
    assert again.model.digest == found[0].model.digest
    assert evaluate(again, task, ["es"], threads=1) == evaluate(found[0], task, ["es"], threads=1)


def test_windows_are_rows_and_questions_are_examples(encoder: Path) -> None:
    rows = toy.questions.load("es", "train").select(range(20))
    probe = Probe(languages=("es",), rows=7, points=2)
    stage = Stage(toy.questions, rows, "es", epochs=2, batch_size=8, max_length=40)
    fitted = fit([stage], model=encoder, seed=1, threads=1, evaluate_on=probe)
    made = fitted.history.stages[0]
    assert made["rows"] == 20
    assert made["encoded_rows"] > 40
    assert made["examples"] >= 2 * made["encoded_rows"]
    assert {point.rows for point in fitted.history.points if point.metric == "f1"} == {7}


def test_retrieval_is_measured_while_another_task_is_trained(encoder: Path, spanish: Dataset) -> None:
    probe = Probe(task=toy.sentences, languages=("es", "de"), rows=50, points=3, split="test")
    fitted = fit([Stage(toy.topics, spanish, "es", **QUICK)], model=encoder, seed=1, threads=1, evaluate_on=probe)
    plain = evaluate(encoder, toy.sentences, ["es"])
    steps, values = fitted.history.curve("accuracy", ["es"])
    assert steps == (0, 1, 6)
    assert values[0] > plain[0].value - 20  # of fewer sentences, so the search is easier
    assert {point.task for point in fitted.history.points if point.metric == "accuracy"} == {"toy.sentences"}


def test_a_stage_that_stops_early_says_what_was_planned_and_is_measured_where_it_stops(encoder: Path) -> None:
    chosen = Selection("best_source", every=5, patience=1, rows=20)
    stage = Stage(toy.topics, steps=200, batch_size=8, learning_rate=1e-9, selection=chosen)
    history = fit([stage], model=encoder, seed=1, threads=1, evaluate_on=["de"]).history
    made = history.stages[0]
    assert (made["steps"], made["planned_steps"], made["budget"]) == (10, 200, {"steps": 200})
    assert {point.metric for point in history.points if point.step == 10} >= {"loss", "accuracy"}


def test_numbers_of_numpy_are_numbers(encoder: Path, tmp_path: Path) -> None:
    def digest(steps: object, rate: object, after: object) -> str:
        stage = Stage(toy.topics, steps=steps, batch_size=8, learning_rate=rate)
        return fit([stage], model=encoder, seed=1, threads=1, store=tmp_path / "s", planned_stages=after).model.digest

    assert digest(np.int64(2), np.float64(1e-3), np.int64(1)) == digest(2, 1e-3, 1)
    assert (
        Stage(toy.topics, epochs=3).settings()
        == Stage(toy.topics, epochs=3.0).settings()
        == Stage(toy.topics).settings()
    )


def test_a_probe_of_every_stage_measures_the_last_stages_task(encoder: Path) -> None:
    english = dataclasses.replace(toy.topics, name="english", languages=("en",))
    stages = [Stage(english, steps=2, batch_size=8), Stage(toy.topics, steps=2, batch_size=8)]
    probe = Probe(languages=("de", "sw"), rows=20, points=2, every_stage=True)
    points = fit(stages, model=encoder, seed=1, threads=1, evaluate_on=probe).history.points
    measured = {(point.stage, point.task, point.language) for point in points if point.metric == "accuracy"}
    assert measured == {(stage, "toy.topics", language) for stage in (0, 1) for language in ("de", "sw")}


def test_a_stage_that_is_not_measured_keeps_its_loss_at_the_usual_steps_whatever_the_probe(
    encoder: Path, tmp_path: Path
) -> None:
    stages = [Stage(toy.inference, steps=40, batch_size=8), Stage(toy.topics, steps=2, batch_size=8)]
    for points in (4, 20):
        probe = Probe(languages=("de",), rows=10, points=points, every_stage=True)
        history = fit(stages, model=encoder, seed=1, threads=1, evaluate_on=probe, store=tmp_path / "store").history
        assert [point.step for point in history.points if point.stage == 0] == list(Probe().steps(40)[1:])


def test_measured_rows_come_from_the_stages_own_folder(encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    roots, load = [], Task.load

    def spied(task: Task, language: str, split: str, root: object = None) -> Dataset:
        roots.append(root)
        return load(task, language, split, None)

    monkeypatch.setattr(Task, "load", spied)
    stage = Stage(toy.topics, steps=2, batch_size=8, root="mine")
    fit([stage], model=encoder, seed=1, threads=1, evaluate_on=["de"])
    assert set(roots) == {"mine"}


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"selection": Selection("best_target", languages=("xx",))}, "xx"),
        ({"callbacks": [object()]}, "TrainerCallback"),
        ({"arguments": {"optim": "nope"}}, "refused"),
    ],
)
def test_a_mistake_in_the_last_stage_is_raised_before_the_first_is_trained(
    encoder: Path, settings: dict, error: str
) -> None:
    with pytest.raises(SettingError, match=error):
        fit([Stage(toy.topics, steps=1), Stage(toy.topics, steps=1, **settings)], model=encoder, seed=1)


@pytest.mark.parametrize("task", [toy.topics, toy.entities, MASKED], ids=["rows", "words", "pieces"])
def test_a_batch_in_parts_moves_the_weights_as_the_whole_does(encoder: Path, task: Task) -> None:
    def after(parts: int) -> torch.Tensor:
        arguments = {"gradient_accumulation_steps": parts, "optim": "sgd", "max_grad_norm": 1e9}
        stage = Stage(task, steps=2, batch_size=8, learning_rate=0.5, warmup=0.0, arguments=arguments)
        network = fit([stage], model=encoder, seed=1, threads=1).model.network
        return torch.cat([parameter.flatten().double() for parameter in network.parameters()])

    whole = after(1)
    assert torch.allclose(after(4), whole, atol=1e-6)
