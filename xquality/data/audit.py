"""xq.audit: how well a filter found the label noise that the rows record, over all labels and for each class."""

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import ClassLabel, Dataset

from xquality import _settings
from xquality._tables import html_table, latex_table, printable
from xquality.data._datasets import table_of
from xquality.data.arrow import (
    Indices,
    Mask,
    get_column,
    is_list,
    is_number,
    list_lengths,
    list_values,
    replace_column,
)
from xquality.data.provenance import flagged_columns, flatten_records, history
from xquality.data.uids import UID, check_uids
from xquality.errors import ColumnError, DataKindError, SerialisationError, SettingError

if TYPE_CHECKING:
    import pandas as pd

_OWNER = "xq.audit"
_COUNTS = ("rows", "noisy", "found", "correct", "restored")


@final
@dataclass(frozen=True)
class Audit:
    """Counts of what a filter found among the labels that are known to be wrong.

    `str(audit)` is one line; `f"{audit:table}"` adds the table of classes, which `to_pandas` returns.

    Attributes:
        rows: the number of rows that the filter read; if labels are lists, such as tags, the number of tokens.
        noisy: how many of them had another label than their first one when the filter read them.
        found: how many the filter acted on.
        correct: how many noisy ones it acted on.
        restored: how many noisy ones got their first label back by relabelling.
        classes: the same counts by the first label, which is the true one: the recall of a class is the share of the
            noise on its rows that was found.
        seen: the same counts by the label that the filter read: the precision of a class is the share of its flagged
            labels that are wrong.
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
        """The share of found rows that are noisy; 0 if nothing was found."""
        return self.correct / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """The share of noisy rows that were found; 0 if nothing is noisy."""
        return self.correct / self.noisy if self.noisy else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall; 0 if both are 0."""
        return 2 * self.correct / (self.found + self.noisy) if self.correct else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return the audit as plain JSON values, so that a `Result` takes it in its notes."""
        counts = {name: getattr(self, name) for name in (*_COUNTS, "unit")}
        classes = {
            kind: {name: counts.to_dict() for name, counts in getattr(self, kind).items()}
            for kind in ("classes", "seen")
        }
        return counts | {kind: found for kind, found in classes.items() if found}

    @classmethod
    def from_dict(cls, content: Any) -> "Audit":
        """Return the audit that `to_dict` wrote.

        Raises:
            SerialisationError: for anything else.
        """
        fits = isinstance(content, Mapping) and set(_COUNTS) <= set(content) <= {*_COUNTS, "unit", "classes", "seen"}
        kinds = {kind: content.get(kind, {}) for kind in ("classes", "seen")} if fits else {}
        counts = [content[name] for name in _COUNTS] if fits else []
        whole = all(isinstance(count, int) and not isinstance(count, bool) for count in counts)
        if not fits or not whole or not all(isinstance(found, Mapping) for found in kinds.values()):
            raise SerialisationError(
                f"An Audit is read from JSON with the keys {', '.join(_COUNTS)}, but {content!r:.80} was found; give "
                "what to_dict wrote."
            )
        classes: dict[str, Any] = {
            kind: {str(name): cls.from_dict(inner) for name, inner in found.items()} for kind, found in kinds.items()
        }
        unit = str(content.get("unit", "rows"))
        return cls(*counts, unit=unit, classes=classes["classes"], seen=classes["seen"])

    def by(self, label: str) -> Mapping[str, "Audit"]:
        """Return the audits of the classes by name, by the "first" label or by the label "seen" by the filter."""
        return {"first": self.classes, "seen": self.seen}[
            _settings.one_of("Audit.by", "label", label, ("first", "seen"))
        ]

    def table(self, by: str = "first") -> "pd.DataFrame":
        """Return one row for each class: counts, precision, recall and F1, indexed by the class name.

        Args:
            by: "first" for the true label, "seen" for the label that the filter read.

        Raises:
            SettingError: for any other value of `by`.
        """
        import pandas as pd

        names = (*_COUNTS, "precision", "recall", "f1")
        lines = {label: [getattr(counts, name) for name in names] for label, counts in self.by(by).items()}
        table = pd.DataFrame.from_dict(lines, orient="index", columns=list(names))
        return table.rename_axis("class")

    def to_pandas(self, by: str = "first") -> "pd.DataFrame":
        """Return `table(by)`, and as its last row "all", the same numbers over all labels.

        Args:
            by: "first" for the true label, "seen" for the label that the filter read.

        Raises:
            SettingError: for any other value of `by`.
        """
        import pandas as pd

        everything = Audit(self.rows, self.noisy, self.found, self.correct, self.restored, classes={"all": self})
        tables = [table for table in (self.table(by), everything.table()) if len(table)]
        return pd.concat(tables)

    def to_latex(self, by: str = "first") -> str:
        """Return the table of `to_pandas` in LaTeX, with the rules of the package booktabs.

        Args:
            by: "first" for the true label, "seen" for the label that the filter read.

        Raises:
            SettingError: for any other value of `by`.
        """
        return latex_table(*self._texts(by))

    def _texts(self, by: str) -> tuple[list[str], list[list[str]]]:
        """Return the head and the rows of the table of classes and of all labels."""
        table = self.to_pandas(by)
        rows = [
            [printable(name), *(f"{value:.2f}" if isinstance(value, float) else f"{value:,}" for value in line)]
            for name, *line in table.itertuples()
        ]
        return ["class", *table.columns], rows

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(str(self))}</p>{html_table(*self._texts('first'))}"

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
    booleans a row, or one boolean for all tokens of the row. All tokens of a dropped row count as found. Answers whose
    context was changed by `TranslationNoise` are compared by their texts, since shifted offsets are not wrong; tags
    that it moved along with their tokens are refused.

    Args:
        data: rows that were relabelled, flagged or weighted.
        before: instead of `data`, the noisy rows before a filter dropped some of them, with their uids.
        after: the rows that the filter kept.
        column: the label column.

    Raises:
        SettingError: if neither `data` nor `before` and `after` are given, or both.
        DataKindError: for anything but a `Dataset`.
        ColumnError: if the rows record no noise, no filter acted on them, lists of one row differ in length, or the
            labels moved along with their tokens.

    Example:
        >>> from xquality import CleanlabFilter, LabelNoise, toy
        >>> noisy = LabelNoise(rate=0.2)(toy.topics.load("es", "train"), seed=1)
        >>> found = audit(CleanlabFilter(action="flag")(noisy, seed=1))
        >>> found.noisy, sum(found.table()["noisy"])
        (200, 200)
    """
    given = [part for part in (data, before, after) if part is not None]
    if any(not isinstance(part, Dataset) for part in given):
        raise DataKindError(
            f"xq.audit compares Datasets, but got {[type(part).__name__ for part in given]}; give one split."
        )
    if data is not None and before is None and after is None:
        return _audit_in_place(data, column)
    if data is None and before is not None and after is not None:
        return _audit_dropped(before, after, column)
    raise SettingError("xq.audit takes either one dataset, or both before= and after=.")


