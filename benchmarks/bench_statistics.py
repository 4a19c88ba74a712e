"""How often the 95 % intervals of `xquality.analysis` contain the true value, by simulation.

Each line is one case: what is estimated, how the values are drawn, and the share of simulated studies in which the
interval covers the truth. An interval does what it says at 93 to 97 %; the Monte Carlo error is about 1.4 points at
1,000 studies. Alternatives that are not to be used are shown beside some of them.

    python benchmarks/bench_statistics.py --studies 1000
    python benchmarks/bench_statistics.py --only exchange
"""

import argparse
import time
from collections.abc import Callable, Sequence

import numpy as np

from xquality import History, Point
from xquality import analysis as xa

SEEDS = (3, 5, 10)
ROWS = (50, 200, 1000)
STEPS = np.array((0, 1, 2, 5, 10, 20, 50, 100))
AMOUNTS = (50, 108, 232, 500)

Generator = np.random.Generator
Draw = Callable[[Generator, int], np.ndarray]
Trial = Callable[[Generator, int], bool | tuple[bool, ...]]


def normal(numbers: Generator, count: int) -> np.ndarray:
    """Return scores with a standard deviation of 2 points around 50."""
    return 50 + 2 * numbers.standard_normal(count)


def heavy(numbers: Generator, count: int) -> np.ndarray:
    """Return scores with the heavy tails of Student's t with 3 degrees of freedom, around 50."""
    return 50 + numbers.standard_t(3, count)


def skewed(numbers: Generator, count: int) -> np.ndarray:
    """Return scores with a long lower tail, their mean at 50."""
    return 50 + np.exp(0.75**2 / 2) - numbers.lognormal(0, 0.75, count)


def collapsing(numbers: Generator, count: int) -> np.ndarray:
    """Return scores of which one seed in ten ends 11 points lower, 5.5 standard deviations, their mean at 50."""
    return 51.1 + 2 * numbers.standard_normal(count) - 11 * (numbers.random(count) < 0.1)


def tied(numbers: Generator, count: int) -> np.ndarray:
    """Return scores in steps of two points, so that many are equal, their mean at 50."""
    return 50 + 2.0 * numbers.integers(-1, 2, count)


CASES: dict[str, Draw] = {
    "normal": normal,
    "heavy tails (t, 3 df)": heavy,
    "skewed": skewed,
    "one seed in ten collapses": collapsing,
    "many ties": tied,
}


def holds(interval: xa.Interval, truth: float) -> bool:
    """Say whether an interval covers the truth."""
    return interval.low <= truth <= interval.high


def history(values: np.ndarray, steps: np.ndarray = STEPS) -> History:
    """Return the history of one run."""
    points = (
        Point(0, int(step), "t", "de", "accuracy", float(value), 9) for step, value in zip(steps, values, strict=True)
    )
    return History(({},), tuple(points))


def table(title: str, cases: Sequence[tuple[str, Trial]], counts: Sequence[int], studies: int) -> None:
    """Print the coverage of each case at each number of seeds or rows; a trial of several intervals gives lines."""
    print(f"\n{title:66} " + " ".join(f"{count:>6}" for count in counts), flush=True)
    for name, trial in cases:
        numbers = np.random.default_rng(1)
        found = [np.mean([np.atleast_1d(trial(numbers, count)) for _ in range(studies)], axis=0) for count in counts]
        for label, shares in zip(name.split(" | "), np.transpose(found), strict=True):
            print(f"{label:66} " + " ".join(f"{100 * share:6.1f}" for share in shares), flush=True)


