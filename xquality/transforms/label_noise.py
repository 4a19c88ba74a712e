"""Label noise: symmetric, from one class to another, by a transition matrix, and by the difficulty of the rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, final

import numpy as np
import pyarrow as pa

from xquality import _settings
from xquality._settings import Flag, Name, Rate, Stream, check_settings, optional
from xquality.data.arrow import Floats, Indices, is_number
from xquality.data.rows import Change, Rows
from xquality.errors import ColumnError, LabelError, SettingError
from xquality.randomness import Draw, smallest
from xquality.transforms.base import Transform
from xquality.transforms.rates import exact_count, select_at_rate, warn_of_none

_EXTREME = 1e250  # weights beyond it, or below its reciprocal, are compared by their logarithms


@final
@dataclass(frozen=True)
class LabelNoise(Transform):
    """Replace the label of a share of the rows by another class, each wrong class equally likely.

    The rows flipped at a low rate are flipped at a higher rate too, to the same wrong label. The first value is kept
    in `<column>_before`, null where the label was never changed.

    Attributes:
        rate: the share of rows to flip; a flipped label is always a wrong one.
        column: a ClassLabel column, or texts, whose classes are those that occur, in alphabetical order.
        exact: True flips `round(rate * rows)` rows; False draws each row alone, which also works on streams.
        stream: separates the draws of several calls with one seed.

    Raises:
        SettingError: for a rate outside [0, 1].
        ColumnError: for a missing column.
        LabelError: for a column without class names, an unlabelled row or a label out of range.

    Warns:
        RateWarning: where a rate above 0 rounds to no row.

    Example:
        >>> from datasets import ClassLabel, Dataset, Features
        >>> features = Features({"label": ClassLabel(names=["no", "yes"])})
        >>> noisy = LabelNoise(rate=0.5)(Dataset.from_dict({"label": [0, 0, 1, 1]}, features=features), seed=1)
        >>> sum(first is not None for first in noisy["label_before"])
        2
    """

    per_row = True
    strength: ClassVar[tuple[str, ...]] = ("rate",)

    rate: Rate
    column: Name = "label"
    exact: Flag = True
    stream: Stream = 0

    def __post_init__(self) -> None:
        check_settings(self)

    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Flip the rows with the smallest draws; the wrong label is a second draw, independent of the rate."""
        labels = rows.labels(self.column)
        flipped = select_at_rate(self, self.rate, draw, exact=self.exact)
        return _flip_to_any_class(rows, self.column, labels, flipped, draw)


def _check_pairs(owner: str, name: str, value: Any) -> tuple[tuple[str, str], ...]:
    """Return pairs of class names sorted, so that equal settings are equal values."""
    listed = value.items() if isinstance(value, Mapping) else value
    try:
        pairs = tuple(
            sorted((_settings.text(owner, name, true), _settings.text(owner, name, noisy)) for true, noisy in listed)
        )
    except (TypeError, ValueError) as fault:
        raise SettingError(
            f"{owner}({name}={value!r}) must map class names to class names, such as {{'cat': 'dog'}}."
        ) from fault
    if not pairs or len({true for true, _ in pairs}) != len(pairs) or any(true == noisy for true, noisy in pairs):
        raise SettingError(f"{owner}({name}={value!r}) must pair each named class once, and with another class.")
    return pairs


