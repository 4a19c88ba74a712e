"""How much faster one arm of a study is than another, within the budget of steps that all runs have."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from xquality.analysis import Interval, Survival, speed_up_interval, steps_saved
from xquality.errors import SettingError
from xquality.report.comparisons import Comparison

if TYPE_CHECKING:
    from xquality.report.summary import Summary


@final
@dataclass(frozen=True)
class Speed:
    """The steps to the threshold of two arms, paired by seed, each counted up to the budget.

    Attributes:
        compared: the comparison whose arms they are.
        saved: the steps that the arm saves; negative where it needs more. None where that is withheld.
        times: how many times fewer steps it needs, a geometric mean over seeds.
        censored: the share of both arms' runs that did not reach the threshold.
        why: the sentence that stands in the place of the numbers, or None.
    """

    compared: Comparison
    saved: Interval | None
    times: Interval | None
    censored: float
    why: str | None = None


def compare_speed(summary: "Summary", compared: Comparison) -> Speed | None:
    """Return the steps saved in a comparison; None where the study has no threshold, or an arm no curve."""
    if summary.threshold is None or summary.budget is None:
        return None
    arms = [(arm.steps(summary.threshold), arm.survival(summary.threshold)) for arm in (compared.arm, compared.other)]
    (own, first), (other, second) = arms
    if first is None or second is None:
        return None
    censored = censored_share(first, second)
    try:
        return Speed(
            compared,
            steps_saved(own, other, summary.budget),
            speed_up_interval(own, other, summary.budget),
            censored,
        )
    except SettingError as fault:
        return Speed(compared, None, None, censored, str(fault))


def censored_share(*survivals: Survival) -> float:
    """Return the share of runs that did not reach the threshold."""
    count = sum(survival.count for survival in survivals)
    return 1 - sum(survival.reached for survival in survivals) / count
