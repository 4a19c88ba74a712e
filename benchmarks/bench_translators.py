"""Neural engines at the shape of an OPUS-MT model: batches by length, and CTranslate2 beside transformers.

The weights are random, so the model does not know when to stop: each batch is translated to as many tokens as its
longest text has, as a trained model does on average. Times are processor time of one thread; the ways are run in turn,
and medians are compared.

python benchmarks/bench_translators.py [--texts N] [--batch N] [--repeats N] [--layers N]
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from transformers import GenerationConfig

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from tiny_translators import texts as toy_texts
from tiny_translators import write_marian

from xquality.translators.checkpoint import load_network, open_checkpoint
from xquality.translators.ctranslate2 import convert, import_package
from xquality.translators.transformers import batches_by_length

torch.set_num_threads(1)

Generate = Callable[[list[list[int]], int], Any]


def make_texts(count: int) -> list[str]:
    """Return texts of lengths spread as those of sentences are: 16 words in the median, 40 and more in a tenth."""
    words = " ".join(toy_texts("en")).split()
    lengths = np.exp(np.random.default_rng(0).normal(np.log(16), 0.7, count)).clip(2, 80).astype(int)
    starts = np.random.default_rng(1).integers(0, len(words) - 80, count)
    return [" ".join(words[start : start + length]) for start, length in zip(starts, lengths, strict=True)]


def measure(sources: Sequence[list[int]], batches: Sequence[Sequence[int]], generate: Generate) -> float:
    """Return the seconds of processor time that translating the batches takes."""
    begun = time.process_time()
    for numbers in batches:
        batch = [sources[number] for number in numbers]
        generate(batch, max(map(len, batch)))
    return time.process_time() - begun


def by_transformers(network: Any) -> Generate:
    """Return a function that translates a batch by transformers."""
    padding = network.config.pad_token_id

    def generate(batch: list[list[int]], length: int) -> Any:
        ids = torch.tensor([[*row, *[padding] * (length - len(row))] for row in batch])
        settings = GenerationConfig(
            max_new_tokens=length, min_new_tokens=length, pad_token_id=padding, eos_token_id=0,
            decoder_start_token_id=padding,
        )  # fmt: skip
        with torch.inference_mode():
            return network.generate(input_ids=ids, attention_mask=(ids != padding).long(), generation_config=settings)

    return generate


def by_ctranslate2(folder: Path, compute_type: str, tokenizer: Any) -> Generate:
    """Return a function that translates a batch by CTranslate2."""
    translator = import_package().Translator(str(folder), compute_type=compute_type, inter_threads=1, intra_threads=1)

    def generate(batch: list[list[int]], length: int) -> Any:
        return translator.translate_batch(
            [tokenizer.convert_ids_to_tokens(row) for row in batch],
            beam_size=1, min_decoding_length=length, max_decoding_length=length, max_input_length=0,
        )  # fmt: skip

    return generate


def main() -> None:
    """Print sentences a second for each way, and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=256)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--layers", type=int, default=6)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as parent:
        shape = {
            "d_model": 512, "encoder_layers": given.layers, "decoder_layers": given.layers,
            "encoder_attention_heads": 8, "decoder_attention_heads": 8, "encoder_ffn_dim": 2048,
            "decoder_ffn_dim": 2048, "max_position_embeddings": 512, "init_std": 0.02,
        }  # fmt: skip
        folder = write_marian(Path(parent) / "opus-mt-en-es", size=8000, **shape)
        checkpoint = open_checkpoint(str(folder), None)
        network = load_network(checkpoint, "float32")
        sources = checkpoint.encode(make_texts(given.texts), "en", "es", truncate=True)
        lengths = [len(ids) for ids in sources]
        together = list(batches_by_length(lengths, given.batch))
        as_they_come = [
            list(range(start, min(start + given.batch, len(sources)))) for start in range(0, len(sources), given.batch)
        ]
        plain = by_transformers(network)
        ways: dict[str, tuple[Sequence[Sequence[int]], Generate]] = {
            "transformers, as they come": (as_they_come, plain),
            "transformers, by length": (together, plain),
        }
        for compute_type in ("float32", "int8"):
            converted = convert(checkpoint, compute_type, Path(parent))
            ways[f"CTranslate2 {compute_type}, by length"] = (
                together, by_ctranslate2(converted, compute_type, checkpoint.tokenizer)
            )  # fmt: skip
        weights = sum(weight.numel() for weight in network.parameters())
        print(f"{weights / 1e6:.1f} million weights, {len(sources)} texts of {np.mean(lengths):.1f} tokens on average")
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(given.repeats):
            for name, (batches, generate) in ways.items():
                times[name].append(measure(sources, batches, generate))
        medians = {name: statistics.median(found) for name, found in times.items()}
        first = medians["transformers, by length"]
        for name, seconds in medians.items():
            print(f"{name:34} {len(sources) / seconds:7.1f} texts/s   {first / seconds:5.2f} x")


if __name__ == "__main__":
    main()