def _audit_in_place(data: Dataset, name: str) -> Audit:
    """Audit labels that were flagged, weighted or relabelled."""
    table = _table_of_labels(data, name)
    found, present = get_column(table, _flag_column(data, name), _OWNER), get_column(table, name, _OWNER)
    seen = pc.coalesce(table.column(f"{name}_given"), present) if f"{name}_given" in table.column_names else present
    return _count(_read_labels(table, seen, name), found, present, data.features[name])


def _flag_column(data: Dataset, name: str) -> str:
    """Return the column with the flags of a label column."""
    own = f"{name}_label_issue"
    if own in data.column_names:
        return own
    if "label_issue" not in data.column_names:
        raise ColumnError(
            f"{_OWNER} reads what a filter found from 'label_issue', which the rows lack: write "
            "CleanlabFilter(action='flag'), or xq.audit(before=..., after=...) for rows that it dropped."
        )
    columns = flagged_columns(history(data))
    if not columns <= {name}:
        raise ColumnError(
            f"{_OWNER} needs flags of {name!r}, but 'label_issue' holds those of {sorted(columns)}; run "
            f"CleanlabFilter(action='flag', column={name!r}), or give column={min(columns)!r}."
        )
    return "label_issue"


def _audit_dropped(before: Dataset, after: Dataset, name: str) -> Audit:
    """Audit labels by whether their rows were dropped."""
    left, right = _table_of_labels(before, name), table_of(after)
    old, kept = check_uids(get_column(left, UID, _OWNER)), check_uids(get_column(right, UID, _OWNER))
    if not np.isin(kept, old).all():
        raise ColumnError("xq.audit(before, after) needs the rows of after to come from before, but some uids are new.")
    found = pa.chunked_array([pa.array(~np.isin(old, kept))])
    seen = get_column(left, name, _OWNER)
    return _count(_read_labels(left, seen, name), found, seen, before.features[name])


def _table_of_labels(data: Dataset, name: str) -> pa.Table:
    """Return the rows; answers that moved along with their context are reduced to their texts."""
    table = table_of(data)
    movers = [
        record.transform for record in flatten_records(history(data)) if name in record.details.get("followed", ())
    ]
    if not movers or name not in table.column_names:
        return table
    kind = table.column(name).type
    if not pa.types.is_struct(kind):
        raise ColumnError(
            f"{_OWNER} reads wrong labels from {name}_before, but {movers[0]} moved {name!r} along with their tokens, "
            "which makes no label wrong; audit the filter on rows without it."
        )
    text = pa.struct([kind.field("text")])
    for column in {name, f"{name}_before", f"{name}_given"} & {*table.column_names}:
        table = replace_column(table, column, table.column(column).cast(text))
    return table


