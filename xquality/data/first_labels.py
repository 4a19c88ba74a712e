"""Labels beside the first values that their rows keep: one a row, or one for each token where labels are lists."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import ClassLabel

from xquality.data.arrow import Indices, Mask, get_column, is_list, list_lengths, list_values
from xquality.errors import ColumnError


@final
@dataclass(frozen=True)
class Labels:
    """The labels of all rows, or of all their tokens one after the other.

    Attributes:
        first: the first values, one a label.
        seen: those that somebody saw, such as a filter, one a label.
        lengths: how many labels each row has, shape (rows,); None where each has one.
    """

    first: pa.ChunkedArray
    seen: pa.ChunkedArray
    lengths: Indices | None

    def noisy(self) -> Mask:
        """Return where the labels seen were not the first ones, shape (labels,)."""
        return _differ(self.seen, self.first)

    def as_first(self, values: pa.ChunkedArray, owner: str) -> Mask:
        """Return where a column of the rows holds the first values, shape (labels,)."""
        flat = values if self.lengths is None else _flat(values, self.lengths, "the labels", owner)
        return ~_differ(flat, self.first)

    def mask(self, values: pa.ChunkedArray, name: str, owner: str) -> Mask:
        """Return a column of marks, one a label or one for all of a row, shape (labels,); a null is no mark."""
        spread = self.lengths is not None and not is_list(values.type)
        if self.lengths is not None and not spread:
            values = _flat(values, self.lengths, name, owner)
        kind = values.type
        if not (pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            raise ColumnError(f"{owner} needs booleans in {name!r}, one for each label or row, but it holds {kind}.")
        marks = np.asarray(pc.fill_null(values.cast(pa.bool_()), False).to_numpy(), np.bool_)
        return np.repeat(marks, self.lengths) if spread and self.lengths is not None else marks

    def by_class(self, values: pa.ChunkedArray, feature: Any, marks: Mapping[str, Mask]) -> dict[str, dict[str, int]]:
        """Return how many labels of each class bear each mark.

        Args:
            values: the classes to count by, `first` or `seen`.
            feature: the feature of the label column. A ClassLabel, also one in lists, gives all its classes in their
                order; for other plain values the classes are those that occur; for structs there are none.
            marks: by name, each of shape (labels,).
        """
        if pa.types.is_nested(values.type):
            return {}
        inner = feature if self.lengths is None else getattr(feature, "feature", None)
        if isinstance(inner, ClassLabel):
            known, names = pa.array(range(len(inner.names)), values.type), list(inner.names)
        else:
            known = pc.drop_null(values.unique())
            known = known.take(pc.sort_indices(known))
            names = [str(one) for one in known.to_pylist()]
        places = np.asarray(pc.fill_null(pc.index_in(values, known), len(names)).to_numpy())
        counts = {mark: np.bincount(places[where], minlength=len(names) + 1) for mark, where in marks.items()}
        return {name: {mark: int(one[place]) for mark, one in counts.items()} for place, name in enumerate(names)}


def read_labels(table: pa.Table, seen: pa.ChunkedArray, name: str, owner: str) -> Labels:
    """Return the labels of `seen` beside the first ones, which the rows keep in `<name>_before`.

    Raises:
        ColumnError: where the rows keep none, or lists of one row differ in length.
    """
    first = pc.coalesce(get_column(table, f"{name}_before", owner), seen)
    if not is_list(seen.type):
        return Labels(first, seen, None)
    lengths = list_lengths(seen)
    return Labels(_flat(first, lengths, f"{name}_before", owner), _flat(seen, lengths, name, owner), lengths)


def _differ(one: pa.ChunkedArray, other: pa.ChunkedArray) -> Mask:
    """Return where two columns hold different values, shape (labels,); a null differs from nothing."""
    if pa.types.is_nested(one.type):  # such as answers: Arrow compares no structs
        pairs = zip(one.to_pylist(), other.to_pylist(), strict=True)
        return np.fromiter((None not in pair and pair[0] != pair[1] for pair in pairs), np.bool_, len(one))
    return np.asarray(pc.fill_null(pc.not_equal(one, other), False).to_numpy(), np.bool_)


def _flat(values: pa.ChunkedArray, lengths: Indices, name: str, owner: str) -> pa.ChunkedArray:
    """Return what lists hold, one after the other, after checking their lengths."""
    if not is_list(values.type) or (list_lengths(values) != lengths).any():
        raise ColumnError(
            f"{owner} counts token by token, but {name!r} holds other lists than the labels do; give the rows as the "
            "transforms left them."
        )
    return list_values(values)
