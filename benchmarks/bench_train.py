"""What training costs: a step of `fit` beside transformers' Trainer and a bare loop, dense evaluation, padding.

Times are processor time of one thread, so that other work on the machine counts little; each way runs several times in
turn, and medians are compared. Ways that are compared read batches of the same shape. A step is the median over a run,
so that what is paid once a run (imports, tokenising, the Trainer's set-up) is left out.

python benchmarks/bench_train.py [--data FOLDER] [--repeats N] [--only step|bare|evaluation|padding]
"""

import argparse
import functools
import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import datasets
import torch
from transformers import (
    AutoModelForSequenceClassification,
    DataCollatorWithPadding,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    get_linear_schedule_with_warmup,
)

from xquality import toy
from xquality.evaluation.evaluation_set import make_evaluation_set
from xquality.models import load_encoder, tiny_encoder
from xquality.models.model import quiet_transformers
from xquality.tasks import Task, squad, xnli
from xquality.train import Stage, fit
from xquality.train.probe import measure_points

datasets.disable_progress_bars()

BATCH, LENGTH = 32, 128
LANGUAGES, POINTS, ROWS = 10, 5, 100
Ways = dict[str, Callable[[], float]]


class Clock(TrainerCallback):
    """Reads the processor's clock after every step."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:  # noqa: ARG002 (the callback's signature)
        """Read the clock."""
        self.times.append(time.process_time())

    @property
    def step(self) -> float:
        """The median over steps; the first two warm up."""
        return statistics.median(after - before for before, after in itertools.pairwise(self.times[1:]))


def long_rows(task: Task, count: int) -> datasets.Dataset:
    """Return rows so long that each is cut at the same length: then every batch has one shape."""
    rows = task.load("en", "train").select(range(count))
    first = task.head.columns[0]
    return rows.map(lambda row: {first: f"{row[first]} " * LENGTH})


def encode_rows(rows: datasets.Dataset, columns: tuple[str, ...], tokenizer: Any, length: int) -> datasets.Dataset:
    """Return rows as transformers' examples make them."""

    def encode(batch: dict[str, list[str]]) -> Any:
        return {
            **tokenizer(*(batch[column] for column in columns), truncation=True, max_length=length),
            "label": batch["label"],
        }

    return rows.map(encode, batched=True, remove_columns=rows.column_names, load_from_cache_file=False)


def time_fit(encoder: Path, task: Task, rows: datasets.Dataset, steps: int) -> float:
    """Return the time of a step of `fit`."""
    clock = Clock()
    stage = Stage(task, rows, steps=steps, batch_size=BATCH, max_length=LENGTH, callbacks=(clock,))
    fit([stage], model=encoder, seed=1, threads=1)
    return clock.step


def make_network(encoder: Path, classes: int) -> Any:
    """Return the encoder under a fresh head."""
    with quiet_transformers():
        torch.manual_seed(1)
        return AutoModelForSequenceClassification.from_pretrained(encoder, num_labels=classes)


def time_trainer(encoder: Path, task: Task, rows: datasets.Dataset, steps: int) -> float:
    """Return the time of a step of transformers' Trainer with its defaults."""
    clock, tokenizer = Clock(), load_encoder(encoder)[1]
    with tempfile.TemporaryDirectory() as scratch:
        arguments = TrainingArguments(
            scratch,
            max_steps=steps,
            per_device_train_batch_size=BATCH,
            use_cpu=True,
            disable_tqdm=True,
            report_to="none",
        )
        trainer = Trainer(
            model=make_network(encoder, len(task.head.labels)),
            args=arguments,
            train_dataset=encode_rows(rows, task.head.columns, tokenizer, LENGTH),
            data_collator=DataCollatorWithPadding(tokenizer),
            callbacks=[clock],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    return clock.step


def time_bare_loop(encoder: Path, task: Task, rows: datasets.Dataset, steps: int) -> float:
    """Return the time of a step of a loop with only what a step needs: the same optimiser, clipping and schedule."""
    tokenizer = load_encoder(encoder)[1]
    network = make_network(encoder, len(task.head.labels)).train()
    ready = encode_rows(rows, task.head.columns, tokenizer, LENGTH)
    ids, labels = [torch.tensor(row) for row in ready["input_ids"]], torch.tensor(ready["label"][:])
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-5, fused=True)
    schedule = get_linear_schedule_with_warmup(optimizer, 0, steps)
    order, at = torch.randperm(len(ids), generator=torch.Generator().manual_seed(1)), []
    for step in range(steps):
        chosen = order[torch.arange(step * BATCH, (step + 1) * BATCH) % len(order)]
        padded = torch.nn.utils.rnn.pad_sequence([ids[row] for row in chosen], True, tokenizer.pad_token_id)
        mask = (padded != tokenizer.pad_token_id).long()
        loss = network(input_ids=padded, attention_mask=mask, labels=labels[chosen]).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        at.append(time.process_time())
    return statistics.median(after - before for before, after in itertools.pairwise(at[1:]))


def measure_time(call: Callable[[], object]) -> float:
    """Return the processor time of a call."""
    begun = time.process_time()
    call()
    return time.process_time() - begun


