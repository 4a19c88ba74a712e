"""MatrixNoise: label noise by a transition matrix T[true, noisy]."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from xquality import _settings
from xquality._settings import Flag, Name, Stream, check_settings
from xquality.data.rows import Change, Rows
from xquality.errors import LabelError, SettingError
from xquality.randomness import Draw, smallest
from xquality.transforms.base import Transform
from xquality.transforms.flipping import Labels, flip, warn_of_nothing


@final
@dataclass(frozen=True)
class MatrixNoise(Transform):
    """Flip labels by a transition matrix: `matrix[i][j]` is the share of class i that comes out as class j.

    The counts of each class follow the largest remainders, so that they are exact and none is lost by truncation.
    cleanlab's noise matrices are the transpose: there the columns sum to 1.

    Attributes:
        matrix: one row a true class, one column a noisy class, in the order of the class names; rows sum to 1.
        column: a ClassLabel column.
        exact: False draws each row alone, which also works on streams.
        stream: tells apart several calls with one seed.

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

    matrix: tuple[tuple[float, ...], ...]
    column: Name = "label"
    exact: Flag = True
    stream: Stream = 0

    def __post_init__(self) -> None:
        check_settings(self)
        object.__setattr__(self, "matrix", _matrix(self.matrix))

    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Flip class by class: which rows is one draw, to which class a second."""
        names = rows.class_names(self.column)
        if len(names) != len(self.matrix):
            raise LabelError(f"A matrix of {len(self.matrix)} classes cannot flip {self.column!r}, which has {names}.")
        labels = rows.labels(self.column)
        wrong, flipped = self._exactly(labels, draw) if self.exact else self._each(labels, draw)
        return flip(rows, self.column, labels, wrong, flipped)

    def _exactly(self, labels: Labels, draw: Draw) -> tuple[Labels, NDArray[np.bool_]]:
        """Return wrong labels and which rows are flipped, with exact counts for each pair of classes."""
        wrong, flipped = labels.copy(), np.zeros(len(labels), np.bool_)
        which, whither = draw.bits("flip"), draw.bits("wrong label")
        for true, shares in enumerate(self.matrix):
            members = np.flatnonzero(labels == true)
            counts = largest_remainders(shares, len(members))
            counts[true] = 0
            total = int(counts.sum())
            if not total:
                warn_of_nothing(self, 1 - shares[true], len(members), f"rows of class {true}")
                continue
            chosen = members[smallest(which[members], draw.uids[members], total)]
            chosen = chosen[np.lexsort((draw.uids[chosen], whither[chosen]))]
            wrong[chosen] = np.repeat(np.arange(len(shares)), counts)
            flipped[chosen] = True
        return wrong, flipped

    def _each(self, labels: Labels, draw: Draw) -> tuple[Labels, NDArray[np.bool_]]:
        """Return wrong labels and which rows are flipped, each row drawn alone."""
        matrix = np.array(self.matrix)
        off = matrix * (1 - np.eye(len(matrix)))
        noise = off.sum(axis=1, keepdims=True)
        cumulated = np.cumsum(np.divide(off, noise, out=np.zeros_like(off), where=noise > 0), axis=1)
        flipped = draw.uniform("flip") < noise[labels, 0]
        wrong = (draw.uniform("wrong label")[:, None] >= cumulated[labels]).sum(axis=1)
        last = len(matrix) - 1 - np.argmax(off[:, ::-1] > 0, axis=1)  # rounding may leave the sum just below 1
        return np.minimum(wrong, last[labels]), flipped


def largest_remainders(shares: Sequence[float], total: int) -> NDArray[np.int64]:
    """Return whole counts that sum to `total` and follow the shares (Hamilton's method); ties go to the first.

    Example:
        >>> largest_remainders([0.5, 0.3, 0.2], 5).tolist()
        [3, 1, 1]
    """
    exact = np.array(shares) * total
    counts = np.floor(exact + 1e-9).astype(np.int64)  # 0.3 * 10 is just below 3
    spare = total - int(counts.sum())
    remainders = np.round(exact - counts, 9)
    counts[np.argsort(-remainders, kind="stable")[:spare]] += 1
    return counts


def _matrix(given: Any) -> tuple[tuple[float, ...], ...]:
    """Return the matrix as tuples of floats, checked."""
    try:
        rows = [tuple(_settings.rate("MatrixNoise", "matrix", one) for one in row) for row in given]
    except TypeError as fault:
        raise SettingError(
            f"MatrixNoise(matrix={given!r}) must be rows of shares, such as ((0.9, 0.1), (0.2, 0.8))."
        ) from fault
    if len(rows) < 2 or any(len(row) != len(rows) for row in rows):
        raise SettingError(f"MatrixNoise(matrix) must be square, but has rows of {[len(row) for row in rows]} values.")
    for number, row in enumerate(rows):
        if abs(sum(row) - 1) > 1e-6:
            raise SettingError(f"MatrixNoise(matrix) needs rows to sum to 1, but row {number} sums to {sum(row):.5g}.")
    return tuple(rows)