@final
@dataclass(frozen=True)
class _Labels:
    """The labels of all rows, or of all their tokens one after the other.

    Attributes:
        first: the first value of each label.
        seen: the value that the filter read, one a label.
        lengths: the number of labels of each row, shape (rows,); None if each row has one.
    """

    first: pa.ChunkedArray
    seen: pa.ChunkedArray
    lengths: Indices | None

    def noisy(self) -> Mask:
        """Return which labels were not the first ones when the filter read them, shape (labels,)."""
        return _differ(self.seen, self.first)

    def restored(self, values: pa.ChunkedArray) -> Mask:
        """Return where a label column holds the first values, shape (labels,)."""
        flat = values if self.lengths is None else _flatten(values, self.lengths, "the labels")
        return ~_differ(flat, self.first)

    def read_flags(self, values: pa.ChunkedArray, name: str) -> Mask:
        """Return a column of flags, one a label or one a row, shape (labels,); a null is False."""
        by_row = self.lengths is not None and not is_list(values.type)
        if self.lengths is not None and not by_row:
            values = _flatten(values, self.lengths, name)
        kind = values.type
        if not (pa.types.is_boolean(kind) or is_number(kind)):
            raise ColumnError(
                f"{_OWNER} needs booleans in {name!r}, one for each label or row, but it holds {kind}; "
                "run a filter that flags the rows."
            )
        flags = np.asarray(pc.fill_null(values.cast(pa.bool_()), False).to_numpy(), np.bool_)
        return np.repeat(flags, self.lengths) if by_row and self.lengths is not None else flags

    def count_by_class(self, values: pa.ChunkedArray, feature: Any, masks: Mapping[str, Mask]) -> dict[str, list[int]]:
        """Return how many labels of each class each mask covers.

        Args:
            values: the classes to count by, `first` or `seen`.
            feature: the feature of the label column. A ClassLabel, also one in lists, gives all its classes in their
                order; for other plain values the classes are those that occur; for structs there are none.
            masks: by the name of the count, each of shape (labels,).
        """
        if pa.types.is_nested(values.type):
            return {}
        inner = feature if self.lengths is None else getattr(feature, "feature", None)
        if isinstance(inner, ClassLabel):
            known, names = pa.array(range(len(inner.names)), values.type), list(inner.names)
        else:
            known = pc.drop_null(values.unique())
            known = known.take(pc.sort_indices(known))
            names = [str(value) for value in known.to_pylist()]
        classes = np.asarray(pc.fill_null(pc.index_in(values, known), len(names)).to_numpy())
        counts = [np.bincount(classes[mask], minlength=len(names) + 1) for mask in masks.values()]
        return {name: [int(count[index]) for count in counts] for index, name in enumerate(names)}


def _read_labels(table: pa.Table, seen: pa.ChunkedArray, name: str) -> _Labels:
    """Return the labels that the filter read beside their first values, which the rows keep in `<name>_before`."""
    first = pc.coalesce(get_column(table, f"{name}_before", _OWNER), seen)
    if not is_list(seen.type):
        return _Labels(first, seen, None)
    lengths = list_lengths(seen)
    return _Labels(_flatten(first, lengths, f"{name}_before"), _flatten(seen, lengths, name), lengths)


def _differ(left: pa.ChunkedArray, right: pa.ChunkedArray) -> Mask:
    """Return where two columns hold different values, shape (labels,); a null differs from nothing."""
    if pa.types.is_nested(left.type):  # such as answers: Arrow cannot compare structs
        pairs = zip(left.to_pylist(), right.to_pylist(), strict=True)
        return np.fromiter((None not in pair and pair[0] != pair[1] for pair in pairs), np.bool_, len(left))
    return np.asarray(pc.fill_null(pc.not_equal(left, right), False).to_numpy(), np.bool_)


def _flatten(lists: pa.ChunkedArray, lengths: Indices, name: str) -> pa.ChunkedArray:
    """Return the values of lists after checking that they have these lengths."""
    if not is_list(lists.type) or (list_lengths(lists) != lengths).any():
        raise ColumnError(
            f"{_OWNER} counts token by token, but the lists in {name!r} differ in length from the labels; give the "
            "rows as the transforms returned them."
        )
    return list_values(lists)


def _count(labels: _Labels, found: pa.ChunkedArray, present: pa.ChunkedArray, feature: Any) -> Audit:
    """Return the counts, of all labels and by class, given what a filter found and the labels it left."""
    noisy, flagged = labels.noisy(), labels.read_flags(found, "label_issue")
    masks = {  # in the order of the counts of an Audit
        "rows": np.ones(len(noisy), np.bool_),
        "noisy": noisy,
        "found": flagged,
        "correct": noisy & flagged,
        "restored": noisy & flagged & labels.restored(present),
    }
    unit = "rows" if labels.lengths is None else "tokens"
    first, seen = (
        {name: Audit(*counts, unit=unit) for name, counts in labels.count_by_class(values, feature, masks).items()}
        for values in (labels.first, labels.seen)
    )
    return Audit(*(int(mask.sum()) for mask in masks.values()), classes=first, seen=seen, unit=unit)