def compare(title: str, ways: Ways, repeats: int, bound: str) -> None:
    """Run the ways in turn and print medians, and the first over each of the others."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            found[name].append(way())
    first, *others = found
    mine = statistics.median(found[first])
    print(f"\n{title} ({repeats} runs in turn; {bound})", flush=True)
    print(f"  {first:44} {1000 * mine:9.1f} ms")
    for name in others:
        theirs = statistics.median(found[name])
        pairs = statistics.median(ours / theirs for ours, theirs in zip(found[first], found[name], strict=True))
        print(f"  {name:44} {1000 * theirs:9.1f} ms   ratio of medians {mine / theirs:.3f}, median ratio {pairs:.3f}")


def evaluation(encoder: Path, repeats: int) -> None:
    """Compare a dense schedule over several languages with one Trainer.evaluate for each of them."""
    task, tokenizer = toy.inference, load_encoder(encoder)[1]
    languages = [f"{task.languages[place % len(task.languages)]}" for place in range(LANGUAGES)]
    names = list(dict.fromkeys(languages))
    model = fit([Stage(task, steps=2, batch_size=8)], model=encoder, seed=1, threads=1).model

    def ours() -> float:
        def schedule() -> None:
            sets = [make_evaluation_set(model, task, names, "test", None, rows=ROWS)]
            if len(names) < LANGUAGES:  # the toy languages, and as many again as are wanted
                sets.append(make_evaluation_set(model, task, languages[len(names) :], "test", None, rows=ROWS))
            for step in range(POINTS):
                for rows in sets:
                    measure_points(model, rows, 0, step)

        return measure_time(schedule)

    def theirs(**settings: int) -> float:
        with tempfile.TemporaryDirectory() as scratch:
            arguments = TrainingArguments(scratch, use_cpu=True, disable_tqdm=True, report_to="none", **settings)
            trainer = Trainer(
                model=model.network,
                args=arguments,
                data_collator=DataCollatorWithPadding(tokenizer),
                compute_metrics=lambda found: {
                    "accuracy": float((found.predictions.argmax(-1) == found.label_ids).mean())
                },
            )
            trainer.remove_callback(PrinterCallback)

            def schedule() -> None:
                parts = [task.load(language, "test").select(range(ROWS)) for language in languages]
                ready = [encode_rows(part, task.head.columns, tokenizer, model.max_length) for part in parts]
                for _ in range(POINTS):
                    for part in ready:
                        trainer.evaluate(part)

            return measure_time(schedule)

    ways: Ways = {
        "one evaluation set of all languages": ours,
        "Trainer.evaluate a language": theirs,
        "Trainer.evaluate a language, 64 rows": functools.partial(theirs, per_device_eval_batch_size=64),
    }
    compare(f"{POINTS} points, {LANGUAGES} languages, {ROWS} rows each", ways, repeats, "at most 0.5 of the second")


def padding(encoder: Path, root: str | None, repeats: int, steps: int) -> None:
    """Compare batches of rows of about one length with batches as they come, on real lengths where there are any."""
    tasks = [(xnli, LENGTH), (squad, 384)] if root else [(toy.inference, LENGTH), (toy.questions, LENGTH)]
    for task, length in tasks:
        rows = task.load("en", "train", root)
        rows = rows.shuffle(seed=0).select(range(min(len(rows), steps * BATCH)))
        tokenizer = load_encoder(encoder)[1]
        lengths = task.head.encode(rows, tokenizer, length).lengths()

        def way(grouped: bool, task: Task = task, rows: Any = rows, length: int = length) -> float:
            clock = Clock()
            stage = Stage(
                *(task, rows),
                steps=steps,
                batch_size=BATCH,
                max_length=length,
                group_by_length=grouped,
                callbacks=(clock,),
            )
            fit([stage], model=encoder, seed=1, threads=1)
            return (clock.times[-1] - clock.times[0]) / (len(clock.times) - 1)

        ways: Ways = {"as they come": lambda way=way: way(False), "grouped": lambda way=way: way(True)}
        title = f"{task.name}: {len(lengths)} rows, {lengths.mean():.0f} tokens in the mean, longest {lengths.max()}"
        compare(title, ways, repeats, "a step; at least 1.3")


def encoders(texts: list[str], folder: Path) -> tuple[Path, Path]:
    """Return the tiny encoder, and one of four layers of width 256."""
    tiny = tiny_encoder(texts, folder=folder / "tiny", pieces=8000, steps=1)
    larger = tiny_encoder(texts, folder=folder / "larger", pieces=8000, width=256, layers=4, steps=1)
    return tiny, larger


def main(root: str | None, repeats: int, only: str | None) -> None:
    """Print the tables."""
    torch.set_num_threads(1)
    task = toy.inference
    texts = [
        text
        for language in task.languages
        for column in task.head.columns
        for text in task.load(language, "train")[column][:400]
    ]
    if root:
        rows = xnli.load("en", "train", root)
        texts += [text for column in ("premise", "hypothesis") for text in rows[column][:3000]]
    with tempfile.TemporaryDirectory() as scratch:
        tiny, larger = encoders(texts, Path(scratch))
        rows = long_rows(task, 400)
        if only in (None, "step"):
            ways: Ways = {
                "fit": lambda: time_fit(tiny, task, rows, 60),
                "transformers' Trainer": lambda: time_trainer(tiny, task, rows, 60),
                "a bare loop": lambda: time_bare_loop(tiny, task, rows, 60),
            }
            compare(f"A step of the tiny encoder, {BATCH} x {LENGTH}", ways, repeats, "at most 1.02 of the second")
        if only in (None, "bare"):
            ways = {
                "fit": lambda: time_fit(larger, task, rows, 8),
                "a bare loop": lambda: time_bare_loop(larger, task, rows, 8),
            }
            compare(f"A step of 4 layers of 256, {BATCH} x {LENGTH}", ways, repeats, "at most 1.05")
        if only in (None, "evaluation"):
            evaluation(tiny, repeats)
        if only in (None, "padding"):
            padding(tiny, root, repeats, 20)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--data", default=os.environ.get("XQUALITY_DATA"), help="a folder of local data; toy rows without"
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", choices=("step", "bare", "evaluation", "padding"))
    given = parser.parse_args()
    main(given.data, given.repeats, given.only)
