"""Averages of scores over languages: all, without some, by script, by family, and the gap to the source language."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from xquality import _settings
from xquality.errors import SettingError
from xquality.languages import family, identity, is_among, members, script
from xquality.metrics._sums import plain_sum
from xquality.records import Score

if TYPE_CHECKING:
    import pandas as pd

_GROUPS: Mapping[str, Callable[[str], str]] = {"language": str, "script": script, "family": family}


def average(scores: Iterable[Score], metric: str | None = None, *, without: Sequence[str] = ()) -> float:
    """Return the mean over languages.

    Args:
        scores: what `evaluate` returned for one task.
        metric: None for the metric of the first score.
        without: languages to leave out, in any spelling; XTREME's averages leave out none, English included. A pair
            such as "en.de", for tasks with two languages, is left out where both of its languages are, or it is named.

    Raises:
        SettingError: where no language is left, a language has several scores of the metric, or a score is no finite
            number.

    Example:
        >>> scores = [Score("t", "en", "accuracy", 90.0, 9), Score("t", "de", "accuracy", 60.0, 9)]
        >>> average(scores), average(scores, without=["en"])
        (75.0, 60.0)
    """
    left_out = _check_languages("average", "without", without)
    listed = check_scores("average", scores)
    return _mean(listed, metric, lambda language: not is_among(language, left_out), f"other than {sorted(left_out)}")


def zero_shot_mean(scores: Iterable[Score], trained_in: Sequence[str], metric: str | None = None) -> float:
    """Return the mean over the languages that no stage was trained in.

    Of pairs such as "en.de", for tasks with two languages, those count in which a language was not trained in.

    Args:
        scores: what `evaluate` returned.
        trained_in: the languages of all stages in any spelling, for example `fitted.languages`.
        metric: None for the metric of the first score.

    Raises:
        SettingError: where no language is left.

    Example:
        >>> zero_shot_mean([Score("t", "en", "accuracy", 90.0, 9), Score("t", "de", "accuracy", 60.0, 9)], ["eng_Latn"])
        60.0
    """
    names = _check_languages("zero_shot_mean", "trained_in", trained_in)
    trained = tuple(member for name in names for member in members(name))
    listed = check_scores("zero_shot_mean", scores)
    return _mean(listed, metric, lambda language: not is_among(language, trained), f"other than {sorted(trained)}")


def transfer_gap(scores: Iterable[Score], source: str = "en", metric: str | None = None) -> float:
    """Return the score in the source language minus the mean over the others (Hu et al. 2020, XTREME).

    Args:
        scores: what `evaluate` returned, with the source language among them.
        source: the language that was trained in, in any spelling. In a task with two languages "en" is the pair
            "en.en", and every other pair is one of the others.
        metric: None for the metric of the first score.

    Raises:
        SettingError: where the source language is missing, or there is no other.

    Example:
        >>> transfer_gap([Score("t", "en", "accuracy", 90.0, 9), Score("t", "de", "accuracy", 60.0, 9)])
        30.0
    """
    listed = check_scores("transfer_gap", scores)
    _settings.text("transfer_gap", "source", source)
    exact = any(score.language == source for score in listed)  # a language in two scripts counts as two here

    def is_source(language: str) -> bool:
        return language == source if exact else is_among(language, [source])

    source_score = _mean(listed, metric, is_source, f"{source!r}, the source language,")
    return source_score - _mean(listed, metric, lambda language: not is_source(language), f"other than {source!r}")


def table(scores: Iterable[Score], by: str = "language") -> "pd.DataFrame":
    """Return the scores as a table: a row for each language, script or family, a column for each metric.

    Args:
        scores: what `evaluate` returned for one task.
        by: "language", "script" (ISO 15924) or "family" (the top level of Glottolog).

    Returns:
        Means, with the rows in the order in which their languages come. The column `languages` gives the number of
        languages of a script or family.

    Raises:
        SettingError: for an unknown grouping, or a language with several scores of one metric.

    Example:
        >>> values = {"es": 80.0, "de": 60.0, "ar": 5.0}
        >>> scores = [Score("t", language, "accuracy", value, 9) for language, value in values.items()]
        >>> table(scores, by="script")["accuracy"].to_dict()
        {'Latn': 70.0, 'Arab': 5.0}
    """
    import pandas as pd

    group_of = _GROUPS[_settings.one_of("table", "by", by, tuple(_GROUPS))]
    listed = check_scores("table", scores)
    rows = []
    for group in dict.fromkeys(group_of(score.language) for score in listed):
        members = [score for score in listed if group_of(score.language) == group]
        count = {} if by == "language" else {"languages": len({score.language for score in members})}
        metrics = dict.fromkeys(score.metric for score in members)
        means = {metric: _mean(members, metric, lambda _: True, "") for metric in metrics}
        rows.append({by: group, **count, **means})
    all_metrics = dict.fromkeys(score.metric for score in listed)
    columns = [by, *(["languages"] if by != "language" else []), *all_metrics]
    return pd.DataFrame(rows, columns=columns).set_index(by)


def check_scores(owner: str, scores: Iterable[Score]) -> list[Score]:
    """Return scores as a list, or raise `SettingError` where they are no scores of finite values."""
    try:
        listed = list(scores)
    except TypeError:
        listed = [None]  # type: ignore[list-item]  # refused below
    for score in listed:
        if not isinstance(score, Score):
            raise SettingError(
                f"{owner} takes a list of scores, such as evaluate returned, but found {type(score).__name__} in "
                f"{type(scores).__name__}."
            )
        if not math.isfinite(score.value):
            raise SettingError(
                f"{owner} takes finite scores, but {score.metric} in {score.language} is {score.value}; leave it out."
            )
    return listed


def _check_languages(owner: str, name: str, languages: object) -> tuple[str, ...]:
    """Return a list of languages as a tuple, or raise `SettingError`."""
    if isinstance(languages, str) or not isinstance(languages, Iterable):
        raise SettingError(f"{owner}({name}={languages!r}) must be a list of languages, such as ['en', 'es'].")
    return tuple(_settings.text(owner, name, language) for language in languages)


def _mean(listed: Sequence[Score], metric: str | None, is_included: Callable[[str], bool], description: str) -> float:
    """Return the mean of a metric over the included languages, which `description` describes in an error."""
    name = metric or (listed[0].metric if listed else "")
    chosen = [score for score in listed if score.metric == name and is_included(score.language)]
    if not chosen:
        raise SettingError(
            f"A mean needs scores of {name!r} in a language {description}, but there are none; evaluate more."
        )
    tasks = {score.task for score in chosen}
    if len({(score.task, score.language) for score in chosen}) < len(chosen) or len(tasks) > 1:
        raise SettingError(
            f"A mean over languages needs one score of {name!r} in each, all of one task, but some have several; "
            "choose one task, layer or model."
        )
    distinct = {(identity(score.language), script(score.language)) for score in chosen}
    if len(distinct) < len(chosen):
        names = ", ".join(score.language for score in chosen)
        raise SettingError(f"A mean over languages counts each once, but one occurs in two spellings: {names}.")
    return plain_sum(score.value for score in chosen) / len(chosen)
