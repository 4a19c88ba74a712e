"""How often the 95 % intervals of `xquality.analysis` contain the true value, by simulation.

Each line is one case: what is estimated, how the values are distributed over seeds, and the share of simulated studies
in which the interval covers the truth, with 3, 5 and 10 seeds. An interval does what it says at 93 to 97 %; the Monte
Carlo error is about 1 point at 2,000 studies. The percentile bootstrap is shown as the alternative.

    python benchmarks/bench_statistics.py --studies 2000
"""

import argparse
from collections.abc import Callable

import numpy as np

from xquality import History, Point
from xquality.analysis import area_under_curve, bootstrap, mean_interval, paired_difference, wilson_interval

SEEDS = (3, 5, 10)
ROWS = (50, 200, 1000)
STEPS = (0, 1, 2, 5, 10, 20, 50, 100)

Draw = Callable[[np.random.Generator, int], np.ndarray]


def normal(numbers: np.random.Generator, count: int) -> np.ndarray:
    """Return scores with a standard deviation of 2 points around 50."""
    return 50 + 2 * numbers.standard_normal(count)


def heavy(numbers: np.random.Generator, count: int) -> np.ndarray:
    """Return scores with the heavy tails of Student's t with 3 degrees of freedom, around 50."""
    return 50 + numbers.standard_t(3, count)


def skewed(numbers: np.random.Generator, count: int) -> np.ndarray:
    """Return scores with a long lower tail, their mean at 50."""
    return 50 + np.exp(0.75**2 / 2) - numbers.lognormal(0, 0.75, count)


def collapsing(numbers: np.random.Generator, count: int) -> np.ndarray:
    """Return scores of which one seed in ten ends 11 points lower, 5.5 standard deviations, their mean at 50."""
    return 51.1 + 2 * numbers.standard_normal(count) - 11 * (numbers.random(count) < 0.1)


def tied(numbers: np.random.Generator, count: int) -> np.ndarray:
    """Return scores in steps of two points, so that many are equal, their mean at 50."""
    return 50 + 2.0 * numbers.integers(-1, 2, count)


CASES: dict[str, Draw] = {
    "normal": normal,
    "heavy tails (t, 3 df)": heavy,
    "skewed": skewed,
    "one seed in ten collapses": collapsing,
    "many ties": tied,
}


def covers_mean(draw: Draw, numbers: np.random.Generator, seeds: int) -> tuple[bool, bool]:
    """Say whether Student's interval and the percentile bootstrap cover the mean of one study."""
    scores = draw(numbers, seeds)
    student = mean_interval(scores.tolist())
    resampled = bootstrap(scores[:, None], lambda totals: totals[0] / seeds, seed=0, resamples=200)
    return student.low <= 50 <= student.high, resampled.low <= 50 <= resampled.high


def covers_difference(draw: Draw, numbers: np.random.Generator, seeds: int) -> bool:
    """Say whether the interval of the paired difference covers 0 where both arms are of one distribution."""
    arms = [dict(enumerate(draw(numbers, seeds).tolist())) for _ in range(2)]
    found = paired_difference(*arms)
    return found.low <= 0 <= found.high


def covers_area(numbers: np.random.Generator, seeds: int, x: str) -> bool:
    """Say whether Student's interval covers the mean area under noisy learning curves."""
    rising = 20 + 40 * (1 - np.exp(-np.array(STEPS) / 15))
    true = area_under_curve(curve(rising), x)
    areas = []
    for _ in range(seeds):
        level, noise = 2 * numbers.standard_normal(), 2 * numbers.standard_normal(len(STEPS))
        areas.append(area_under_curve(curve(rising + level + noise), x))
    found = mean_interval(areas)
    return found.low <= true <= found.high


def covers_share(numbers: np.random.Generator, rows: int) -> tuple[bool, bool]:
    """Say whether the bootstrap over rows and Wilson's interval cover an accuracy of 98 %."""
    right = numbers.random(rows) < 0.98
    resampled = bootstrap(right[:, None], lambda totals: 100 * totals[0] / rows, seed=0, resamples=200)
    wilson = wilson_interval(int(right.sum()), rows)
    return resampled.low <= 98 <= resampled.high, wilson.low <= 98 <= wilson.high


def curve(values: np.ndarray) -> History:
    """Return the history of one run that was scored at `STEPS`."""
    points = (Point(0, step, "t", "de", "accuracy", float(value), 9) for step, value in zip(STEPS, values, strict=True))
    return History(({},), tuple(points))


def line(name: str, shares: list[float]) -> None:
    """Print the coverage at each number of seeds."""
    print(f"{name:58} " + " ".join(f"{100 * share:6.1f}" for share in shares))


def main(studies: int) -> None:
    """Print the table."""
    print(f"{'coverage of nominal 95 % intervals, in %':58} " + " ".join(f"{seeds:>6}" for seeds in SEEDS))
    for name, draw in CASES.items():
        numbers = np.random.default_rng(1)
        found = [np.mean([covers_mean(draw, numbers, seeds) for _ in range(studies)], axis=0) for seeds in SEEDS]
        line(f"mean, {name}: t over seeds", [student for student, _ in found])
        line(f"mean, {name}: percentile bootstrap", [resampled for _, resampled in found])
    for name, draw in CASES.items():
        numbers = np.random.default_rng(2)
        line(
            f"paired difference, {name}: t over pairs",
            [float(np.mean([covers_difference(draw, numbers, seeds) for _ in range(studies)])) for seeds in SEEDS],
        )
    for x in ("steps", "log_steps"):
        numbers = np.random.default_rng(3)
        line(
            f"area under the curve over {x}: t over seeds",
            [float(np.mean([covers_area(numbers, seeds, x) for _ in range(studies)])) for seeds in SEEDS],
        )
    print(f"\n{'the same over rows instead of seeds':58} " + " ".join(f"{rows:>6}" for rows in ROWS))
    numbers = np.random.default_rng(4)
    shares = [np.mean([covers_share(numbers, rows) for _ in range(studies)], axis=0) for rows in ROWS]
    line("accuracy of 98 %: percentile bootstrap over rows", [resampled for resampled, _ in shares])
    line("accuracy of 98 %: Wilson's interval", [wilson for _, wilson in shares])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Coverage of the intervals over seeds.")
    parser.add_argument("--studies", type=int, default=2000, help="simulated studies a case")
    main(parser.parse_args().studies)
