"""Writes down what must not change while code is moved or renamed, and compares it with what was written down.

    python tests/unchanged.py write  [SECTION ...]   record today's values in unchanged.json
    python tests/unchanged.py check  [SECTION ...]   compare with them; exit status 1 and the difference if any

Sections: `transforms` (digests of every transform's output on fixed rows), `fits` (digests of the weights of three
chains), `parity` (cases that agree with the official XTREME code) and `quickstart` (every number of `make demo`), which
takes minutes. Weights and what is computed from them are bits of one processor and one version of torch: the file says
which.
"""

import argparse
import importlib
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
FILE = HERE / "unchanged.json"
SHARED = HERE.parents[1] / "shared"


def machine() -> dict[str, str]:
    """Return what decides the bits of trained weights besides this package."""
    import numpy as np
    import torch
    import transformers

    processor = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    return {
        "processor": f"{processor[1] if processor else 'unknown'}, {torch.backends.cpu.get_cpu_capability()}",
        "torch": torch.__version__,
        "numpy": np.__version__,
        "transformers": transformers.__version__,
    }


def rows(count: int = 40) -> Any:
    """Return rows with a label, a second text, a difficulty and probabilities, in three languages."""
    import numpy as np
    from datasets import ClassLabel, Dataset, Features, List, Value

    from xquality import toy

    texts = [
        text for language in ("es", "ru", "zh") for text in toy.topics.load(language, "train")["text"][: count // 3 + 1]
    ]
    numbers = np.random.default_rng(7)
    probabilities = numbers.dirichlet(np.ones(3), count)
    features = Features(
        {
            "text": Value("string"),
            "part": Value("string"),
            "label": ClassLabel(names=["a", "b", "c"]),
            "difficulty": Value("float64"),
            "probabilities": List(Value("float64")),
            "question": Value("string"),
        }
    )
    return Dataset.from_dict(
        {
            "text": texts[:count],
            "part": [f"{'the' if row % 2 else 'una'} part {row % 7}" for row in range(count)],
            "label": numbers.integers(0, 3, count).tolist(),
            "difficulty": numbers.random(count).tolist(),
            "probabilities": probabilities.tolist(),
            "question": ["cause" if row % 2 else "effect" for row in range(count)],
        },
        features=features,
    )


def transforms() -> dict[str, str]:
    """Return the digest of the output of every transform on fixed rows, by its repr."""
    import xquality as xq
    from xquality import toy

    base = xq.with_uid(rows())
    matrix = ((0.6, 0.4, 0.0), (0.1, 0.8, 0.1), (0.3, 0.3, 0.4))
    vocabulary = xq.Vocabulary.fit(toy.topics.load("es", "train"), ["text"])
    subsamples: tuple[dict[str, Any], ...] = (
        *({"n": 20}, {"fraction": 0.4, "stratify_by": ("label", "part"), "stream": 3}),
        *({"fraction": 0.5, "exact": False}, {"n": 17, "stratify_by": "part", "temperature": 3.0}),
        *({"n": 20, "method": "hardest", "by": "difficulty"},),
        *({"fraction": 0.3, "method": "easiest", "by": "difficulty"},),
        *({"n": 15, "method": "diverse", "by": "probabilities"},),
        *({"fraction": 0.4, "stratify_by": ("label", "length:text")},),
    )
    cases: list[tuple[Any, Any]] = [
        (transform, base)
        for transform in (
            *(xq.Subsample(**settings) for settings in subsamples),
            xq.LabelNoise(rate=0.3),
            xq.LabelNoise(rate=0.3, exact=False, stream=1),
            xq.PairNoise(rate=0.3),
            xq.PairNoise(rate=0.5, exact=False),
            xq.MatrixNoise(matrix),
            xq.MatrixNoise(matrix, exact=False),
            xq.InstanceNoise(rate=0.3),
            xq.TranslationNoise(severity=0.3),
            xq.TranslationNoise(severity=0.6, errors=("reordering", "untranslated"), parallel=("part",), stream=1),
            xq.TranslationNoise(severity=0.5, vocabulary=vocabulary),
            xq.CleanlabFilter(text_columns=("text",)),
            xq.CleanlabFilter(action="relabel", folds=3),
            xq.CleanlabFilter(action="flag", max_fraction=0.1),
            xq.CleanlabFilter(action="weight", probabilities="probabilities"),
            xq.CleanlabFilter(
                action="flag", probabilities="probabilities", batch_size=16, filter_by="low_normalized_margin"
            ),
            xq.Deduplicate(columns=("part",)),
            xq.Deduplicate(columns=("text",), method="minhash", threshold=0.4, unit="characters", size=2),
            xq.LengthRatioFilter(columns=("text", "part"), maximum=9.5),
            xq.LanguageFilter("ru", minimum_letters=2),
        )
    ]
    for language in ("en", "ar", "zh"):
        cases += [
            (xq.TagNoise(0.5), toy.entities.load(language, "train")),
            (xq.SpanNoise(0.4), toy.questions.load(language, "train")),
            (xq.ChoiceNoise(0.4), toy.choices.load(language, "train")),
            (xq.TranslationNoise(0.4, columns=("context",)), toy.questions.load(language, "train")),
            (xq.TranslationNoise(0.7, columns=("context",), lost="drop"), toy.questions.load(language, "train")),
            (xq.TranslationNoise(0.4, columns=("tokens",)), toy.entities.load(language, "train")),
            (xq.LabelNoise(0.2) >> xq.Subsample(fraction=0.5), toy.inference.load(language, "train")),
        ]
    other = toy.topics.load("de", "validation")
    cases.append((xq.Mix(other, rate=0.3), toy.topics.load("es", "validation")))
    cases.append((xq.Mix(other, rate=0.3, exact=False), toy.topics.load("es", "validation")))
    return {
        f"{number:02} {type(transform).__name__}": xq.digest(transform(data, seed=11))
        for number, (transform, data) in enumerate(cases)
    }


def fits() -> dict[str, Any]:
    """Return the digest of the weights after each stage of three chains, the scores of one, and the machine."""
    from xquality import toy
    from xquality.heads import MaskedLMHead
    from xquality.models import tiny_encoder
    from xquality.tasks import Task
    from xquality.train import Mixture, Probe, Stage, fit

    languages = ("en", "es", "de", "ar")
    parallel = {language: toy.sentences.load(language, "train")["source_sentence"][:300] for language in languages}
    texts = [text for sentences in parallel.values() for text in sentences]
    quick: dict[str, Any] = {"steps": 12, "batch_size": 8}
    masked = Task("toy.masked", toy.topics.languages, "en", toy.topics.source, MaskedLMHead())
    chains = {
        "topics": [Stage(toy.topics, None, "es", **quick, group_by_length=True), Stage(toy.topics, **quick)],
        "mixture": [Stage(Mixture((toy.topics, toy.inference)), **quick), Stage(toy.entities, **quick)],
        "masked": [Stage(masked, None, "ar", **quick), Stage(toy.questions, schedule="linear", **quick)],
    }
    found: dict[str, Any] = {"machine": machine()}
    with tempfile.TemporaryDirectory() as folder:
        encoder = tiny_encoder(
            texts, folder=Path(folder) / "encoder", parallel=parallel, pieces=1000, width=32, steps=60
        )
        for name, stages in chains.items():
            probe = Probe(languages=("de", "ar"), rows=20, points=4) if name == "topics" else None
            fitted = fit(stages, model=encoder, seed=5, threads=1, evaluate_on=probe)
            found[name] = [stage["weights_after"] for stage in fitted.history.stages]
            if probe:
                found["curve"] = list(fitted.history.curve("accuracy")[1])
    return found


def parity() -> dict[str, str]:
    """Return what the tests against the official code count, by file of cases."""
    command = [sys.executable, "-m", "pytest", "-p", "no:randomly", "tests/metrics/test_parity.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=HERE.parent)
    lines = (line.partition(": ") for line in done.stdout.splitlines() if "agree" in line)
    return {name: counted for name, _, counted in lines}


def cells(folder: Path) -> dict[str, Any]:
    """Return the scores, curves and measures of the finished cells of a study, by their settings."""
    from xquality.study.columns import from_columns

    found = {}
    for file in sorted((folder / "cells").glob("*.json")):
        kept = json.loads(file.read_text(encoding="utf-8"))
        result = kept["result"]
        scores = {
            f"{score['task']} {score['language']} {score['metric']}": score["value"]
            for score in from_columns(result["scores"])
        }
        points = [point["value"] for point in from_columns(result["history"]["points"])]
        found[json.dumps(kept["cell"], sort_keys=True)] = {
            "scores": scores,
            "points": points,
            "measures": result["measures"],
        }
    return found


def example(path: str) -> Any:
    """Import an example as a module."""
    sys.path.insert(0, str((HERE.parent / "examples" / path).parent))
    return importlib.import_module(Path(path).stem)


def quickstart() -> dict[str, Any]:
    """Return every number of the cells of the quickstart study."""
    with tempfile.TemporaryDirectory() as folder:
        example("quickstart.py").main(Path(folder) / "quickstart")
        return {"machine": machine(), **cells(Path(folder) / "quickstart")}


SECTIONS: dict[str, Callable[[], dict[str, Any]]] = {
    made.__name__: made for made in (transforms, fits, parity, quickstart)
}


def recorded() -> dict[str, dict[str, Any]]:
    """Return what was written down, by section."""
    found: dict[str, dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    return found


def differences(section: str) -> list[str]:
    """Return a line for each value of a section that is not what was written down."""
    before, now = recorded()[section], json.loads(json.dumps(SECTIONS[section]()))
    names = [*before, *(name for name in now if name not in before)]
    return [
        f"{section}, {name}: {before.get(name)!r:.200} was written down, {now.get(name)!r:.200} was found"
        for name in names
        if before.get(name) != now.get(name)
    ]


def main() -> int:
    """Write or check the sections that are asked for."""
    parser = argparse.ArgumentParser(description="Write down or check what must not change.")
    parser.add_argument("action", choices=("write", "check"))
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"of {', '.join(SECTIONS)}; all by default")
    chosen = parser.parse_args()
    lines: list[str] = []
    for section in chosen.sections or SECTIONS:
        if chosen.action == "write":
            kept = recorded() | {section: SECTIONS[section]()}
            FILE.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        else:
            found = differences(section)
            sys.stdout.write(f"{section}: {len(recorded()[section])} values, {len(found)} differ\n")
            lines += found
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return int(bool(lines))


if __name__ == "__main__":
    sys.exit(main())
