"""CleanlabFilter: find label issues by confident learning, and drop, relabel, flag or down-weight them."""

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import ClassLabel, List, Value

from xquality._settings import Name, Rate, Stream, at_least, check_settings, choice, optional, text, texts
from xquality.data.arrow import flatten_lists, list_lengths, make_lists, replace_column
from xquality.data.provenance import flagged_columns
from xquality.data.rows import Change, Rows
from xquality.errors import ColumnError, LabelError, SettingError
from xquality.label_issues import RULES
from xquality.label_issues._cleanlab import BATCHED_RULES
from xquality.label_issues.predictions import (
    ConfidencePredictions,
    LabelPredictions,
    read_choice_predictions,
    read_class_predictions,
    read_confidence_predictions,
    read_tag_predictions,
    read_tagging,
)
from xquality.label_issues.search import IssueSearch
from xquality.label_issues.text_models import predict_classes, predict_tags
from xquality.randomness import Draw
from xquality.transforms.base import Transform


@final
@dataclass(frozen=True)
class CleanlabFilter(Transform):
    """Act on the labels that are probably wrong by cleanlab's rules (confident learning, Northcutt et al. 2021).

    The type of the column decides what a label is. A ClassLabel: one class for each row. Lists of ClassLabel: one tag
    for each token. Integers: the number of the answer among the row's options. Anything else, such as answer spans:
    cleanlab cannot estimate an error rate; a column of confidences ranks the rows, and `max_fraction` of them are
    issues.

    The probabilities are out of sample: those of a linear model over the text in keyed folds, in which rows with one
    text share a fold, or those of a given column (`xquality.probabilities` makes one from an encoder's embeddings or
    by fine-tuning). On a few hundred rows about half of what is flagged is a true error: rank and cap with
    `max_fraction` rather than drop all of it. A class with a single label is never flagged.

    Attributes:
        action: "drop" removes the rows that have an issue; "relabel" gives issues the most probable class and keeps
            the labels as they were in `<column>_given` (a tagging becomes the most probable one that is valid and
            differs in the issues only); "flag" adds a column `label_issue`, a boolean for each row or, for tags, a list
            of booleans; "weight" adds that and a column `weight`, which training uses: 1 for a row without an issue and
            cleanlab's label quality in [0, 1] for an issue; for tags the mean of these over the row's tokens. Flags of
            an earlier filter of the same column are kept; where `label_issue` is of another column, as the history
            says, the flags go to `<column>_label_issue`.
        probabilities: a column of probabilities, or None to compute them from the text. It holds a list of one
            probability for each class; for tags, a list of such lists, one for each token (null for a token without
            probabilities); for multiple choice, one for each of the row's options; or a single number, the confidence
            in the row's label, whatever that is.
        column: the column of labels.
        text_columns: the text to compute probabilities from; None for every string column but `uid` and first values
            (`*_before`); for tags, every column with one string for each tag. The record names them. Of a longer text
            the first 100,000 characters are read.
        folds: the number of folds over which the probabilities are computed.
        filter_by: cleanlab's rule for what is an issue, one of `xquality.label_issues.RULES`.
        max_fraction: act on at most this share of the labels (rows, or tokens of a tagging), those of the lowest label
            quality first. By confidence exactly this share is acted on, and it must be given.
        batch_size: the number of labels in a batch, for millions of rows: besides the rows themselves only a few bytes
            a label are in memory. This is cleanlab's memory-bounded search. Its only rule is to rank the labels and
            take the lowest, as many as it estimates to be wrong: by margin with `filter_by="low_normalized_margin"`, by
            the label's own probability otherwise.
        stream: separates the draws of several calls with one seed.

    Raises:
        SettingError: for an unknown action or rule, a number out of range, a rule that has no batches, or a
            confidence with "relabel" or without `max_fraction`.
        ColumnError: for a missing column, no text, or probabilities of another shape.
        LabelError: for unlabelled rows, fewer rows or classes than folds need, or tags that are not valid.

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

    action: Annotated[str, choice("drop", "relabel", "flag", "weight")] = "drop"
    probabilities: Annotated[str | None, optional(text)] = None
    column: Name = "label"
    text_columns: Annotated[tuple[str, ...] | None, optional(texts)] = None
    folds: Annotated[int, at_least(2)] = 5
    filter_by: Annotated[str, choice(*RULES)] = "prune_by_noise_rate"
    max_fraction: Rate = 1.0
    batch_size: Annotated[int | None, optional(at_least(1))] = None
    stream: Stream = 0

    def __post_init__(self) -> None:
        check_settings(self)
        if self.batch_size is not None and self.filter_by not in (*BATCHED_RULES, RULES[0]):
            raise SettingError(
                f"CleanlabFilter(filter_by={self.filter_by!r}) has no batches; leave out batch_size, or take one of "
                f"{', '.join(BATCHED_RULES)}."
            )

    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Find the issues and act on them."""
        rows = dataclasses.replace(rows, owner=str(self))  # errors name the settings, which decide what is read
        added = self._added_columns(rows)
        predictions, text_columns = self._predictions(rows, draw)
        default_in_batches = self.batch_size is not None and self.filter_by not in BATCHED_RULES
        rule = "low_self_confidence" if default_in_batches else self.filter_by
        issues = predictions.find_issues(IssueSearch(rule, self.batch_size, self.max_fraction))
        details = {
            "issues": int(issues.sum()),
            "labels": len(issues),
            "rule": "lowest confidence" if isinstance(predictions, ConfidencePredictions) else rule,
            "probabilities": self.probabilities or "tf-idf",
            "text_columns": list(text_columns),
        }
        has_issue = predictions.rows_with(issues)
        if self.action == "drop":
            kept = rows.take(np.flatnonzero(~has_issue))
            return Change(kept, acted=int(has_issue.sum()), details=details)
        table, features, changed = rows.table, dict(added), 0
        values = {self._flag_column(rows): predictions.flags(issues)}
        if self.action == "relabel":
            best, moved = predictions.relabel(issues)
            given = rows.column(self.column)
            values[f"{self.column}_given"] = pc.if_else(pa.array(has_issue), given, pa.scalar(None, given.type))
            table, before = rows.replace(self.column, best, moved)
            features, changed = {**before, **added}, int(moved.sum())
        if self.action == "weight":
            values["weight"] = pa.array(predictions.weights(issues))
        for name in added:
            table = replace_column(table, name, _merge_earlier(rows, name, values[name]))
        return Change(table, features, changed=changed, acted=int(issues.sum()), of=len(issues), details=details)

    def _added_columns(self, rows: Rows) -> dict[str, Any]:
        """Return the features of the columns that the action adds, after checking that their names are free."""
        rows.column(self.column)
        feature = rows.features[self.column]
        flag = List(Value("bool")) if _tag_names(feature) and not self._has_confidence(rows) else Value("bool")
        if self.action == "drop":
            return {}
        added = {self._flag_column(rows): flag}
        if self.action == "weight":
            added |= {"weight": Value("float64")}
        if self.action == "relabel":
            added = {f"{self.column}_given": feature} | added
        if "weight" in added and "weight" in rows.features:
            raise ColumnError(f"{self} adds a column 'weight', but there is one; remove or rename it first.")
        for name, kind in added.items():
            if rows.features.get(name, kind) != kind:
                raise ColumnError(f"{self} writes {name!r}, which holds something else; rename that column first.")
        return added

    def _flag_column(self, rows: Rows) -> str:
        """Return the column for the flags: `label_issue`, or one of its own where that holds those of another label."""
        if "label_issue" not in rows.features:
            return "label_issue"
        columns = flagged_columns(rows.records)
        if len(columns) != 1:
            found = (
                f"holds flags of {sorted(columns)}" if columns else "is there, but no filter in the history wrote it"
            )
            raise ColumnError(
                f"{self!r} writes the flags of {self.column!r} to 'label_issue', which {found}; rename that column "
                "first."
            )
        return "label_issue" if columns == {self.column} else f"{self.column}_label_issue"

    def _predictions(self, rows: Rows, draw: Draw) -> tuple[LabelPredictions, tuple[str, ...]]:
        """Return the labels beside their probabilities, and the columns of text that were read for these."""
        feature, given = rows.features[self.column], self.probabilities
        tags = _tag_names(feature)
        if given is not None and self._has_confidence(rows):
            self._check_confidence(given)
            return read_confidence_predictions(rows, given, draw.uids), ()
        if tags:
            tagging = read_tagging(rows, self.column, tags, valid=self.action == "relabel")
            if given is None:
                return predict_tags(rows, tagging, self.text_columns, draw, self.folds)
            return read_tag_predictions(rows, tagging, given, draw.uids), ()
        kind = rows.column(self.column).type
        if isinstance(feature, ClassLabel) or not (pa.types.is_integer(kind) or pa.types.is_nested(kind)):
            rows.class_names(self.column)
            if given is None:
                return predict_classes(rows, self.column, self.text_columns, draw, self.folds)
            return read_class_predictions(rows, self.column, given, draw.uids), ()
        if given is not None and pa.types.is_integer(kind):
            return read_choice_predictions(rows, self.column, given, draw.uids), ()
        if pa.types.is_integer(kind):
            try:
                rows.class_names(self.column)
            except LabelError as fault:
                raise LabelError(
                    f"{str(fault).removesuffix('.')}, or where the integers number the options of each row, name a "
                    "column of their probabilities."
                ) from fault
        raise ColumnError(
            f"{self} needs a column of one confidence a row for {self.column!r}, which is {feature}; make one with "
            "xquality.probabilities.from_fine_tuning and name it in probabilities."
        )

    def _has_confidence(self, rows: Rows) -> bool:
        """Return whether the probabilities are one number for each row, the confidence in its label."""
        return self.probabilities is not None and pa.types.is_floating(rows.column(self.probabilities).type)

    def _check_confidence(self, given: str) -> None:
        """Raise `SettingError` if the settings do not work with a confidence."""
        if self.action == "relabel":
            raise SettingError(f"{self} cannot relabel by the confidence in {given!r}; choose another action.")
        if self.max_fraction == 1:
            raise SettingError(
                f"{self} acts on the rows of the lowest confidence in {given!r}; give the share of them in "
                "max_fraction, below 1."
            )


def _tag_names(feature: Any) -> tuple[str, ...]:
    """Return the names of the tags of a list of ClassLabel; none for any other feature."""
    inner = getattr(feature, "feature", None)
    return tuple(inner.names) if isinstance(inner, ClassLabel) else ()


def _merge_earlier(rows: Rows, name: str, values: pa.Array) -> pa.Array:
    """Return the values of a column, with what an earlier filter wrote there: flags are united, other values kept.

    Where an earlier filter did not see a row, as after a concatenation, its flag is null, which counts as False.
    """
    if name not in rows.features:
        return values
    earlier = rows.column(name)
    if not name.endswith("label_issue"):
        return pc.coalesce(earlier, values)
    if not pa.types.is_nested(earlier.type):
        return pc.or_(pc.fill_null(earlier, False), values)
    present = pc.coalesce(earlier, values.cast(earlier.type))
    lists = flatten_lists(present)
    if lists is None or (lists[1] != list_lengths(values)).any():
        raise ColumnError(
            f"{rows.owner} unites its flags with those in {name!r}, but some rows have another number of them than of "
            "tags; remove that column first."
        )
    return make_lists(pc.or_(pc.fill_null(lists[0], False), values.flatten()).combine_chunks(), lists[1])