@final
@dataclass(frozen=True)
class PairNoise(Transform):
    """Replace the label of a share of the rows by the class that theirs is paired with (class-conditional noise).

    Attributes:
        rate: the share of the rows of paired classes to flip, `round(rate * those rows)` of them.
        pairs: class names, `{"cat": "dog", "dog": "cat"}` or as pairs; classes that are not named are never flipped.
            None pairs each class with the next one, and the last with the first.
        column: a ClassLabel column, or texts, whose classes are those that occur, in alphabetical order.
        exact: False draws each row alone, which also works on streams.
        stream: separates the draws of several calls with one seed.

    Raises:
        SettingError: for a rate outside [0, 1], or a pair of a class with itself, or a class paired twice, or no class.
        ColumnError, LabelError: for a column that cannot be flipped.

    Warns:
        RateWarning: where a rate above 0 rounds to no row.

    Example:
        >>> from xquality import toy
        >>> noisy = PairNoise(rate=0.5, pairs={"food": "health"})(toy.topics.load("es", "test"), seed=1)
        >>> names = noisy.features["label"].names
        >>> {names[new] for new, old in zip(noisy["label"], noisy["label_before"]) if old is not None}
        {'health'}
    """

    per_row = True
    strength: ClassVar[tuple[str, ...]] = ("rate",)

    rate: Rate
    pairs: Annotated[tuple[tuple[str, str], ...] | None, optional(_check_pairs)] = None
    column: Name = "label"
    exact: Flag = True
    stream: Stream = 0

    def __post_init__(self) -> None:
        check_settings(self)

    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Flip the rows of paired classes that have the smallest draws."""
        target = self._targets(rows.class_names(self.column))
        labels = rows.labels(self.column)
        wrong = target[labels]
        paired = np.flatnonzero(wrong != labels)
        flipped = paired[select_at_rate(self, self.rate, draw.of(draw.uids[paired]), exact=self.exact)]
        return _flip_labels(rows, self.column, labels, flipped, wrong)

    def _targets(self, names: list[str]) -> Indices:
        """Return the class that each class is flipped to, its own where it has no pair, shape (classes,)."""
        if self.pairs is None:
            return np.roll(np.arange(len(names)), -1)
        unknown = sorted({name for pair in self.pairs for name in pair} - set(names))
        if unknown:
            raise SettingError(f"{self} pairs {', '.join(unknown)}, but the classes are {names}; name these.")
        target = np.arange(len(names))
        for true, noisy in self.pairs:
            target[names.index(true)] = names.index(noisy)
        return target


def _check_matrix(owner: str, name: str, value: Any) -> tuple[tuple[float, ...], ...]:
    """Return a transition matrix as tuples of floats."""
    try:
        rows = [tuple(_settings.rate(owner, name, share) for share in row) for row in value]
    except TypeError as fault:
        raise SettingError(
            f"{owner}({name}={value!r}) must be rows of shares, such as ((0.9, 0.1), (0.2, 0.8))."
        ) from fault
    if len(rows) < 2 or any(len(row) != len(rows) for row in rows):
        raise SettingError(f"{owner}({name}) must be square, but has rows of {[len(row) for row in rows]} values.")
    for number, row in enumerate(rows):
        if abs(sum(row) - 1) > 1e-6:
            raise SettingError(f"{owner}({name}) needs rows to sum to 1, but row {number} sums to {sum(row):.5g}.")
    return tuple(rows)


@final
@dataclass(frozen=True)
class MatrixNoise(Transform):
    """Flip labels by a transition matrix: `matrix[i][j]` is the share of class i that comes out as class j.

    The counts of each class follow the largest remainders, so that they are exact and none is lost by truncation.
    cleanlab's noise matrices are the transpose: there the columns sum to 1.

    Attributes:
        matrix: one row a true class, one column a noisy class, in the order of the class names; rows sum to 1.
        column: a ClassLabel column, or texts, whose classes are those that occur, in alphabetical order.
        exact: False draws each row alone, which also works on streams.
        stream: separates the draws of several calls with one seed.

    Raises:
        SettingError: for a matrix that is not square, holds a value outside [0, 1] or a row that does not sum to 1.
        LabelError: for a matrix of another size than the number of classes, or labels that cannot be flipped.

    Warns:
        RateWarning: where a class has noise in the matrix, but too few rows for any of it.

    Example:
        >>> from datasets import ClassLabel, Dataset, Features
        >>> features = Features({"label": ClassLabel(names=["no", "yes"])})
        >>> data = Dataset.from_dict({"label": [0] * 10 + [1] * 10}, features=features)
        >>> noisy = MatrixNoise(((0.7, 0.3), (0.0, 1.0)))(data, seed=1)
        >>> sum(noisy["label"][:10]), sum(noisy["label"][10:])
        (3, 10)
    """

    per_row = True

    matrix: Annotated[tuple[tuple[float, ...], ...], _check_matrix]
    column: Name = "label"
    exact: Flag = True
    stream: Stream = 0

    def __post_init__(self) -> None:
        check_settings(self)

    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Flip class by class: which rows is one draw, to which class a second."""
        names = rows.class_names(self.column)
        if len(names) != len(self.matrix):
            raise LabelError(
                f"A matrix of {len(self.matrix)} classes cannot flip {self.column!r}, which has {len(names)}; give a "
                "row and a column for each class."
            )
        labels = rows.labels(self.column)
        wrong = self._draw_exactly(labels, draw) if self.exact else self._draw_each(labels, draw)
        return _flip_labels(rows, self.column, labels, np.flatnonzero(wrong != labels), wrong)

    def _draw_exactly(self, labels: Indices, draw: Draw) -> Indices:
        """Return the noisy labels, with exact counts for each pair of classes, shape (rows,)."""
        noisy = labels.copy()
        order_of_rows, order_of_classes = draw.bits("flip"), draw.bits("wrong label")
        for true, shares in enumerate(self.matrix):
            members = np.flatnonzero(labels == true)
            counts = _largest_remainders(shares, len(members))
            counts[true] = 0
            total = int(counts.sum())
            if not total:
                warn_of_none(self, 1 - shares[true], len(members), f"rows of class {true}")
                continue
            flipped = members[smallest(order_of_rows[members], draw.uids[members], total)]
            flipped = flipped[np.lexsort((draw.uids[flipped], order_of_classes[flipped]))]
            noisy[flipped] = np.repeat(np.arange(len(shares)), counts)
        return noisy

    def _draw_each(self, labels: Indices, draw: Draw) -> Indices:
        """Return the noisy labels, each row drawn alone, shape (rows,)."""
        matrix = np.array(self.matrix)
        off = matrix * (1 - np.eye(len(matrix)))
        noise = off.sum(axis=1, keepdims=True)
        cumulated = np.cumsum(np.divide(off, noise, out=np.zeros_like(off), where=noise > 0), axis=1)
        flipped = draw.uniform("flip") < noise[labels, 0]
        wrong = (draw.uniform("wrong label")[:, None] >= cumulated[labels]).sum(axis=1)
        last = len(matrix) - 1 - np.argmax(off[:, ::-1] > 0, axis=1)  # rounding may leave the sum just below 1
        return np.where(flipped, np.minimum(wrong, last[labels]), labels)


