"""Averages of scores over languages: all, without some, by script, by family, and the gap to the source language."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from xquality.errors import SettingError
from xquality.languages import family, identity, script
from xquality.metrics._sums import plain_sum
from xquality.records import Score

if TYPE_CHECKING:
    import pandas as pd

_GROUPS: Mapping[str, Callable[[str], str]] = {"language": str, "script": script, "family": family}


def average(scores: Iterable[Score], metric: str | None = None, *, without: Sequence[str] = ()) -> float:
    """Return the mean over languages.

    Args:
        scores: what `evaluate` returned for one task.
        metric: None for the first score's.
        without: languages to leave out, however they are spelled; XTREME's averages leave out none, English included.

    Raises:
        SettingError: where no language is left, or a language has several scores of the metric.

    Example:
        >>> scores = [Score("t", "en", "accuracy", 90.0, 9), Score("t", "de", "accuracy", 60.0, 9)]
        >>> average(scores), average(scores, without=["en"])
        (75.0, 60.0)
    """
    if isinstance(without, str):
        raise SettingError(f"average(without={without!r}) must be a list, such as ['en', 'es'].")
    left_out = {identity(one) for one in without}
    return _mean(scores, metric, lambda language: identity(language) not in left_out, f"other than {sorted(left_out)}")


def zero_shot_mean(scores: Iterable[Score], trained_in: Sequence[str], metric: str | None = None) -> float:
    """Return the mean over the languages that no stage was trained in, however they are spelled.

    Args:
        scores: what `evaluate` returned.
        trained_in: the languages of all stages, for example `fitted.languages`.
        metric: None for the first score's.

    Raises:
        SettingError: where no language is left.

    Example:
        >>> zero_shot_mean([Score("t", "en", "accuracy", 90.0, 9), Score("t", "de", "accuracy", 60.0, 9)], ["eng_Latn"])
        60.0
    """
    if isinstance(trained_in, str):
        raise SettingError(f"zero_shot_mean(trained_in={trained_in!r}) must be a list, such as ['en', 'es'].")
    return average(scores, metric, without=trained_in)


def transfer_gap(scores: Iterable[Score], source: str = "en", metric: str | None = None) -> float:
    """Return the score in the source language minus the mean over the others (Hu et al. 2020, XTREME).

    Args:
        scores: what `evaluate` returned, with the source language among them.
        source: the language that was trained in, however it is spelled.
        metric: None for the first score's.

    Raises:
        SettingError: where the source language or every other one is missing.

    Example:
        >>> transfer_gap([Score("t", "en", "accuracy", 90.0, 9), Score("t", "de", "accuracy", 60.0, 9)])
        30.0
    """
    given = list(scores)
    exact = any(one.language == source for one in given)  # a language in two scripts is two languages here

    def is_source(language: str) -> bool:
        return language == source if exact else identity(language) == identity(source)

    own = _mean(given, metric, is_source, f"{source!r}, the source language,")
    return own - _mean(given, metric, lambda language: not is_source(language), f"other than {source!r}")


def table(scores: Iterable[Score], by: str = "language") -> "pd.DataFrame":
    """Return the scores as a table: one line a language, script or family, one column a metric, means in the cells.

    Args:
        scores: what `evaluate` returned for one task.
        by: "language", "script" (ISO 15924) or "family" (the top level of Glottolog).

    Returns:
        The lines in the order in which their languages come, with the number of languages in the column `languages`
        where there may be several.

    Raises:
        SettingError: for an unknown grouping, or a language with several scores of one metric.

    Example:
        >>> scores = [Score("t", one, "accuracy", value, 9) for one, value in [("es", 80.0), ("de", 60.0), ("ar", 5.0)]]
        >>> table(scores, by="script")["accuracy"].to_dict()
        {'Latn': 70.0, 'Arab': 5.0}
    """
    import pandas as pd

    if by not in _GROUPS:
        raise SettingError(f"table(by={by!r}) must be one of {', '.join(map(repr, _GROUPS))}.")
    given = list(scores)
    metrics = list(dict.fromkeys(one.metric for one in given))
    groups = dict.fromkeys(_GROUPS[by](one.language) for one in given)
    lines = []
    for name in groups:
        members = [one for one in given if _GROUPS[by](one.language) == name]
        counted = {} if by == "language" else {"languages": len({one.language for one in members})}
        present = dict.fromkeys(one.metric for one in members)
        means = {metric: _mean(members, metric, lambda _: True, "") for metric in present}
        lines.append({by: name, **counted, **means})
    columns = [by, *(["languages"] if by != "language" else []), *metrics]
    return pd.DataFrame(lines, columns=columns).set_index(by)


def _mean(scores: Iterable[Score], metric: str | None, wanted: Callable[[str], bool], which: str) -> float:
    """Return the mean of one metric over the languages that are wanted."""
    given = list(scores)
    name = metric or (given[0].metric if given else "")
    chosen = [one for one in given if one.metric == name and wanted(one.language)]
    if not chosen:
        raise SettingError(f"A mean needs scores of {name!r} in a language {which}, but there are none; evaluate more.")
    if len({(one.task, one.language) for one in chosen}) < len(chosen) or len({one.task for one in chosen}) > 1:
        raise SettingError(
            f"A mean over languages needs one score of {name!r} in each, all of one task, but some have several; "
            "choose one task, layer or model."
        )
    once = {(identity(one.language), script(one.language)) for one in chosen}
    if len(once) < len(chosen):
        names = ", ".join(one.language for one in chosen)
        raise SettingError(f"A mean over languages counts each once, but one is there under two spellings: {names}.")
    return plain_sum(one.value for one in chosen) / len(chosen)
