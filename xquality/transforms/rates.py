"""The units that a rate selects, exactly or each drawn alone; those of a low rate are among those of a higher one."""

from xquality.data.arrow import Indices
from xquality.errors import RateWarning, warn
from xquality.randomness import Draw


def select_at_rate(owner: object, rate: float, draw: Draw, *, exact: bool, units: str = "rows") -> Indices:
    """Return the numbers of the units that are changed at a rate, ascending.

    Args:
        owner: the transform, for the warning where the rate rounds to no unit.
        rate: the share of the units, in [0, 1].
        draw: the randomness of the units that can be changed.
        exact: True selects `round(rate * units)` of them, those with the smallest draws; False draws each alone.
        units: what they are, for the warning.

    Warns:
        RateWarning: where a rate above 0 rounds to no unit.
    """
    if exact:
        return draw.smallest("flip", exact_count(owner, rate, len(draw.uids), units))
    return (draw.uniform("flip") < rate).nonzero()[0]


def exact_count(owner: object, rate: float, total: int, units: str = "rows") -> int:
    """Return how many of `total` units are changed at a rate; warn where that rounds to none."""
    count = round(rate * total)
    if not count:
        warn_of_none(owner, rate, total, units)
    return count


def warn_of_none(owner: object, rate: float, total: int, units: str) -> None:
    """Warn where a rate above 0 rounds to none of some units."""
    if rate > 0 and total:
        warn(
            f"{owner} rounds to none of {total} {units}, so nothing is flipped there; give more rows or a higher rate.",
            RateWarning,
        )
