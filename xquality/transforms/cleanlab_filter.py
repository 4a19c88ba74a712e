"""CleanlabFilter: find label issues by confident learning, and drop, relabel, flag or down-weight them."""

from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import ClassLabel, List, Value

from xquality import _settings
from xquality.data.arrow import flatten_lists, make_lists, replace_column
from xquality.data.rows import Change, Rows
from xquality.errors import ColumnError, SettingError
from xquality.label_issues import RULES, Judged, Search
from xquality.label_issues.classes import given_choices, given_classes
from xquality.label_issues.confidence import Confidence, given_confidence
from xquality.label_issues.search import BATCHED
from xquality.label_issues.tags import given_tags, read_tagging
from xquality.label_issues.text import classes_from_text, tags_from_tokens
from xquality.randomness import Draw
from xquality.transforms.base import Transform

_ACTIONS = ("drop", "relabel", "flag", "weight")


@final
@dataclass(frozen=True)
class CleanlabFilter(Transform):
    """Act on the labels that cleanlab holds for wrong (confident learning, Northcutt et al. 2021).

    What a label is follows from the column. A ClassLabel: one class a row. Lists of ClassLabel: one tag a token.
    Integers: the place of the answer among the row's options. Anything else, such as answer spans: nothing that
    cleanlab could estimate an error rate of; a column of confidences says which share of the rows to act on.

    The probabilities are out of sample: those of a linear model over the text in keyed folds, in which rows with one
    text share a fold, or those of a given column (`xquality.probabilities` makes one from an encoder's embeddings or
    by fine-tuning). On a few hundred rows about half of what is flagged is a true error: rank and cap with
    `max_fraction` rather than drop all of it. A class with a single label is never flagged.

    Attributes:
        action: "drop" removes the rows that hold an issue; "relabel" gives issues the most probable class and keeps
            the labels it saw in `<column>_given` (a tagging becomes the most probable one that is valid BIO and
            differs in the issues only); "flag" adds a column `label_issue`, a boolean a row or, for tags, a list of
            booleans; "weight" adds that and a column `weight`, which training uses: 1 for a good row and cleanlab's
            label quality in [0, 1] for an issue; for tags the mean of these over the row's tokens.
        probabilities: a column of probabilities, or None to compute them from the text. It holds a list of one
            probability for each class; for tags, a list of such lists, one for each token (null for a token that was
            not judged); for multiple choice, one for each of the row's options; or a single number, the confidence in
            the row's label, whatever that is.
        column: the column of labels.
        text_columns: the text to compute probabilities from; None for every string column but `uid` and those that
            keep first values (`*_before`); for tags, every column with one string for each tag. The record names them.
        folds: how many folds the probabilities are computed over.
        filter_by: cleanlab's rule for what is an issue, one of `xquality.label_issues.RULES`.
        max_fraction: act on at most this share of the labels (rows, or tokens of a tagging), those of the lowest label
            quality first. By confidence exactly this share is acted on, and it must be named.
        batch_size: look at so many labels at a time, for millions of rows: beside the rows themselves a few bytes a
            label are held. This is cleanlab's memory-bounded search. It knows no other rule than to rank the labels
            and take the lowest, as many as it estimates to be wrong: by margin with
            `filter_by="low_normalized_margin"`, by the label's own probability otherwise.
        stream: tells apart several calls with one seed.

    Raises:
        SettingError: for an unknown action or rule, a number out of range, a rule that has no batches, or a
            confidence with "relabel" or without `max_fraction`.
        ColumnError: for a missing column, no text, or probabilities of another shape.
        LabelError: for unlabelled rows, fewer rows or classes than folds need, or BIO that is not valid.

    Example:
        >>> from xquality import LabelNoise, TagNoise, toy
        >>> noisy = LabelNoise(rate=0.2)(toy.topics.load("es", "train"), seed=1)
        >>> filtered = CleanlabFilter()(noisy, seed=1)
        >>> len(filtered) < len(noisy)
        True
        >>> tagged = TagNoise(rate=0.2)(toy.entities.load("es", "test"), seed=1)
        >>> flagged = CleanlabFilter(action="flag", column="ner_tags")(tagged, seed=1)
        >>> len(flagged[0]["label_issue"]) == len(flagged[0]["tokens"])
        True
    """

    needs_all_rows: ClassVar[str] = "compares each row with all others"

    action: str = "drop"
    probabilities: str | None = None
    column: str = "label"
    text_columns: tuple[str, ...] | None = None
    folds: int = 5
    filter_by: str = "prune_by_noise_rate"
    max_fraction: float = 1.0
    batch_size: int | None = None
    stream: int = 0

    def __post_init__(self) -> None:
        owner = "CleanlabFilter"
        _settings.one_of(owner, "action", self.action, _ACTIONS)
        _settings.one_of(owner, "filter_by", self.filter_by, RULES)
        object.__setattr__(self, "column", _settings.text(owner, "column", self.column))
        if self.probabilities is not None:
            _settings.text(owner, "probabilities", self.probabilities)
        if self.text_columns is not None:
            object.__setattr__(self, "text_columns", _settings.texts(owner, "text_columns", self.text_columns))
        object.__setattr__(self, "folds", _settings.integer(owner, "folds", self.folds, least=2))
        object.__setattr__(self, "max_fraction", _settings.rate(owner, "max_fraction", self.max_fraction))
        if self.batch_size is not None:
            object.__setattr__(self, "batch_size", _settings.integer(owner, "batch_size", self.batch_size, least=1))
            if self.filter_by not in (*BATCHED, RULES[0]):
                raise SettingError(
                    f"CleanlabFilter(filter_by={self.filter_by!r}) has no batches; leave out batch_size, or take one "
                    f"of {', '.join(BATCHED)}."
                )
        object.__setattr__(self, "stream", _settings.integer(owner, "stream", self.stream, least=0))

    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Find the issues and act on them."""
        added = self._added(rows)
        judged, texts = self._judged(rows, draw)
        ranked = self.batch_size is not None and self.filter_by not in BATCHED
        rule = "low_self_confidence" if ranked else self.filter_by
        issues = judged.find(Search(rule, self.batch_size, self.max_fraction))
        found = {
            "issues": int(issues.sum()),
            "labels": len(issues),
            "rule": "lowest confidence" if isinstance(judged, Confidence) else rule,
            "probabilities": self.probabilities or "tf-idf",
            "text_columns": list(texts),
        }
        struck = judged.rows(issues)
        if self.action == "drop":
            return Change(rows.take(np.flatnonzero(~struck)), acted=int(struck.sum()), details=found)
        table, features, changed = rows.table, dict(added), 0
        values = {"label_issue": judged.flags(issues)}
        if self.action == "relabel":
            best, moved = judged.relabelled(issues)
            present = rows.column(self.column)
            values[f"{self.column}_given"] = pc.if_else(pa.array(struck), present, pa.scalar(None, present.type))
            table, before = rows.replace(self.column, best, moved)
            features, changed = {**before, **added}, int(moved.sum())
        if self.action == "weight":
            values["weight"] = pa.array(judged.weights(issues))
        for name in added:
            table = replace_column(table, name, _with_earlier(rows, name, values[name]))
        return Change(table, features, changed=changed, acted=int(issues.sum()), of=len(issues), details=found)

    def _added(self, rows: Rows) -> dict[str, Any]:
        """Return the columns that the action adds, with their features, after checking that there is room for them."""
        rows.column(self.column)
        feature = rows.features[self.column]
        flag = List(Value("bool")) if _tag_names(feature) and not self._by_row(rows) else Value("bool")
        added = {
            "drop": {},
            "flag": {"label_issue": flag},
            "weight": {"label_issue": flag, "weight": Value("float64")},
            "relabel": {f"{self.column}_given": feature, "label_issue": flag},
        }[self.action]
        if "weight" in added and "weight" in rows.features:
            raise ColumnError(f"{self!r} adds a column 'weight', but there is one; remove or rename it first.")
        for name, kind in added.items():
            if rows.features.get(name, kind) != kind:
                raise ColumnError(f"{self!r} writes {name!r}, which holds something else; rename that column first.")
        return added

    def _judged(self, rows: Rows, draw: Draw) -> tuple[Judged, tuple[str, ...]]:
        """Return the labels beside their probabilities, and the columns of text that were read for these."""
        feature, owner, given = rows.features[self.column], repr(self), self.probabilities
        names = _tag_names(feature)
        if given is not None and self._by_row(rows):
            return self._by_confidence(rows, given, draw), ()
        if names:
            tagging = read_tagging(rows, self.column, names, owner, valid=self.action == "relabel")
            if given is None:
                return tags_from_tokens(rows, tagging, self.text_columns, draw, self.folds, owner)
            return given_tags(rows, tagging, given, draw.uids, owner), ()
        kind = rows.column(self.column).type
        if isinstance(feature, ClassLabel) or not (pa.types.is_integer(kind) or pa.types.is_nested(kind)):
            rows.class_names(self.column)
            if given is None:
                return classes_from_text(rows, self.column, self.text_columns, draw, self.folds, owner)
            return given_classes(rows, self.column, given, draw.uids, owner), ()
        if given is not None and pa.types.is_integer(kind):
            return given_choices(rows, self.column, given, draw.uids, owner), ()
        wanted = "probabilities of each row's options" if pa.types.is_integer(kind) else "one confidence a row"
        raise ColumnError(
            f"{owner} needs a column of {wanted} to judge {self.column!r}, which is {feature}; make one with "
            "xquality.probabilities.from_fine_tuning and name it in probabilities."
        )

    def _by_row(self, rows: Rows) -> bool:
        """Say whether the probabilities are one number a row, the confidence in its label."""
        return self.probabilities is not None and pa.types.is_floating(rows.column(self.probabilities).type)

    def _by_confidence(self, rows: Rows, given: str, draw: Draw) -> Judged:
        """Return the labels beside a confidence, where the settings go with one."""
        if self.action == "relabel":
            raise SettingError(f"{self!r} cannot relabel by the confidence in {given!r}; choose another action.")
        if self.max_fraction == 1:
            raise SettingError(
                f"{self!r} acts on the rows of the lowest confidence in {given!r}; name the share of them in "
                "max_fraction, below 1."
            )
        return given_confidence(rows, given, draw.uids, repr(self))


def _tag_names(feature: Any) -> tuple[str, ...]:
    """Return the names of the tags where a feature is a list of ClassLabel, and none elsewhere."""
    inner = getattr(feature, "feature", None)
    return tuple(inner.names) if isinstance(inner, ClassLabel) else ()


def _with_earlier(rows: Rows, name: str, values: pa.Array) -> pa.Array:
    """Return the values, and first of all what an earlier filter left in the column."""
    if name not in rows.features:
        return values
    earlier = rows.column(name)
    if name != "label_issue":
        return pc.coalesce(earlier, values)
    read = flatten_lists(earlier)
    if read is None:
        return pc.or_(earlier, values)
    return make_lists(pc.or_(read[0], values.flatten()).combine_chunks(), read[1])