def _largest_remainders(shares: Sequence[float], total: int) -> Indices:
    """Return whole counts that sum to `total` and follow the shares (Hamilton's method); ties go to the first."""
    exact = np.array(shares) * total
    counts = np.floor(exact + 1e-9).astype(np.int64)  # 0.3 * 10 is just below 3
    spare = total - int(counts.sum())
    remainders = np.round(exact - counts, 9)
    counts[np.argsort(-remainders, kind="stable")[:spare]] += 1
    return counts


@final
@dataclass(frozen=True)
class InstanceNoise(Transform):
    """Flip the labels of `round(rate * rows)` rows, drawn in proportion to their difficulty (instance-dependent noise).

    Rows are drawn without replacement by exponential keys (Efraimidis and Spirakis 2006), so that the rows flipped at
    a low rate are flipped at a higher rate too. A row of difficulty 0 is flipped only when no other is left.

    Attributes:
        rate: the share of rows to flip; a flipped label is always a wrong one.
        difficulty: a column of numbers, 0 or more, for example 1 minus a model's confidence in the label.
        column: a ClassLabel column, or texts, whose classes are those that occur, in alphabetical order.
        stream: separates the draws of several calls with one seed.

    Raises:
        SettingError: for a rate outside [0, 1].
        ColumnError: for a difficulty that is missing, negative, infinite or no number.
        LabelError: for labels that cannot be flipped.

    Warns:
        RateWarning: where a rate above 0 rounds to no row.

    Example:
        >>> from xquality import toy
        >>> data = toy.topics.load("es", "test")
        >>> data = data.add_column("difficulty", [float(row < 150) for row in range(len(data))])
        >>> noisy = InstanceNoise(rate=0.2)(data, seed=1)
        >>> all(first is None for first in noisy["label_before"][150:])
        True
    """

    strength: ClassVar[tuple[str, ...]] = ("rate",)
    needs_all_rows: ClassVar[str] = "weighs each row against all others"

    rate: Rate
    difficulty: Name = "difficulty"
    column: Name = "label"
    stream: Stream = 0

    def __post_init__(self) -> None:
        check_settings(self)

    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Flip the rows with the smallest exponential keys."""
        labels = rows.labels(self.column)
        weights = self._weights(rows)
        count = exact_count(self, self.rate, len(rows))
        keys = np.full(len(rows), np.inf)
        waiting = -np.log1p(-draw.uniform("flip"))  # exponential with mean 1
        weighed = weights > 0
        if _is_extreme(weights):  # the quotients overflow: their logarithms are in the same order
            with np.errstate(divide="ignore"):
                keys[weighed] = np.log(waiting[weighed]) - np.log(weights[weighed])
        else:
            np.divide(waiting, weights, out=keys, where=weighed)
        flipped = smallest(keys, draw.uids, count)
        return _flip_to_any_class(rows, self.column, labels, flipped, draw)

    def _weights(self, rows: Rows) -> Floats:
        """Return the difficulties of the rows, shape (rows,)."""
        values = rows.column(self.difficulty)
        if not is_number(values.type):
            raise ColumnError(f"{self} needs numbers in {self.difficulty!r}, but the column holds {values.type}.")
        weights = np.asarray(values.cast(pa.float64()).to_numpy(), np.float64)
        if values.null_count or not np.isfinite(weights).all() or (weights < 0).any():
            raise ColumnError(
                f"{self} needs finite numbers, 0 or more, on every row of {self.difficulty!r}; fill or filter the "
                "others."
            )
        return weights


def _is_extreme(weights: Floats) -> bool:
    """Return whether some weight is so large or small that a quotient with it may overflow or vanish."""
    smallest_weight = weights.min(initial=1.0, where=weights > 0)
    return bool(weights.max(initial=1.0) > _EXTREME or smallest_weight < 1 / _EXTREME)


def _flip_to_any_class(rows: Rows, column: str, labels: Indices, flipped: Indices, draw: Draw) -> Change:
    """Return the rows with another class on the flipped rows, each wrong class equally likely.

    The class is a draw of its own: the rate decides only whether a row is flipped.
    """
    wrong = draw.integers("wrong label", len(rows.class_names(column)) - 1)
    wrong += wrong >= labels  # skip the present label
    return _flip_labels(rows, column, labels, flipped, wrong)


def _flip_labels(rows: Rows, column: str, labels: Indices, flipped: Indices, wrong: Indices) -> Change:
    """Return the rows with the labels of the flipped rows replaced, and the first labels kept.

    Args:
        rows: the rows, labelled.
        column: the label column.
        labels: the present labels, shape (rows,).
        flipped: the numbers of the rows to flip.
        wrong: the labels to write where a row is flipped, shape (rows,).
    """
    mask = np.zeros(len(rows), np.bool_)
    mask[flipped] = True
    table, added = rows.replace(column, pa.array(np.where(mask, wrong, labels)), mask)
    return Change(table, added, changed=len(flipped), acted=len(flipped))
