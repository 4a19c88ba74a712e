"""audit: how well a filter found the noise that the rows record, in all and class by class."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import Dataset

from xquality import _settings
from xquality.data._datasets import table_of
from xquality.data.arrow import get_column, replace_column
from xquality.data.first_labels import Labels, read_labels
from xquality.data.provenance import history, with_parts
from xquality.data.uids import UID, check_uids
from xquality.errors import ColumnError, DataKindError, SettingError

if TYPE_CHECKING:
    import pandas as pd

_OWNER = "xq.audit"


@final
@dataclass(frozen=True)
class Audit:
    """Counts of what a filter found among the labels that are known to be wrong.

    `str(audit)` is one line; `f"{audit:table}"` adds the table of classes.

    Attributes:
        rows: all rows that the filter saw; where labels are lists, such as tags, all their tokens.
        noisy: those whose label differed from the first value when the filter saw them.
        found: those the filter acted on.
        correct: the noisy ones it acted on.
        restored: the noisy ones to which a relabelling gave their first label back.
        classes: the same counts by the first label, which is the true one: the recall of a class says how much of the
            noise that struck its rows was found.
        seen: the same counts by the label that the filter saw: the precision of a class says how far the filter can be
            trusted where it objects to this label.
        unit: what is counted, "rows" or "tokens".
    """

    rows: int
    noisy: int
    found: int
    correct: int
    restored: int = 0
    classes: Mapping[str, "Audit"] = field(default_factory=dict, compare=False, repr=False, kw_only=True)
    seen: Mapping[str, "Audit"] = field(default_factory=dict, compare=False, repr=False, kw_only=True)
    unit: str = field(default="rows", kw_only=True)

    @property
    def precision(self) -> float:
        """The share of found rows that are noisy, 0 where nothing was found."""
        return self.correct / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """The share of noisy rows that were found, 0 where nothing is noisy."""
        return self.correct / self.noisy if self.noisy else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall, 0 where both are 0."""
        return 2 * self.correct / (self.found + self.noisy) if self.correct else 0.0

    def by(self, label: str) -> Mapping[str, "Audit"]:
        """Return the audits of the classes by name, by the "first" label or by the label "seen" by the filter."""
        return {"first": self.classes, "seen": self.seen}[
            _settings.one_of("Audit.by", "label", label, ("first", "seen"))
        ]

    def table(self, by: str = "first") -> "pd.DataFrame":
        """Return one line a class: counts, precision, recall and F1, indexed by the class name.

        Args:
            by: "first" for the true label, "seen" for the label that the filter saw.

        Raises:
            SettingError: for any other label.
        """
        import pandas as pd

        names = ("rows", "noisy", "found", "correct", "restored", "precision", "recall", "f1")
        lines = {one: [getattr(counts, name) for name in names] for one, counts in self.by(by).items()}
        table = pd.DataFrame.from_dict(lines, orient="index", columns=list(names))
        return table.rename_axis("class")

    def __str__(self) -> str:
        return (
            f"{self.found} of {self.rows} {self.unit} found, {self.noisy} noisy, {self.correct} both: "
            f"precision {self.precision:.2f}, recall {self.recall:.2f}, F1 {self.f1:.2f}"
        )

    def __format__(self, spec: str) -> str:
        if spec == "table":
            return f"{self}\n{self.table().to_string(float_format='{:.2f}'.format)}"
        return format(str(self), spec)


