"""Training on a GPU: one step of XLM-R Large's shape beside transformers' Trainer, and the pretrained study whole.

The step is in bfloat16, with random weights and rows of one length, so that every batch has one shape; it is given in
tokens a second, and as a share of the rate at which the GPU multiplies large matrices, measured just before. A step
takes 6 operations a weight and token (forward and backward), the word embeddings left out, and 12 a layer, width and
pair of tokens for attention. Steps are timed on the wall clock, after the GPU has finished; medians are compared.

python benchmarks/bench_gpu.py [--steps N] [--batch N] [--length N] [--small]
python benchmarks/bench_gpu.py --study --data FOLDER --model FOLDER [--seeds N]

Without a GPU it says so and ends; `--small` runs the same code with a small shape on any machine.
"""

import argparse
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import datasets
import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    XLMRobertaConfig,
    XLMRobertaModel,
)

from xquality import toy
from xquality.models import tiny_encoder
from xquality.models.model import quiet_transformers
from xquality.train import Stage, fit

datasets.disable_progress_bars()

STUDY = Path(__file__).parents[1] / "examples" / "studies" / "quality_vs_quantity.py"
LARGE = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}
SMALL = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 256}


class Clock(TrainerCallback):
    """Reads the wall clock after every step, when the GPU has finished it."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:  # noqa: ARG002 (the callback's signature)
        """Read the clock."""
        wait_for_gpu()
        self.times.append(time.perf_counter())

    @property
    def step(self) -> float:
        """The median over steps; the first five warm up."""
        return statistics.median(after - before for before, after in itertools.pairwise(self.times[5:]))


def wait_for_gpu() -> None:
    """Wait until the GPU has done what it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def measure_matrix_rate(size: int, device: str) -> float:
    """Return the operations a second of multiplying two square matrices in bfloat16, the median of 10 times."""
    left, right = (torch.randn(size, size, dtype=torch.bfloat16, device=device) for _ in range(2))
    seconds = []
    for _ in range(13):
        wait_for_gpu()
        started = time.perf_counter()
        _ = left @ right
        wait_for_gpu()
        seconds.append(time.perf_counter() - started)
    return 2 * size**3 / statistics.median(seconds[3:])


def build_encoder(folder: Path, shape: dict[str, int], vocabulary: int) -> Path:
    """Write an encoder of a shape with random weights, and a tokenizer trained on toy sentences."""
    texts = toy.topics.load("en", "train")["text"][:]
    tiny = tiny_encoder(texts, folder=folder / "tiny", pieces=2000, width=16, steps=1)
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    tokenizer.model_max_length = 512
    sizes: dict[str, Any] = {**shape, "vocab_size": max(vocabulary, len(tokenizer)), "max_position_embeddings": 514}
    config = XLMRobertaConfig(pad_token_id=1, **sizes)
    torch.manual_seed(0)
    XLMRobertaModel(config).save_pretrained(folder / "encoder")
    tokenizer.save_pretrained(folder / "encoder")
    return folder / "encoder"


def long_rows(length: int) -> datasets.Dataset:
    """Return rows so long that each is cut at the same length: then every batch has one shape."""
    return toy.topics.load("en", "train").map(lambda row: {"text": f"{row['text']} " * length})


def time_fit(encoder: Path, options: argparse.Namespace) -> float:
    """Return the seconds of a step of `fit`."""
    clock = Clock()
    stage = Stage(
        toy.topics,
        long_rows(options.length),
        steps=options.steps,
        batch_size=options.batch,
        max_length=options.length,
        precision="bfloat16",
        callbacks=(clock,),
    )
    fit([stage], model=encoder, seed=1)
    return clock.step


def time_trainer(encoder: Path, options: argparse.Namespace) -> float:
    """Return the seconds of a step of transformers' Trainer with its defaults."""
    clock, tokenizer = Clock(), AutoTokenizer.from_pretrained(encoder)

    def encode(batch: dict[str, list[str]]) -> Any:
        return {**tokenizer(batch["text"], truncation=True, max_length=options.length), "label": batch["label"]}

    rows = long_rows(options.length)
    torch.manual_seed(1)
    network = AutoModelForSequenceClassification.from_pretrained(encoder, num_labels=rows.features["label"].num_classes)
    with tempfile.TemporaryDirectory() as scratch:
        arguments = TrainingArguments(
            scratch,
            max_steps=options.steps,
            per_device_train_batch_size=options.batch,
            bf16=True,
            use_cpu=not torch.cuda.is_available(),
            disable_tqdm=True,
            report_to="none",
        )
        trainer = Trainer(
            model=network,
            args=arguments,
            train_dataset=rows.map(encode, batched=True, remove_columns=rows.column_names),
            data_collator=DataCollatorWithPadding(tokenizer),
            callbacks=[clock],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    return clock.step


def count_operations(shape: dict[str, int], batch: int, length: int) -> float:
    """Return the operations of a training step: 6 a weight and token, and 12 a layer, width and pair of tokens."""
    width, layers, inner = shape["hidden_size"], shape["num_hidden_layers"], shape["intermediate_size"]
    weights = layers * (4 * width**2 + 2 * width * inner)
    return batch * length * (6 * weights + 12 * layers * width * length)


def print_step(options: argparse.Namespace, device: str) -> None:
    """Print the table of a step."""
    shape = SMALL if options.small else LARGE
    rate = measure_matrix_rate(1024 if options.small else 8192, device)
    print(f"Matrices in bfloat16: {rate / 1e12:,.1f} TFLOP/s ({device})")
    operations = count_operations(shape, options.batch, options.length)
    with tempfile.TemporaryDirectory() as place, quiet_transformers():
        encoder = build_encoder(Path(place), shape, 2000 if options.small else 250_002)
        for name, measure in (("fit", time_fit), ("transformers' Trainer", time_trainer)) * 2:
            seconds = measure(encoder, options)
            tokens, share = options.batch * options.length / seconds, operations / seconds / rate
            print(f"{name:22} {1000 * seconds:9.1f} ms a step  {tokens:10,.0f} tokens/s  {100 * share:5.1f} % of it")


def run_study(options: argparse.Namespace) -> None:
    """Run the pretrained study with all layers and the whole vocabulary; print the seconds it took."""
    started = time.perf_counter()
    command = [sys.executable, STUDY, "pretrained", "--untrimmed", "--model", options.model, "--data", options.data]
    subprocess.run([*map(str, command), "--seeds", str(options.seeds)], check=True)
    print(f"The study with {options.seeds} seeds took {time.perf_counter() - started:.0f} s")


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--small", action="store_true", help="a small shape, on any machine")
    parser.add_argument("--study", action="store_true", help="run the pretrained study instead")
    parser.add_argument("--data", type=Path, default=os.environ.get("XQUALITY_DATA"), help="folder of local data")
    parser.add_argument("--model", help="a Hub id or a local folder")
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    if not torch.cuda.is_available() and not options.small:
        print("Not run: torch finds no GPU; --small runs the same code with a small shape.")
        return
    if options.study:
        run_study(options)
    else:
        print_step(options, "cuda" if torch.cuda.is_available() else "cpu")


if __name__ == "__main__":
    main()