def over_seeds(studies: int) -> None:
    """Print the coverage of means, differences and areas over seeds."""

    def mean_of(draw: Draw) -> Trial:
        return lambda numbers, seeds: holds(xa.mean_interval(draw(numbers, seeds)), 50)

    def resampled_mean_of(draw: Draw) -> Trial:
        def trial(numbers: Generator, seeds: int) -> bool:
            scores = draw(numbers, seeds)[:, None]
            return holds(xa.bootstrap(scores, lambda sums: sums[0] / seeds, seed=0, resamples=200), 50)

        return trial

    def difference_of(draw: Draw) -> Trial:
        def trial(numbers: Generator, seeds: int) -> bool:
            arm, reference = (dict(enumerate(draw(numbers, seeds).tolist())) for _ in range(2))
            return holds(xa.paired_difference(arm, reference), 0)

        return trial

    def area_over(x: str) -> Trial:
        rising = 20 + 40 * (1 - np.exp(-STEPS / 15))
        true = xa.area_under_curve(history(rising), x)

        def trial(numbers: Generator, seeds: int) -> bool:
            noise = numbers.standard_normal((seeds, 1)) + numbers.standard_normal((seeds, len(STEPS)))
            areas = [xa.area_under_curve(history(rising + 2 * errors), x) for errors in noise]
            return holds(xa.mean_interval(areas), true)

        return trial

    means = [(f"mean_interval, {name}", mean_of(draw)) for name, draw in CASES.items()]
    differences = [(f"paired_difference, {name}", difference_of(draw)) for name, draw in CASES.items()]
    areas = [(f"mean_interval of area_under_curve over {x}", area_over(x)) for x in ("steps", "log_steps")]
    table("coverage in %, by the number of seeds", [*means, *differences, *areas], SEEDS, studies)
    resampled = [
        (f"- percentile bootstrap over seeds, {name}", resampled_mean_of(draw)) for name, draw in CASES.items()
    ]
    table("the alternative", resampled, SEEDS, max(studies // 4, 1))


def of_speed(studies: int) -> None:
    """Print the coverage of steps saved and of speed-ups, with none to half of the slower arm's seeds censored."""
    numbers = np.random.default_rng(0)
    many = [median * np.exp(0.4 * numbers.standard_normal(400_000)) for median in (40, 60)]

    def lasting(budget: float) -> Trial:
        arm, reference = (np.minimum(steps, budget) for steps in many)
        saved, ratio = (reference - arm).mean(), np.exp((np.log1p(reference) - np.log1p(arm)).mean())

        def trial(numbers: Generator, seeds: int) -> tuple[bool, bool]:
            measures = []
            for median in (40, 60):
                steps = median * np.exp(0.4 * numbers.standard_normal(seeds))
                bounds = ["above" if step > budget else "exact" for step in steps]
                values = np.minimum(steps, budget).tolist()
                measures.append(dict(enumerate(map(xa.Measure, values, bounds))))
            return (
                holds(xa.steps_saved(*measures, budget), saved),
                holds(xa.speed_up_interval(*measures, budget), ratio),
            )

        return trial

    def measured(numbers: Generator, seeds: int) -> tuple[bool, bool]:
        # Curves that reach 40 of 80 points after 30 and 50 steps on the median, measured with noise at nine steps.
        steps, found, truths = np.array((0, 1, 2, 5, 10, 20, 50, 100, 200)), [], []
        for median in (30, 50):
            half = median * np.exp(0.2 * numbers.standard_normal(seeds))
            values = 80 * (1 - 2.0 ** -(steps / half[:, None])) + numbers.standard_normal((seeds, len(steps)))
            found.append({seed: xa.steps_to(history(row, steps), 40.0) for seed, row in enumerate(values)})
            truths.append(np.array([median * np.exp(0.2**2 / 2), np.log(median)]))
        saved, ratio = truths[1] - truths[0]
        return (
            holds(xa.steps_saved(*found, 200), saved),
            # 1 + steps is near enough to steps here: the ratio's truth differs by 1 %
            holds(xa.speed_up_interval(*found, 200), float(np.exp(ratio))),
        )

    cases: list[tuple[str, Trial]] = []
    for share in (0.0, 0.1, 0.25, 0.4, 0.53):
        name = f"{100 * share:.0f} % of the reference censored"
        budget = float(np.quantile(many[1], 1 - share)) if share else 1e6
        cases.append((f"steps_saved, {name} | speed_up_interval, {name}", lasting(budget)))
    cases.append(("steps_saved, read off noisy curves by steps_to | speed_up_interval, the same", measured))
    table("coverage in %, by the number of seeds", cases, SEEDS, studies)


def of_fits(studies: int) -> None:
    """Print the coverage of the asymptotes and half-lives of curve fits, and how often they are identified."""
    steps = np.array((0, 1, 2, 5, 10, 20, 50, 100, 200))
    print(
        f"\n{'fit_curve: 60 - 40 x (share to come), 9 steps to 200':46} asymptote half-life identified  shape withheld"
    )
    for shape, half_life, seeds, noise, similar in (
        ("exponential", 15, 3, 2.0, 0.0),
        ("exponential", 15, 5, 2.0, 0.0),
        ("exponential", 15, 10, 2.0, 0.0),
        ("exponential", 15, 5, 5.0, 0.0),
        ("exponential", 15, 5, 1.0, 0.6),
        ("power", 15, 3, 2.0, 0.0),
        ("power", 15, 5, 2.0, 0.0),
        ("power", 15, 10, 2.0, 0.0),
        ("power", 15, 5, 5.0, 0.0),
        ("power", 15, 5, 1.0, 0.6),
        ("exponential", 15, 1, 2.0, 0.0),
        ("power", 15, 1, 2.0, 0.0),
    ):
        numbers, scale = np.random.default_rng(1), np.log1p if shape == "power" else np.asarray
        mean, fits = 60 - 40 * 2.0 ** -(scale(steps) / scale(half_life)), []
        for _ in range(max(studies // 2, 1)):
            errors = noise * numbers.standard_normal((seeds, len(steps)))
            for at in range(1, len(steps)):  # errors of one run resemble the ones before them
                errors[:, at] = similar * errors[:, at - 1] + np.sqrt(1 - similar**2) * errors[:, at]
            levels = 2 * numbers.standard_normal((seeds, 1)) * (seeds > 1)
            runs = {seed: history(row, steps) for seed, row in enumerate(mean + levels + errors)}
            fits.append(xa.fit_curve(runs))
        kept = [fit for fit in fits if fit.withheld is None]
        shares = (
            np.mean([holds(fit.asymptote, 60) for fit in kept]),
            np.mean([holds(fit.half_life, half_life) for fit in kept]),
            np.mean([np.isfinite([fit.asymptote.low, fit.asymptote.high]).all() for fit in kept]),
            np.mean([fit.shape == shape for fit in kept]),
            1 - len(kept) / len(fits),
        )
        name = f"{shape}, {seeds} seed{'s' * (seeds > 1)}, sd {noise:g}" + f", errors r = {similar}" * (similar > 0)
        print(
            f"{name:46} "
            + " ".join(f"{100 * share:{width}.1f}" for share, width in zip(shares, (9, 9, 10, 6, 8), strict=True)),
            flush=True,
        )


def over_rows(studies: int) -> None:
    """Print the coverage of intervals over rows, clusters of rows, and seeds crossed with languages or rows."""

    def share_of(true: float) -> Trial:
        def trial(numbers: Generator, rows: int) -> tuple[bool, bool]:
            right = numbers.random(rows) < true / 100
            resampled = xa.bootstrap(right[:, None], lambda sums: 100 * sums[0] / rows, seed=0, resamples=200)
            return holds(xa.wilson_interval(int(right.sum()), rows), true), holds(resampled, true)

        return trial

    def difference(numbers: Generator, rows: int) -> bool:
        hard = numbers.random((2, rows))
        right = np.where(numbers.random(rows) < 0.6, hard[0], hard)[:, :, None] < np.array([0.8, 0.7])[:, None, None]
        return holds(xa.bootstrap_difference(*right, lambda sums: 100 * sums[0] / rows, seed=0, resamples=200), 10)

    def clustered(numbers: Generator, rows: int) -> tuple[bool, bool]:
        clusters = np.arange(rows) // 3
        shared = numbers.random(clusters[-1] + 1)[clusters]
        right = np.where(numbers.random(rows) < 0.6, shared, numbers.random(rows)) < 0.8
        return (
            holds(xa.cluster_interval(right, clusters.tolist()), 0.8),
            holds(xa.wilson_interval(int(right.sum()), rows), 80),
        )

    def crossed(units: int, of_seed: float, of_unit: float, of_cell: float) -> Trial:
        def trial(numbers: Generator, seeds: int) -> tuple[bool, bool]:
            values = of_seed * numbers.standard_normal((seeds, 1)) + of_unit * numbers.standard_normal((1, units))
            values = values + of_cell * numbers.standard_normal((seeds, units))
            return holds(xa.crossed_interval(values), 0), holds(xa.mean_interval(values.mean(axis=1)), 0)

        return trial

    shares = [
        (f"wilson_interval, accuracy of {true} % | - bootstrap over rows, accuracy of {true} %", share_of(true))
        for true in (98, 80)
    ]
    others: list[tuple[str, Trial]] = [
        ("bootstrap_difference, 80 against 70 % of the same rows", difference),
        ("cluster_interval, rows in threes, 80 % | - Wilson's interval of the same rows", clustered),
    ]
    table("coverage in %, by the number of rows", [*shares, *others], ROWS, max(studies // 2, 1))
    cases = [
        (f"crossed_interval, {name} | - t over seeds, the same", crossed(*settings))
        for name, settings in {
            "12 languages, sd 2 seeds, 5 languages, 2 cells": (12, 2.0, 5.0, 2.0),
            "12 languages, seeds alone vary": (12, 2.0, 0.0, 2.0),
            "12 languages, languages alone vary": (12, 0.0, 5.0, 2.0),
            "200 rows, sd 1 seeds, 30 rows, 30 cells": (200, 1.0, 30.0, 30.0),
        }.items()
    ]
    table("coverage in %, by the number of seeds", cases, SEEDS, studies)


def of_tests(studies: int) -> None:
    """Print how often tests find what is not there, and what they were planned to find."""

    def order(numbers: Generator, seeds: int) -> tuple[bool, bool]:
        found = xa.almost_stochastic_order(normal(numbers, seeds), normal(numbers, seeds), seed=0, resamples=100)
        return found.dominates, found.bound < 0.5

    def planned(numbers: Generator, seeds: int) -> bool:
        shifted = xa.detectable(seeds) + numbers.standard_normal(seeds)
        found = xa.paired_difference(dict(enumerate(shifted)), dict.fromkeys(range(seeds), 0.0))
        return found.p is not None and found.p < 0.05

    def flipped(numbers: Generator, seeds: int) -> bool:
        return xa.sign_flip(numbers.standard_normal(seeds)).p < 0.05

    def adjusted(numbers: Generator, seeds: int) -> tuple[bool, bool]:
        p = [xa.paired_difference(*(dict(enumerate(normal(numbers, seeds))) for _ in range(2))).p for _ in range(6)]
        return min(xa.adjust(p)) < 0.05, min(xa.adjust(p, "bh")) < 0.05

    cases: list[tuple[str, Trial]] = [
        ("almost_stochastic_order dominates, no difference | - its bound below 0.5 instead of 0.2", order),
        ("paired_difference finds (p < 0.05) what is `detectable` (80 %)", planned),
        ("sign_flip p < 0.05, no difference", flipped),
        ("any of 6 differences, none there, adjusted by Holm | the same by Benjamini-Hochberg", adjusted),
    ]
    table("share in %, by the number of seeds", cases, SEEDS, max(studies // 2, 1))


def power_law(rows: float) -> float:
    """Return the mean score of a number of clean rows: a ceiling of 48 points."""
    return 48 - 72 * rows**-0.5


Cells = dict[int, dict[int, float]]
Study = tuple[Cells, Cells]
Mean = Callable[[float], float]
Noise = Callable[[Generator, int], np.ndarray]


def independent(spread: float) -> Noise:
    """Return normal errors, shape (seeds, 2 arms, amounts)."""
    return lambda numbers, seeds: spread * numbers.standard_normal((seeds, 2, len(AMOUNTS)))


STRESS: dict[str, Noise] = {
    "seeds with levels of their own, sd 5": lambda numbers, seeds: (
        3 * numbers.standard_normal((seeds, 2, 4)) + 5 * numbers.standard_normal((seeds, 1, 1))
    ),
    "both arms of a cell share half of the variance": lambda numbers, seeds: (
        3 * np.sqrt(0.5) * (numbers.standard_normal((seeds, 2, 4)) + numbers.standard_normal((seeds, 1, 4)))
    ),
    "sd 4 at 50 rows, 1 at 500": lambda numbers, seeds: (
        numbers.standard_normal((seeds, 2, 4)) * np.array([4.0, 3.0, 2.0, 1.0])
    ),
    "heavy tails (t, 3 df)": lambda numbers, seeds: 1.7 * numbers.standard_t(3, (seeds, 2, 4)),
    "one cell in ten collapses by 9 points": lambda numbers, seeds: (
        2 * numbers.standard_normal((seeds, 2, 4)) - 9 * (numbers.random((seeds, 2, 4)) < 0.1)
    ),
    "slopes of seeds differ, sd 1.5": lambda numbers, seeds: (
        2 * numbers.standard_normal((seeds, 2, 4))
        + 1.5 * numbers.standard_normal((seeds, 1, 1)) * np.log(np.array(AMOUNTS) / 158)
    ),
}


def study(numbers: Generator, seeds: int, noise: Noise, clean: Mean, other: Mean) -> Study:
    """Return the scores of both arms by the number of rows and the seed."""
    errors = noise(numbers, seeds)
    arms = (
        {rows: {seed: mean(rows) + errors[seed, arm, at] for seed in range(seeds)} for at, rows in enumerate(AMOUNTS)}
        for arm, mean in enumerate((clean, other))
    )
    return next(arms), next(arms)


def speed(numbers: Generator, worth: float, seeds: int) -> Cells:
    """Return areas under curves over log steps, which rise the faster the more effective rows there are."""
    cells: Cells = {}
    for rows in AMOUNTS:
        share = 1 - 2.0 ** -(STEPS / (4 + 400 * (worth * rows) ** -0.5))
        for seed in range(seeds):
            values = 10 + 40 * share + 2 * numbers.standard_normal() + 4 * numbers.standard_normal(len(STEPS))
            cells.setdefault(rows, {})[seed] = xa.area_under_curve(history(values), "log_steps")
    return cells


def of_exchange(studies: int) -> None:
    """Print how planted exchange rates are recovered, and that flat and harmful data are not reported."""
    head = "median  cover  by seeds  each  price  reported  high/low"
    print(f"\n{'exchange_rate, 4 clean and 4 other amounts, 50 to 500 rows':66} {head}")

    def show(name: str, worth: float, draw: Callable[[Generator], Study], count: int = studies) -> None:
        numbers = np.random.default_rng(1)
        cells = [draw(numbers) for _ in range(count)]
        rates = [xa.exchange_rate(clean, other) for clean, other in cells]
        kept = [rate for rate in rates if rate.withheld is None]
        scores = [float(np.mean([[*cell.values()] for cell in clean.values()])) for clean, _ in cells]
        asked = [rate.cheaper(3.0, 1.0, score) for rate, score in zip(rates, scores, strict=True)]
        prices = [price for price in asked if price.withheld is None]
        inside = [rows for rows in AMOUNTS if AMOUNTS[0] <= worth * rows <= AMOUNTS[-1]]
        each = [rate.each[rows].low <= worth * rows <= rate.each[rows].high for rate in rates for rows in inside]
        shares = (
            np.mean([rate.low <= worth <= rate.high for rate in rates]),
            np.mean([rate.by_seeds[0] <= worth <= rate.by_seeds[1] for rate in rates]),
            np.mean(each) if each else np.nan,
            np.mean([price.low <= 1 / (3 * worth) <= price.high for price in prices]) if prices else np.nan,
            len(kept) / len(rates),
        )
        median = np.median([rate.rate for rate in rates])
        width = np.median([rate.high / rate.low for rate in kept]) if kept else np.nan
        columns = " ".join(f"{100 * share:{size}.1f}" for share, size in zip(shares, (6, 9, 6, 6, 9), strict=True))
        print(f"{name:66} {median:6.2f} {columns} {width:9.1f}", flush=True)

    def planted(worth: float, seeds: int, noise: Noise, mean: Mean = power_law) -> Callable[[Generator], Study]:
        return lambda numbers: study(numbers, seeds, noise, mean, lambda rows: mean(worth * rows))

    for worth, seeds, spread in ((0.5, 12, 3), (0.5, 5, 2), (0.5, 5, 4), (0.2, 12, 3), (1.0, 12, 3)):
        show(f"planted 1:{1 / worth:g}, {seeds} seeds, sd {spread}", worth, planted(worth, seeds, independent(spread)))
    for name, noise in STRESS.items():
        show(f"planted 1:2, 8 seeds, {name}", 0.5, planted(0.5, 8, noise))
    straight = planted(0.5, 8, independent(3), lambda rows: 6 * np.log(rows))
    show("planted 1:2, 8 seeds, sd 3, straight over log rows", 0.5, straight)
    ceiling = planted(0.5, 8, independent(3), lambda rows: 30 - 20 * np.exp(-rows / 120))
    show("planted 1:2, 8 seeds, sd 3, exponential with a ceiling", 0.5, ceiling)
    for worth in (0.5, 1.0):
        show(
            f"planted 1:{1 / worth:g}, 8 seeds, areas over log steps (speed)",
            worth,
            lambda numbers, worth=worth: (speed(numbers, 1.0, 8), speed(numbers, worth, 8)),
            max(studies // 4, 1),
        )

    print(f"\n{'what must not be reported':66} " + " ".join(f"{seeds:>5} seeds" for seeds in (5, 12)))

    def line(start: float, slope: float) -> Mean:
        return lambda rows: start + slope * np.log(rows)

    flat, falling = line(40, 0), line(45, -1.5)
    for name, clean, other in (
        ("both flat", flat, flat),
        ("clean rows do not help, the others do", flat, power_law),
        ("clean rows harm", falling, power_law),
        ("both harm", falling, falling),
        ("clean rows help, the others do nothing", power_law, line(30, 0)),
        ("clean rows help, the others harm", power_law, line(50, -4)),
    ):
        found = []
        for seeds in (5, 12):
            numbers = np.random.default_rng(1)
            rates = [xa.exchange_rate(*study(numbers, seeds, independent(3), clean, other)) for _ in range(studies)]
            found.append(np.mean([rate.withheld is None for rate in rates]))
        print(f"{name:66} " + " ".join(f"{100 * share:9.1f} %" for share in found), flush=True)


PARTS = {
    "seeds": over_seeds,
    "speed": of_speed,
    "fits": of_fits,
    "rows": over_rows,
    "tests": of_tests,
    "exchange": of_exchange,
}


def main(studies: int, only: str | None) -> None:
    """Print the tables."""
    for name, part in PARTS.items():
        if only in (None, name):
            start = time.perf_counter()
            part(studies)
            print(f"({name}: {time.perf_counter() - start:.0f} s)", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Coverage of the intervals of xquality.analysis.")
    parser.add_argument("--studies", type=int, default=1000, help="simulated studies a case")
    parser.add_argument("--only", choices=PARTS, help="one of the tables")
    arguments = parser.parse_args()
    main(arguments.studies, arguments.only)