def audit(
    data: Dataset | None = None,
    *,
    before: Dataset | None = None,
    after: Dataset | None = None,
    column: str = "label",
) -> Audit:
    """Compare what a filter found with the noise that the rows record in `<column>_before`.

    Labels may be lists, such as the tags of a sentence: then tokens are counted, and `label_issue` holds a list of
    booleans a row, or one for all tokens of the row. All tokens of a dropped row count as found. Answers whose context
    `TranslationNoise` changed are compared by their texts, since their offsets moved without becoming wrong; tags that
    it moved along with their tokens are refused.

    Args:
        data: rows that were relabelled, flagged or weighted.
        before: instead, the noisy rows before a filter dropped some of them, with their uids.
        after: and the rows it left.
        column: the label column.

    Raises:
        SettingError: for neither or both ways of asking.
        DataKindError: for anything but a `Dataset`.
        ColumnError: where the rows record no noise, no filter acted on them, lists of one row differ in length, or the
            labels moved along with their tokens.

    Example:
        >>> from xquality import CleanlabFilter, LabelNoise, toy
        >>> noisy = LabelNoise(rate=0.2)(toy.topics.load("es", "train"), seed=1)
        >>> found = audit(CleanlabFilter(action="flag")(noisy, seed=1))
        >>> found.noisy, sum(found.table()["noisy"])
        (200, 200)
    """
    given = [one for one in (data, before, after) if one is not None]
    if any(not isinstance(one, Dataset) for one in given):
        raise DataKindError(f"xq.audit compares Datasets, but got {[type(one).__name__ for one in given]}.")
    if data is not None and before is None and after is None:
        return _acted(data, column)
    if data is None and before is not None and after is not None:
        return _dropped(before, after, column)
    raise SettingError("xq.audit takes either one dataset, or both before= and after=.")


def _acted(data: Dataset, name: str) -> Audit:
    """Audit labels that were flagged, weighted or relabelled in place."""
    table = _labelled(data, name)
    found, present = get_column(table, "label_issue", _OWNER), get_column(table, name, _OWNER)
    seen = pc.coalesce(table.column(f"{name}_given"), present) if f"{name}_given" in table.column_names else present
    return _counted(read_labels(table, seen, name, _OWNER), found, present, data.features[name])


def _dropped(before: Dataset, after: Dataset, name: str) -> Audit:
    """Audit labels by whether their rows are missing afterwards."""
    left, right = _labelled(before, name), table_of(after)
    had, kept = check_uids(get_column(left, UID, _OWNER)), check_uids(get_column(right, UID, _OWNER))
    if not np.isin(kept, had).all():
        raise ColumnError("xq.audit(before, after) needs the rows of after to come from before, but some uids are new.")
    found = pa.chunked_array([pa.array(~np.isin(had, kept))])
    seen = get_column(left, name, _OWNER)
    return _counted(read_labels(left, seen, name, _OWNER), found, seen, before.features[name])


def _labelled(data: Dataset, name: str) -> pa.Table:
    """Return the rows; answers that moved along with their context are their texts alone, whose offsets are right."""
    table = table_of(data)
    movers = [one.transform for one in with_parts(history(data)) if name in one.details.get("followed", ())]
    if not movers or name not in table.column_names:
        return table
    kind = table.column(name).type
    if not pa.types.is_struct(kind):
        raise ColumnError(
            f"{_OWNER} reads wrong labels from {name}_before, but {movers[0]} moved {name!r} along with their tokens, "
            "which makes no label wrong; audit the filter on rows without it."
        )
    text = pa.struct([kind.field("text")])
    for one in {name, f"{name}_before", f"{name}_given"} & {*table.column_names}:
        table = replace_column(table, one, table.column(one).cast(text))
    return table


def _counted(labels: Labels, found: pa.ChunkedArray, present: pa.ChunkedArray, feature: Any) -> Audit:
    """Return the counts, of all labels and by class, given what a filter found and what it left."""
    noisy, struck = labels.noisy(), labels.mask(found, "label_issue", _OWNER)
    marks = {  # in the order of the counts of an Audit
        "rows": np.ones(len(noisy), np.bool_),
        "noisy": noisy,
        "found": struck,
        "correct": noisy & struck,
        "restored": noisy & struck & labels.as_first(present, _OWNER),
    }
    unit = "rows" if labels.lengths is None else "tokens"
    first, seen = (
        {name: Audit(*counts.values(), unit=unit) for name, counts in labels.by_class(values, feature, marks).items()}
        for values in (labels.first, labels.seen)
    )
    return Audit(*(int(mark.sum()) for mark in marks.values()), classes=first, seen=seen, unit=unit)
