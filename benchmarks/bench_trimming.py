"""What trimming an encoder saves: megabytes and the time of a training step, before and after, and that outputs agree.

The encoder is a local folder (multilingual-e5-small, for example); XLM-R's shape is built with its tokenizer and random
weights. Both are trimmed to the word pieces of SIB-200 in 14 languages, with all layers and with every second one.
Steps are timed in processor time of one thread, in turn, and their medians are compared.

python benchmarks/bench_trimming.py --model FOLDER [--data FOLDER] [--texts N] [--steps N]
"""

import argparse
import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import datasets
import torch
from transformers import AutoModel, AutoTokenizer, TrainerCallback, XLMRobertaConfig, XLMRobertaModel

from xquality.models import load_encoder, trim_encoder
from xquality.models.model import quiet_transformers
from xquality.tasks import sib200
from xquality.train import Stage, fit

datasets.disable_progress_bars()
torch.set_num_threads(1)

LANGUAGES = (
    *("eng_Latn", "spa_Latn", "deu_Latn", "fra_Latn", "por_Latn", "rus_Cyrl", "arb_Arab", "hin_Deva"),
    *("tur_Latn", "ind_Latn", "swh_Latn", "vie_Latn", "zho_Hans", "jpn_Jpan"),
)
BATCH = 16


class Clock(TrainerCallback):
    """Reads the processor's clock after every step."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:  # noqa: ARG002 (the callback's signature)
        """Read the clock."""
        self.times.append(time.process_time())


def build_xlmr(tokenizer_folder: Path, folder: Path) -> Path:
    """Write XLM-R base's shape with random weights, and the tokenizer of another encoder."""
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder)
    torch.manual_seed(0)
    config = XLMRobertaConfig(vocab_size=len(tokenizer), max_position_embeddings=514, pad_token_id=1)
    XLMRobertaModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def mean_outputs(folder: Path, texts: Sequence[str]) -> torch.Tensor:
    """Return the mean of the last hidden states of each text, shape (texts, width)."""
    network, tokenizer = load_encoder(folder)
    network.train(mode=False)
    vectors = []
    with torch.no_grad():
        for start in range(0, len(texts), BATCH):
            batch = tokenizer(list(texts[start : start + BATCH]), padding=True, truncation=True, return_tensors="pt")
            mask = batch["attention_mask"].unsqueeze(-1)
            states = network(**batch).last_hidden_state
            vectors.append((states * mask).sum(1) / mask.sum(1))
    return torch.cat(vectors)


def time_step(folder: Path, root: Path, steps: int, *, frozen: bool) -> float:
    """Return the time of a training step, the median over steps; the first one warms up."""
    clock = Clock()
    rows = sib200.load("eng_Latn", "train", root)
    settings: dict[str, Any] = {"steps": steps, "batch_size": BATCH, "max_length": 128, "callbacks": (clock,)}
    fit([Stage(sib200, rows, "eng_Latn", frozen_embeddings=frozen, **settings)], model=folder, seed=1, threads=1)
    return statistics.median(after - before for before, after in itertools.pairwise(clock.times))


def count_megabytes(folder: Path) -> float:
    """Return the size of a folder's files."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def print_table(name: str, whole: Path, texts: Sequence[str], options: argparse.Namespace, scratch: Path) -> None:
    """Print the rows of one encoder."""
    depth = int(AutoModel.from_pretrained(whole).config.num_hidden_layers)
    every = trim_encoder(whole, texts, folder=scratch / f"{name}-all")
    half = trim_encoder(whole, texts, folder=scratch / f"{name}-half", layers=tuple(range(0, depth, 2)))
    sample = texts[:: max(1, len(texts) // options.texts)][: options.texts]
    expected = mean_outputs(whole, sample)
    for label, folder in (("whole", whole), (f"trimmed, {depth} layers", every), (f"trimmed, {depth // 2}", half)):
        pieces = len(AutoTokenizer.from_pretrained(folder))
        step, frozen = (time_step(folder, options.data, options.steps, frozen=still) for still in (False, True))
        same = folder is not half
        gap = f"{(mean_outputs(folder, sample) - expected).abs().max().item():.2g}" if same else ""
        size = count_megabytes(folder)
        print(f"{name:8} {label:20} {pieces:8,} {size:8.0f} {step:8.2f} {frozen:8.2f} {gap:>10}", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="folder of a pretrained encoder")
    parser.add_argument("--data", type=Path, default=os.environ.get("XQUALITY_DATA"), help="folder of local data")
    parser.add_argument("--texts", type=int, default=1000, help="on how many texts outputs are compared")
    parser.add_argument("--steps", type=int, default=6)
    options = parser.parse_args()
    if options.data is None or options.model is None:
        print(
            "Not run: --model names the folder of a pretrained encoder, --data (or XQUALITY_DATA) that of local data."
        )
        return
    splits = ("train", "validation", "test")
    texts = [
        text for name in LANGUAGES for split in splits for text in sib200.load(name, split, options.data)["text"][:]
    ]
    print(f"{'encoder':8} {'':20} {'pieces':>8} {'MB':>8} {'s/step':>8} {'frozen':>8} {'difference':>10}")
    with tempfile.TemporaryDirectory() as place, quiet_transformers():
        scratch = Path(place)
        print_table("E5", options.model, texts, options, scratch)
        print_table("XLM-R", build_xlmr(options.model, scratch / "xlmr"), texts, options, scratch)
    print(
        f"\ns/step: processor seconds of a training step (batch {BATCH}, float32, one thread); frozen: the same with "
        f"frozen_embeddings=True; difference: the largest one of mean-pooled outputs on {options.texts:,} texts"
    )


if __name__ == "__main__":
    main()
