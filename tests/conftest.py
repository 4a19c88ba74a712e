"""Fixtures: one example of every public transform, one tiny encoder for all tests, and the shared folders."""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # before anything reads it

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, Features
from hypothesis import HealthCheck, settings

import xquality as xq
from xquality import toy
from xquality.models import tiny_encoder
from xquality.transforms import FunctionTransform, SimilarityFilter, Transform, UntranslatedFilter
from xquality.translators import FunctionTranslator

settings.register_profile("xquality", deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("xquality")

SPAN_KINDS = ("shift", "widen", "elsewhere", "unanswerable")


def shout(row):
    """A function of a row, for a transform."""
    return {"text": row["text"].upper()}


def reverse_words(texts, source, target):
    """A function of texts, for a translator: the words in the other order and in capitals."""
    return [" ".join(text.upper().split()[::-1]) for text in texts]


def number_texts(texts, source, target):
    """A function of texts whose translations depend on the other texts."""
    return [f"{text} {number} of {len(texts)}" for number, text in enumerate(texts)]


def swap_halves(texts, source, target):
    """A function of texts that keeps brackets but loses those of some texts, and puts the second half first."""
    kept = [text if len(text) % 5 else text.translate(str.maketrans("", "", "[]{}")) for text in texts]
    return [" ".join([*words[len(words) // 2 :], *words[: len(words) // 2]]) for words in map(str.split, kept)]


def rows_with_options() -> Dataset:
    """Return rows of multiple choice with their options in a list, some of them null."""
    data = toy.choices.load("en", "test").select(range(60))
    options = [[row["choice1"], row["choice2"]] for row in data]
    options[2:5] = [None, [], ["yes", None]]
    return data.add_column("options", options)


REVERSING = FunctionTranslator(reverse_words, "reversing", "1")
SWAPPING = FunctionTranslator(swap_halves, "swapping", "1")
NUMBERING = FunctionTranslator(number_texts, "numbering", "1", context_free=False)

# Where the encoder of an example is written when its rows are first needed.
_SCRATCH = tempfile.TemporaryDirectory(prefix="xquality-tests-")
_ENCODER = Path(_SCRATCH.name) / "encoder"


def translated_rows() -> Dataset:
    """Return rows as translating them leaves them, some of them untranslated."""
    data = toy.sentences.load("es", "train").select(range(60))
    if not _ENCODER.exists():
        tiny_encoder(data["target_sentence"][:], folder=_ENCODER, pieces=200, width=16, steps=1)
    sources = [None if place % 9 == 0 else text for place, text in enumerate(data["target_sentence"])]
    texts = [
        source if source and place % 4 == 0 else text
        for place, (source, text) in enumerate(zip(sources, data["source_sentence"], strict=True))
    ]
    return Dataset.from_dict({"text": texts, "text_before": sources})


# Every public transform, with settings that change something; a test fails where one has no example here or below.
EXAMPLES: tuple[Transform, ...] = (
    xq.Subsample(n=20),
    xq.Subsample(fraction=0.5),
    xq.Subsample(fraction=0.4, stratify_by="label"),
    xq.Subsample(fraction=0.4, stratify_by=("label", "part"), stream=3),
    xq.Subsample(fraction=0.5, exact=False),
    xq.Subsample(n=17, stratify_by="part", temperature=3.0),
    xq.Subsample(n=20, method="hardest", by="difficulty"),
    xq.Subsample(fraction=0.3, method="easiest", by="difficulty"),
    xq.Subsample(n=15, method="diverse", by="probabilities"),
    xq.Subsample(fraction=0.4, stratify_by=("label", "length:text")),
    xq.LabelNoise(rate=0.3),
    xq.LabelNoise(rate=0.3, exact=False, stream=1),
    xq.PairNoise(rate=0.3),
    xq.PairNoise(rate=0.5, exact=False),
    xq.MatrixNoise(((0.6, 0.4, 0.0), (0.1, 0.8, 0.1), (0.3, 0.3, 0.4))),
    xq.MatrixNoise(((0.6, 0.4, 0.0), (0.1, 0.8, 0.1), (0.3, 0.3, 0.4)), exact=False),
    xq.InstanceNoise(rate=0.3),
    xq.ChoiceNoise(rate=0.4),
    xq.ChoiceNoise(rate=0.4, options=3, exact=False),
    xq.TranslationNoise(severity=0.3),
    xq.TranslationNoise(severity=0.6, errors=("reordering", "untranslated"), parallel=("part",), stream=1),
    xq.CleanlabFilter(text_columns=("text",)),
    xq.CleanlabFilter(action="relabel", folds=3),
    xq.CleanlabFilter(action="flag", max_fraction=0.1),
    xq.CleanlabFilter(action="weight", probabilities="probabilities"),
    xq.Deduplicate(columns=("part",)),
    xq.Deduplicate(columns=("text",), method="minhash", threshold=0.4, unit="characters", size=2),
    xq.LengthRatioFilter(columns=("text", "part"), maximum=9.5),
    xq.LengthRatioFilter(columns=("text", "part"), maximum=None, minimum_length=1, maximum_length=3, unit="words"),
    xq.LanguageFilter("ru", minimum_letters=2),
    xq.LanguageFilter("spa_Latn", columns=("text", "part"), minimum_probability=0.3, short="drop"),
    xq.CleanlabFilter(action="flag", probabilities="probabilities", batch_size=16, filter_by="low_normalized_margin"),
    FunctionTransform(shout, columns=("text",)),
    xq.TranslateTrain(REVERSING, "spa", "eng", ("text", "part")),
    xq.TranslateTrain(NUMBERING, "es", "en"),
    xq.RoundTripTranslation(REVERSING, "es", "en", back=NUMBERING),
)

# Those that read other columns than `toy_rows` has, with rows of their own.
EXAMPLES_WITH_ROWS: tuple[tuple[Transform, Callable[[], Dataset]], ...] = (
    (xq.TagNoise(0.4), lambda: toy.entities.load("tr", "validation")),
    (xq.TagNoise(0.4, exact=False, stream=2), lambda: toy.entities.load("es", "test")),
    (xq.SpanNoise(0.4, SPAN_KINDS), lambda: toy.questions.load("zh", "validation")),
    (xq.SpanNoise(0.4, SPAN_KINDS, exact=False), lambda: toy.questions.load("es", "validation")),
    (xq.ChoiceNoise(0.4, 2), lambda: toy.choices.load("es", "test")),
    (xq.Mix(toy.topics.load("de", "validation"), 0.4), lambda: toy.topics.load("es", "validation")),
    (xq.Mix(toy.topics.load("de", "validation"), 0.4, exact=False), lambda: toy.topics.load("es", "validation")),
    (xq.TranslationNoise(0.5, columns=("context",)), lambda: toy.questions.load("es", "validation")),
    (xq.TranslationNoise(0.5, columns=("context",), lost="drop"), lambda: toy.questions.load("ar", "validation")),
    (xq.TranslationNoise(0.5, columns=("tokens",)), lambda: toy.entities.load("zh", "validation")),
    (xq.TranslateTrain(REVERSING, "en", "es", ("premise", "options")), rows_with_options),
    (
        xq.TranslateTrain(SWAPPING, "es", "en", ("context", "question")),
        lambda: toy.questions.load("es", "validation"),
    ),
    (
        xq.TranslateTrain(SWAPPING, "es", "en", ("tokens",), lost="keep_original"),
        lambda: toy.entities.load("es", "validation"),
    ),
    (
        xq.TranslateTrain(REVERSING, "es", "en", references=toy.topics.load("en", "validation"), round_trip=True),
        lambda: toy.topics.load("es", "validation"),
    ),
    (xq.RoundTripTranslation(SWAPPING, "es", "en", ("tokens",)), lambda: toy.entities.load("es", "validation")),
    (UntranslatedFilter(maximum=0.4), translated_rows),
    (SimilarityFilter(_ENCODER, keep=0.6), translated_rows),
    (xq.CleanlabFilter(action="flag", column="ner_tags"), lambda: toy.entities.load("es", "validation")),
)


def pytest_configure(config: pytest.Config) -> None:
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    os.environ.pop("XQUALITY_DATA", None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests recorded about their agreement with the official code, also with several processes."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    recorded = [line for report in reports for name, line in report.user_properties if name == "agreement"]
    for line in sorted(recorded):
        terminalreporter.write_line(line)


def _shared(name: str) -> Path:
    """Return a folder that lies beside the repository, or skip; where the shared folder is there, never skip in CI."""
    beside = Path(__file__).resolve().parents[2] / "shared"
    folder = beside / name
    if folder.is_dir():
        return folder
    if os.environ.get("CI") == "true" and beside.is_dir():
        pytest.fail(f"{folder} is missing")
    pytest.skip(f"the real data of {folder} are not on this machine")


@pytest.fixture(scope="session")
def real_data() -> Path:
    return _shared("data")


@pytest.fixture(scope="session")
def parity() -> Path:
    return _shared("parity/xtreme")


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A very small encoder over toy sentences, built once a process."""
    parallel = {
        language: toy.sentences.load(language, "train")["source_sentence"][:300]
        for language in ("en", "es", "de", "ar")
    }
    texts = [text for sentences in parallel.values() for text in sentences]
    folder = tmp_path_factory.mktemp("encoder") / "tiny"
    return tiny_encoder(texts, folder=folder, parallel=parallel, pieces=1000, width=32, steps=60)


@pytest.fixture(scope="session")
def spanish() -> Dataset:
    return toy.topics.load("es", "train").select(range(200))


def toy_rows() -> Dataset:
    """Return the rows that every transform in `EXAMPLES` can work on."""
    data = toy.inference.load("es", "train").select(range(120)).rename_column("premise", "text")
    data = data.add_column("part", [text[:1] for text in data["text"]])
    data = data.add_column("difficulty", [len(text) / 10 for text in data["text"]])
    return data.add_column("probabilities", [[1 / 3] * 3] * len(data))


def label_rows(count: int, classes: int, seed: int = 0) -> Dataset:
    """Return rows with random labels and nothing else."""
    labels = np.random.default_rng(seed).integers(0, classes, count)
    features = Features({"label": ClassLabel(num_classes=classes)})
    return Dataset.from_dict({"label": labels}, features=features)


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Let torch compute with one thread."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def run_python(tmp_path: Path) -> Callable[..., str]:
    """Run a program in a fresh interpreter and return what it printed."""
    import subprocess
    import sys

    def run(program: str, **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
            env={**os.environ, **environment},
            timeout=120,
        )
        return done.stdout.strip()

    return run
