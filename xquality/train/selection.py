"""Selection: which of the weights that a stage passes through it ends with, and when it stops early."""

from dataclasses import dataclass
from typing import Any, final

from xquality import _settings
from xquality.errors import SettingError

RULES = ("last", "best_source", "best_target", "average")


@final
@dataclass(frozen=True)
class Selection:
    """How a stage chooses its final weights.

    Attributes:
        rule: "last" takes the weights of the last step; "best_source" those with the best score on development data
            of the language that was trained; "best_target" those with the best mean over `languages`, which a
            zero-shot study may not know: an oracle, and recorded as one; "average" the mean of the weights at the
            last `count` looks.
        every: how many steps lie between two looks; None for a tenth of the budget.
        patience: stop after this many looks in a row without a better score; None never stops early.
        languages: for "best_target", the languages to look at.
        rows: how many rows of each language to look at, chosen by uid; None for all.
        count: for "average", of how many looks.

    Raises:
        SettingError: for settings out of range, or that the rule does not use.

    Example:
        >>> Selection("best_source", patience=3).looks(100)
        (10, 20, 30, 40, 50, 60, 70, 80, 90, 100)
    """

    rule: str = "last"
    every: int | None = None
    patience: int | None = None
    languages: tuple[str, ...] = ()
    rows: int | None = None
    count: int = 5

    def __post_init__(self) -> None:
        owner = "Selection"
        _settings.one_of(owner, "rule", self.rule, RULES)
        for name in ("every", "patience", "rows", "count"):
            if name == "count" or getattr(self, name) is not None:
                object.__setattr__(self, name, _settings.integer(owner, name, getattr(self, name), least=1))
        if self.languages:
            object.__setattr__(self, "languages", _settings.texts(owner, "languages", self.languages))
        if bool(self.languages) != (self.rule == "best_target"):
            raise SettingError(f"{self!r} needs languages with the rule 'best_target', and only with it.")
        if self.patience is not None and not self.rule.startswith("best"):
            raise SettingError(f"{self!r} has patience, which needs a score to wait for; use a rule that has one.")

    def looks(self, steps: int) -> tuple[int, ...]:
        """Return the steps after which to look: every so many, and the last."""
        if self.rule == "last":
            return ()
        every = self.every or max(1, steps // 10)
        return tuple(dict.fromkeys([*range(every, steps + 1, every), steps]))

    @property
    def scores(self) -> bool:
        """Whether looks are scored."""
        return self.rule.startswith("best")

    def settings(self) -> dict[str, Any]:
        """Return what is recorded of it, as plain JSON values."""
        kept: dict[str, Any] = {"rule": self.rule}
        if self.rule != "last":
            kept["every"] = self.every
        if self.rule == "average":
            kept["count"] = self.count
        if self.scores:
            kept |= {"patience": self.patience, "rows": self.rows, "oracle": self.rule == "best_target"}
            kept["languages"] = list(self.languages)
        return kept
