"""Scoring many languages in one pass, compared with a Trainer.predict for each: the same model, the same rows.

The comparison is with transformers' Trainer with its defaults (eight rows at a time, in their order, padded to the
longest of the eight), and with larger batches. All times include tokenising, predicting and the accuracy; differing
predictions are counted.

python benchmarks/bench_evaluate.py [--data FOLDER] [--languages N] [--rows N] [--layers N]
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import datasets
import numpy as np
import torch
from transformers import DataCollatorWithPadding, PrinterCallback, Trainer, TrainingArguments

from xquality import toy
from xquality.errors import SourceError
from xquality.evaluation import evaluate
from xquality.evaluation.evaluation_set import make_evaluation_set, predict
from xquality.metrics import classification
from xquality.models import Model, tiny_encoder
from xquality.tasks import MemorySource, Task, xnli
from xquality.train import Stage, fit

datasets.disable_progress_bars()

LANGUAGES = 15  # of XNLI


def task_of(folder: str | None, count: int, most: int | None) -> Task:
    """Return XNLI's rows, or toy rows, in `count` languages; languages with data are repeated where they are fewer."""
    root = folder or os.environ.get("XQUALITY_DATA")
    task = xnli if root else toy.inference
    present = []
    for language in task.languages:
        try:
            task.load(language, "test", root)
            present.append(language)
        except SourceError:
            print(f"{task.name} has no {language} in this folder")
    kept = {language: task.load(language, "test", root) for language in present}
    if most is not None:
        kept = {language: data.select(range(min(most, len(data)))) for language, data in kept.items()}
    names = [f"{present[place % len(present)]}{'' if place < len(present) else '_again'}" for place in range(count)]
    source = MemorySource({(name, "test"): kept[name.removesuffix("_again")] for name in names})
    return Task(task.name, tuple(names), names[0], source, task.head)


def by_trainer(model: Model, task: Task, **settings: object) -> dict[str, list[int]]:
    """Return the predictions of one Trainer.predict for each language."""
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        arguments = TrainingArguments(
            output_dir=scratch, report_to="none", disable_tqdm=True, use_cpu=not torch.cuda.is_available(), **settings
        )
        collate = DataCollatorWithPadding(model.tokenizer)
        trainer = Trainer(model=model.network, args=arguments, data_collator=collate)
        trainer.remove_callback(PrinterCallback)
        for language in task.languages:
            data = task.load(language, "test")
            columns = [name for name in ("premise", "hypothesis") if name in data.column_names]

            def encode(batch: dict[str, list[str]], columns: list[str] = columns) -> object:
                return model.tokenizer(
                    *(batch[column] for column in columns), truncation=True, max_length=model.max_length
                )

            encoded = data.map(encode, batched=True, remove_columns=data.column_names, load_from_cache_file=False)
            logits = trainer.predict(encoded).predictions
            found[language] = np.argmax(logits, axis=-1).tolist()
            classification.accuracy(found[language], data["label"][:])
    return found


def median(call: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Return the median time of a call in seconds, on the clock and on the processors."""
    taken = []
    for _ in range(repeats):
        started, worked = time.perf_counter(), time.process_time()
        call()
        taken.append((time.perf_counter() - started, time.process_time() - worked))
    return statistics.median(clock for clock, _ in taken), statistics.median(work for _, work in taken)


def model_for(task: Task, folder: Path, layers: int) -> Model:
    """Return a small encoder over the task's own texts, with a head trained for a few steps."""
    texts = [
        text
        for name in task.languages
        for column in task.head.columns
        for text in task.load(name, "test")[column][:400]
    ]
    encoder = tiny_encoder(texts, folder=folder / "encoder", pieces=8000, width=128, layers=layers, steps=1)
    rows = task.load(task.languages[0], "test").select(range(64))
    return fit(
        [Stage(task, rows, steps=4, batch_size=16)], model=encoder, seed=1, threads=torch.get_num_threads()
    ).model


def main(folder: str | None, count: int, most: int | None, layers: int, repeats: int) -> None:
    """Print the table."""
    task = task_of(folder, count, most)
    languages = task.languages
    with tempfile.TemporaryDirectory() as scratch:
        model = model_for(task, Path(scratch), layers)
        rows = sum(len(task.load(language, "test")) for language in languages)
        ways: dict[str, Callable[[], object]] = {
            "evaluate, one pass": lambda: evaluate(model, task, split="test"),
            "Trainer.predict a language, as it comes": lambda: by_trainer(model, task),
            "Trainer.predict a language, 128 rows": lambda: by_trainer(model, task, per_device_eval_batch_size=128),
        }
        ours = dict(
            zip(languages, predict(model, make_evaluation_set(model, task, languages, "test", None)), strict=True)
        )
        theirs = by_trainer(model, task)
        differing = sum(
            label != other for name in languages for label, other in zip(ours[name], theirs[name], strict=True)
        )
        times = {name: median(call, repeats) for name, call in ways.items()}
    clock, work = next(iter(times.values()))
    print(f"\n{task.name}: {len(languages)} languages, {rows:,} rows, {layers} layers of width 128, ", end="")
    print(f"{torch.get_num_threads()} threads; {differing} predictions differ")
    for name, (seconds, worked) in times.items():
        print(
            f"  {name:42} {seconds:8.2f} s x{seconds / clock:.2f}   processor {worked:8.2f} s x{worked / work:.2f}   "
            f"{rows / seconds:8.0f} rows/s"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", help="a folder of local data; XQUALITY_DATA, or toy rows, without it")
    parser.add_argument("--languages", type=int, default=LANGUAGES)
    parser.add_argument("--rows", type=int, help="at most this many rows of each language")
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    main(given.data, given.languages, given.rows, given.layers, given.repeats)
