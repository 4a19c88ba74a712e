"""Calibration: the search for the severity at which noisy text has a wanted score against the clean text."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, final

from datasets import Dataset

from xquality import _settings
from xquality._settings import Name, at_least, check_settings, choice, integer, real
from xquality.data._datasets import dataset_of, derive_fingerprint, table_of
from xquality.data.uids import UID, check_uids, with_uid
from xquality.errors import DataKindError, SettingError
from xquality.randomness import Draw
from xquality.transforms.base import Transform
from xquality.transforms.quality import TranslationQuality, sacrebleu_metric
from xquality.transforms.translation_noise.segmentation import find_units

_OWNER = "TranslationNoise.calibrate"
_CLOSE = 0.25  # points: within this distance of the wanted score the search stops early
_TOLERANCE = 1.0  # points: beyond this distance the search has failed
_LONGEST_RUN = 4  # the words in the longest runs that BLEU compares
_GRID = 8  # even steps of the severity before one of them is halved
_HALVINGS = 13  # the last one is finer than any single edit in a sample


@final
@dataclass(frozen=True)
class Calibration:
    """How the severity of a noise was found.

    Attributes:
        metric: "chrf" or "bleu".
        wanted: the score that was asked for.
        reached: the score at the severity that was found.
        rows: the number of rows of the sample.
        seed: the seed of the sample and of the errors.
        signature: the signature of the score, as sacrebleu prints it.

    Raises:
        SettingError: for an unknown metric, or a score or number of rows that cannot be.
    """

    metric: Annotated[str, choice("chrf", "bleu")]
    wanted: Annotated[float, real]
    reached: Annotated[float, real]
    rows: Annotated[int, at_least(1)]
    seed: Annotated[int, integer]
    signature: Name

    def __post_init__(self) -> None:
        check_settings(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON values."""
        return dataclasses.asdict(self)

    def summary(self) -> dict[str, Any]:
        """Return what a record keeps: all fields."""
        return self.to_dict()


def find_severity(
    noise: Callable[[float], Transform],
    data: Dataset,
    columns: Sequence[str],
    chrf: float | TranslationQuality | None,
    bleu: float | TranslationQuality | None,
    seed: int,
    rows: int,
) -> tuple[float, Calibration]:
    """Return the lowest severity at which a noise gives a wanted score on a sample, and how it was found.

    Args:
        noise: the transform with a given severity.
        data: the clean data.
        columns: the columns that are scored.
        chrf: the wanted chrF, or the quality of translations that reached it; None where `bleu` is given.
        bleu: the wanted BLEU, or such a quality; None where `chrf` is given.
        seed: the seed of the sample and of the errors.
        rows: the maximum number of rows of the sample.

    Raises:
        DataKindError: for anything but a `Dataset`.
        SettingError: for neither or both scores, one out of range, one that no severity gives, or BLEU of texts most of
            which have fewer than four words.
    """
    if not isinstance(data, Dataset):
        raise DataKindError(f"A severity is calibrated on a Dataset, but got {type(data).__name__}.")
    if (chrf is None) == (bleu is None):
        raise SettingError(f"{_OWNER} takes either chrf or bleu, but got {chrf!r} and {bleu!r}.")
    metric = "bleu" if chrf is None else "chrf"
    asked = bleu if chrf is None else chrf
    if isinstance(asked, TranslationQuality):
        asked = getattr(asked, metric)
    wanted = _settings.real(_OWNER, metric, asked)
    if not 0 < wanted < 100:
        raise SettingError(f"{_OWNER}({metric}={wanted}) must lie between 0 and 100.")
    seed = _settings.integer(_OWNER, "seed", seed)
    clean = _draw_sample(data, seed, _settings.integer(_OWNER, "rows", rows, least=1))
    noise(1.0)(clean.select([]), seed=seed)  # raises for columns that it cannot change
    scorer = _SampleScorer(metric, clean, columns)
    scores = _search(lambda severity: scorer.score(noise(severity)(clean, seed=seed)), wanted)
    best = min(scores, key=lambda severity: abs(scores[severity] - wanted))
    if abs(scores[best] - wanted) > _TOLERANCE:
        raise SettingError(
            f"{_OWNER}({metric}={wanted:g}) cannot be reached by these errors: the nearest is {scores[best]:.1f}, at "
            f"severity {best:.3f}; ask for another score, or name other errors."
        )
    return best, Calibration(metric, wanted, scores[best], len(clean), seed, scorer.signature)


