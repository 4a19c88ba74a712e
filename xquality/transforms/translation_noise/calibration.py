"""Calibration: the severity at which noisy text has a wanted score against the clean text."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

from datasets import Dataset

from xquality import _settings
from xquality.data._datasets import dataset_of, derive_fingerprint, table_of
from xquality.data.uids import UID, check_uids, with_uid
from xquality.errors import DataKindError, SettingError
from xquality.randomness import Draw
from xquality.transforms.base import Transform
from xquality.transforms.translation_noise.segmentation import units_of

_OWNER = "TranslationNoise.calibrate"
_CLOSE = 0.25  # points: closer than this the search stops early
_TOLERANCE = 1.0  # points: farther than this it has failed
_GRID = 8  # even steps of the severity before halving
_STEPS = 13  # halvings of one of them: the last is finer than any single edit in a sample


@final
@dataclass(frozen=True)
class Calibration:
    """What a search for a severity found.

    Attributes:
        metric: "chrf" or "bleu".
        wanted: the score that was asked for.
        reached: the score at the severity that was found.
        rows: how many rows the sample had.
        seed: the seed of the sample and of the errors.
        signature: sacrebleu's own account of the score.
    """

    metric: str
    wanted: float
    reached: float
    rows: int
    seed: int
    signature: str

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON values."""
        return dataclasses.asdict(self)

    def summary(self) -> dict[str, Any]:
        """Return what a record keeps: everything."""
        return self.to_dict()


def calibrated(
    noise: Callable[[float], Transform],
    data: Dataset,
    columns: Sequence[str],
    chrf: float | None,
    bleu: float | None,
    seed: int,
    rows: int,
) -> tuple[float, Calibration]:
    """Return the lowest severity of a noise that gives a wanted score on a sample, and what was found.

    Raises:
        DataKindError: for anything but a `Dataset`.
        SettingError: for neither or both scores, one out of range, or one that no severity gives.
    """
    if not isinstance(data, Dataset):
        raise DataKindError(f"A severity is calibrated on a Dataset, but got {type(data).__name__}.")
    if (chrf is None) == (bleu is None):
        raise SettingError(f"{_OWNER} takes either chrf or bleu, but got {chrf!r} and {bleu!r}.")
    metric = "bleu" if chrf is None else "chrf"
    wanted = _settings.real(_OWNER, metric, bleu if chrf is None else chrf)
    if not 0 < wanted < 100:
        raise SettingError(f"{_OWNER}({metric}={wanted}) must lie between 0 and 100.")
    number = _settings.integer(_OWNER, "seed", seed)
    clean = _sample(data, number, _settings.integer(_OWNER, "rows", rows, least=1))
    noise(1.0)(clean.select([]), seed=number)  # refuses columns that it cannot change
    score = _Scores(metric, clean, columns)
    tried = _tried(lambda severity: score(noise(severity)(clean, seed=number)), wanted)
    best = min(tried, key=lambda one: abs(tried[one] - wanted))
    if abs(tried[best] - wanted) > _TOLERANCE:
        raise SettingError(
            f"{_OWNER}({metric}={wanted:g}) cannot be reached by these errors: the nearest is {tried[best]:.1f}, at "
            f"severity {best:.3f}; ask for another score, or name other errors."
        )
    return best, Calibration(metric, wanted, tried[best], len(clean), number, score.signature)


def _tried(score: Callable[[float], float], wanted: float) -> dict[float, float]:
    """Return the severities that were tried in search of a score, and what each of them gives.

    A higher severity can score higher: reordering all words brings some of them back. So the search first goes up in
    even steps until the score has fallen to the wanted one, and then halves the last step.
    """
    tried: dict[float, float] = {}
    low = high = 0.0
    for step in range(1, _GRID + 1):
        low, high = high, step / _GRID
        tried[high] = score(high)
        if tried[high] <= wanted:
            break
    for _ in range(_STEPS if tried[high] <= wanted else 0):
        if min(abs(one - wanted) for one in tried.values()) <= _CLOSE:
            break
        middle = (low + high) / 2
        tried[middle] = score(middle)
        low, high = (middle, high) if tried[middle] > wanted else (low, middle)
    return tried


def _sample(data: Dataset, seed: int, rows: int) -> Dataset:
    """Return at most `rows` rows, chosen by uid, with every column and without a history."""
    stamped = (data if UID in data.column_names else with_uid(data)).with_format(None)
    draw = Draw(seed, "Calibration", 0, check_uids(table_of(stamped).column(UID)))
    chosen = stamped.select(draw.smallest("rows", rows))
    fingerprint = derive_fingerprint(chosen, "calibration")
    return dataset_of(table_of(chosen), chosen.features, like=chosen, fingerprint=fingerprint, description="")


@final
class _Scores:
    """sacrebleu's score of noisy rows against the clean ones."""

    def __init__(self, metric: str, clean: Dataset, columns: Sequence[str]) -> None:
        self._columns = columns
        self._clean = self._texts(clean)
        if not any(text for texts in self._clean.values() for text in texts):
            raise SettingError(f"{_OWNER} needs text, but {list(columns)} hold none here.")
        self._scorer = _scorer(metric, clean, columns)

    def __call__(self, noisy: Dataset) -> float:
        """Return the score of the rows that are there, below all others where none is."""
        found = self._texts(noisy)
        said = [text for texts in found.values() for text in texts]
        meant = [text for uid in found for text in self._clean[uid]]
        return float(self._scorer.corpus_score(said, [meant]).score) if said else -math.inf

    @property
    def signature(self) -> str:
        """The score's account of itself, in sacrebleu's words."""
        return str(self._scorer.get_signature())

    def _texts(self, data: Dataset) -> dict[Any, list[str]]:
        """Return the texts of each row by uid, one for each column; tokens are joined by spaces."""
        table = table_of(data)
        columns = [map(_text, table.column(name).to_pylist()) for name in self._columns]
        return dict(zip(table.column(UID).to_pylist(), map(list, zip(*columns, strict=True)), strict=True))


def _text(value: str | list[str | None] | None) -> str:
    """Return a text or tokens as a text; a null is empty."""
    return value if isinstance(value, str) else " ".join(one or "" for one in value or ())


def _scorer(metric: str, data: Dataset, columns: Sequence[str]) -> Any:
    """Return sacrebleu's metric; BLEU on characters where most units are written characters."""
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    if metric == "chrf":
        return CHRF()
    units = [units_of(part) for name in columns for part in table_of(data).column(name).chunks]
    spaced = sum(int(one.spaced.sum()) for one in units)
    return BLEU(tokenize="13a" if 2 * spaced >= sum(len(one.spaced) for one in units) else "char")
