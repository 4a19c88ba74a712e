"""A small study with curves and a grid, for several tests of reports."""

from xquality.records import History, Point, Result, Score

LANGUAGES = ("es", "de", "ar")


def history(final: float, trained: tuple[str, ...], steps: tuple[int, ...] = (0, 3, 9)) -> History:
    stages = tuple({"language": language} for language in trained)
    points = tuple(
        Point(
            len(stages) - 1,
            step,
            "t",
            language,
            "accuracy",
            (final if language != "es" else 99.0) * step / steps[-1],
            9,
        )
        for step in steps
        for language in LANGUAGES
    )
    return History(stages, points)


def trial(seed: int, arm: str = "intermediate", rate: float = 0.0, fraction: float = 1.0) -> Result:
    value = 30.0 + seed if arm == "none" else 60.0 * fraction - 50 * rate + seed * (1 + rate)
    trained = ("en",) if arm == "none" else ("es", "en")
    scores = tuple(Score("t", language, "accuracy", value, 9) for language in LANGUAGES)
    return Result(scores, history(value, trained), {"zero-shot accuracy": value})


AXES = [
    {"arm": ["none"], "seed": range(4)},
    {"rate": [0.0, 0.2], "fraction": [0.5, 1.0], "seed": range(4)},
    {"arm": ["filtered"], "seed": range(4)},
]