def _search(score: Callable[[float], float], wanted: float) -> dict[float, float]:
    """Return the severities that were tried in search of a score, and the score of each.

    A higher severity can score higher: where all words move, some return to their old neighbours. So the search first
    goes up in even steps until the score is no longer above the wanted one, and then halves the last step.
    """
    scores: dict[float, float] = {}
    low = high = 0.0
    for step in range(1, _GRID + 1):
        low, high = high, step / _GRID
        scores[high] = score(high)
        if scores[high] <= wanted:
            break
    for _ in range(_HALVINGS if scores[high] <= wanted else 0):
        if min(abs(reached - wanted) for reached in scores.values()) <= _CLOSE:
            break
        middle = (low + high) / 2
        scores[middle] = score(middle)
        low, high = (middle, high) if scores[middle] > wanted else (low, middle)
    return scores


def _draw_sample(data: Dataset, seed: int, rows: int) -> Dataset:
    """Return at most `rows` rows, drawn by uid, with every column and without a history."""
    stamped = (data if UID in data.column_names else with_uid(data)).with_format(None)
    draw = Draw(seed, "Calibration", 0, check_uids(table_of(stamped).column(UID)))
    sample = stamped.select(draw.smallest("rows", rows))
    fingerprint = derive_fingerprint(sample, "calibration")
    return dataset_of(table_of(sample), sample.features, like=sample, fingerprint=fingerprint, description="")


@final
class _SampleScorer:
    """sacrebleu's score of noisy rows against the clean ones."""

    def __init__(self, metric: str, clean: Dataset, columns: Sequence[str]) -> None:
        self._columns = columns
        self._clean = self._texts(clean)
        if not any(text for texts in self._clean.values() for text in texts):
            raise SettingError(f"{_OWNER} needs text, but {list(columns)} hold none here.")
        self._metric = _sacrebleu_metric(metric, clean, columns)
        if metric == "bleu":
            self._check_lengths()

    def _check_lengths(self) -> None:
        """Raise `SettingError` where most texts are too short for BLEU, which compares runs of four words."""
        texts = [text for row_texts in self._clean.values() for text in row_texts if text]
        lengths = [len(self._metric.tokenizer(text).split()) for text in texts]
        short = sum(length < _LONGEST_RUN for length in lengths)
        if 2 * short > len(texts):
            raise SettingError(
                f"{_OWNER}(bleu=...) compares runs of four words, but {short} of {len(texts)} texts have fewer than "
                "four; give chrf= instead, which compares characters."
            )

    @property
    def signature(self) -> str:
        """The signature of the last score."""
        return str(self._metric.get_signature())

    def score(self, noisy: Dataset) -> float:
        """Return the score of the rows that `noisy` has; minus infinity where it has none."""
        texts = self._texts(noisy)
        hypotheses = [text for row_texts in texts.values() for text in row_texts]
        references = [text for uid in texts for text in self._clean[uid]]
        return float(self._metric.corpus_score(hypotheses, [references]).score) if hypotheses else -math.inf

    def _texts(self, data: Dataset) -> dict[Any, list[str]]:
        """Return the texts of each row by uid, one for each column; tokens are joined by spaces."""
        table = table_of(data)
        columns = [map(_plain_text, table.column(name).to_pylist()) for name in self._columns]
        return dict(zip(table.column(UID).to_pylist(), map(list, zip(*columns, strict=True)), strict=True))


def _plain_text(value: str | list[str | None] | None) -> str:
    """Return a text, or tokens joined by spaces; the empty string for a null."""
    return value if isinstance(value, str) else " ".join(token or "" for token in value or ())


def _sacrebleu_metric(metric: str, data: Dataset, columns: Sequence[str]) -> Any:
    """Return sacrebleu's metric; BLEU counts characters where most units are written characters."""
    if metric == "chrf":
        return sacrebleu_metric("chrf", characters=False)
    chunks = [find_units(chunk) for name in columns for chunk in table_of(data).column(name).chunks]
    words = sum(int(units.spaced.sum()) for units in chunks)
    return sacrebleu_metric("bleu", characters=2 * words < sum(len(units.spaced) for units in chunks))
