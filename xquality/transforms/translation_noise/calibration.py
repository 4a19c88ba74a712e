"""Calibration: the severity at which noisy text has a wanted score against the clean text.

May import: errors, checks, arrow, identity, randomness, transforms.translation_noise.segmentation |
datasets, sacrebleu.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

from datasets import Dataset

from xquality import checks
from xquality.arrow import column, table_of
from xquality.errors import DataKindError, SettingError
from xquality.identity import UID, checked, with_uid
from xquality.randomness import Draw
from xquality.transforms.translation_noise.segmentation import units_of

_CLOSE = 0.25  # points: closer than this the search stops early
_TOLERANCE = 1.0  # points: farther than this it has failed
_STEPS = 16  # halvings of the severity: the last is finer than any single edit in a sample


@final
@dataclass(frozen=True)
class Calibration:
    """What a search for a severity found.

    Attributes:
        metric: "chrf" or "bleu".
        wanted: the score that was asked for.
        reached: the score at the severity that was found.
        rows: how many rows it was measured on.
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


def sample(data: Dataset, columns: Sequence[str], seed: int, rows: int) -> Dataset:
    """Return at most `rows` rows, chosen by uid, with nothing but some columns."""
    if not isinstance(data, Dataset):
        raise DataKindError(f"A severity is calibrated on a Dataset, but got {type(data).__name__}.")
    checks.integer("TranslationNoise.calibrate", "rows", rows, least=1)
    stamped = data if UID in data.column_names else with_uid(data)
    table = table_of(stamped)
    for name in columns:
        column(table, name, "TranslationNoise.calibrate")
    draw = Draw(
        checks.integer("TranslationNoise.calibrate", "seed", seed), "Calibration", 0, checked(table.column(UID))
    )
    chosen = stamped.select(draw.smallest("rows", rows)).select_columns([*dict.fromkeys(columns), UID])
    return Dataset(table_of(chosen).replace_schema_metadata(None), fingerprint=f"calibration-{chosen._fingerprint}")  # noqa: SLF001 (no public name)


def search(
    noised: Callable[[float], Dataset], clean: Dataset, columns: Sequence[str], metric: str, wanted: float, seed: int
) -> tuple[float, Calibration]:
    """Return the severity that gives a wanted score, found by halving, and what it gives.

    Raises:
        SettingError: where the score is out of range, or even a severity of 1 leaves the text better than that.
    """
    if not 0 < wanted < 100:
        raise SettingError(f"TranslationNoise.calibrate({metric}={wanted}) must lie between 0 and 100.")
    references = _segments(clean, columns)
    if not any(references):
        raise SettingError(f"TranslationNoise.calibrate needs text, but {list(columns)} hold none here.")
    scorer = _scorer(metric, clean, columns)
    low, high, best = 0.0, 1.0, (1.0, _score(scorer, noised(1.0), columns, references))
    for _ in range(_STEPS):
        if abs(best[1] - wanted) <= _CLOSE:
            break
        middle = (low + high) / 2
        value = _score(scorer, noised(middle), columns, references)
        if abs(value - wanted) < abs(best[1] - wanted):
            best = (middle, value)
        low, high = (middle, high) if value > wanted else (low, middle)
    if abs(best[1] - wanted) > _TOLERANCE:
        raise SettingError(
            f"TranslationNoise.calibrate({metric}={wanted:g}) cannot be reached by these errors: the nearest is "
            f"{best[1]:.1f}, at severity {best[0]:.3f}; ask for another score, or name other errors."
        )
    return best[0], Calibration(metric, wanted, best[1], len(clean), seed, str(scorer.get_signature()))


def _segments(data: Dataset, columns: Sequence[str]) -> list[str]:
    """Return the texts of all columns, one after the other; tokens are joined by spaces."""
    values = (one or "" for name in columns for one in data[name][:])
    return [one if isinstance(one, str) else " ".join(one) for one in values]


def _score(scorer: Any, data: Dataset, columns: Sequence[str], references: list[str]) -> float:
    """Return the score of noisy text against the clean one."""
    return float(scorer.corpus_score(_segments(data, columns), [references]).score)


def _scorer(metric: str, data: Dataset, columns: Sequence[str]) -> Any:
    """Return sacrebleu's metric; BLEU on characters where most units are written characters."""
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    if metric == "chrf":
        return CHRF()
    spaced = total = 0
    for name in columns:
        for part in table_of(data).column(name).chunks:
            units = units_of(part)
            if units is not None:
                spaced, total = spaced + int(units.spaced.sum()), total + len(units.spaced)
    return BLEU(tokenize="13a" if 2 * spaced >= total else "char")
