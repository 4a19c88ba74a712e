"""CleanlabFilter: find label issues by confident learning, and drop, relabel, flag or down-weight them.

May import: errors, checks, transform, rows, randomness, tfidf, arrow | pyarrow, numpy, datasets, cleanlab.
"""

import warnings
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import Value
from numpy.typing import NDArray

from xquality import checks
from xquality.arrow import replace, strings
from xquality.errors import ColumnError, LabelError
from xquality.randomness import Bits, Draw, hash_uids
from xquality.rows import Change, Rows
from xquality.tfidf import out_of_sample
from xquality.transform import Transform

_ACTIONS = ("drop", "relabel", "flag", "weight")
_METHODS = ("prune_by_noise_rate", "prune_by_class", "both", "confident_learning", "predicted_neq_given")


@final
@dataclass(frozen=True)
class CleanlabFilter(Transform):
    """Act on the rows whose label cleanlab holds for wrong (confident learning, Northcutt et al. 2021).

    The probabilities are out of sample: those of TF-IDF features and a linear model over keyed folds, in which rows
    with one text share a fold, or those of a given column. On a few hundred rows about half of what is flagged is a
    true error: rank and cap with `max_fraction` rather than drop all of it. A class of a single row is never flagged.

    Attributes:
        action: "drop" removes the rows; "relabel" gives them the most probable class and keeps the label it saw in
            `<column>_given`; "flag" adds a boolean column `label_issue`; "weight" adds that and a column `weight`,
            1 for a good row and cleanlab's label quality in [0, 1] for an issue, which training uses.
        probabilities: a column of class probabilities, one list a row; None computes them from the text.
        column: a ClassLabel column.
        text_columns: the text to compute probabilities from; None for every string column but `uid` and those that
            keep first values (`*_before`). The record names them.
        folds: how many folds the probabilities are computed over.
        filter_by: cleanlab's rule for what is an issue.
        max_fraction: act on at most this share of the rows, those of the lowest label quality first.
        stream: tells apart several calls with one seed.

    Raises:
        SettingError: for an unknown action or rule, or a number out of range.
        ColumnError: for a missing column, no text, or probabilities of another shape.
        LabelError: for unlabelled rows, or fewer rows or classes than folds need.

    Example:
        >>> from xquality import LabelNoise, toy
        >>> noisy = LabelNoise(rate=0.2)(toy.topics.load("es", "train"), seed=1)
        >>> filtered = CleanlabFilter()(noisy, seed=1)
        >>> len(filtered) < len(noisy)
        True
    """

    whole: ClassVar[str] = "compares each row with all others"

    action: str = "drop"
    probabilities: str | None = None
    column: str = "label"
    text_columns: tuple[str, ...] | None = None
    folds: int = 5
    filter_by: str = "prune_by_noise_rate"
    max_fraction: float = 1.0
    stream: int = 0

    def __post_init__(self) -> None:
        owner = "CleanlabFilter"
        checks.one_of(owner, "action", self.action, _ACTIONS)
        checks.one_of(owner, "filter_by", self.filter_by, _METHODS)
        object.__setattr__(self, "column", checks.text(owner, "column", self.column))
        if self.probabilities is not None:
            checks.text(owner, "probabilities", self.probabilities)
        if self.text_columns is not None:
            object.__setattr__(self, "text_columns", checks.texts(owner, "text_columns", self.text_columns))
        object.__setattr__(self, "folds", checks.integer(owner, "folds", self.folds, least=2))
        object.__setattr__(self, "max_fraction", checks.rate(owner, "max_fraction", self.max_fraction))
        object.__setattr__(self, "stream", checks.integer(owner, "stream", self.stream, least=0))

    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Find the issues and act on them."""
        classes = len(rows.class_names(self.column))
        labels = rows.labels(self.column)
        texts = () if self.probabilities else self._text_columns(rows)
        issues, quality = np.zeros(len(rows), np.bool_), np.ones(len(rows))
        predicted = np.zeros((len(rows), classes))
        if len(rows):
            predicted = (
                self._given(rows, classes) if self.probabilities else self._computed(rows, texts, labels, classes, draw)
            )
            issues, quality = self._find(labels, predicted, draw.uids)
        details = {
            "issues": int(issues.sum()),
            "probabilities": self.probabilities or "tf-idf",
            "text_columns": list(texts),
        }
        return self._act(rows, issues, quality, labels, predicted, details)

    def _text_columns(self, rows: Rows) -> tuple[str, ...]:
        """Return the columns to read text from, checked."""
        names = self.text_columns or tuple(
            name
            for name, feature in rows.features.items()
            if getattr(feature, "dtype", None) in ("string", "large_string")
            and name != "uid"
            and not name.endswith("_before")
        )
        if not names:
            raise ColumnError(
                f"{self!r} reads text, but the data have no string column among {list(rows.features)}; "
                "name probabilities."
            )
        texts = {name: rows.text(name) for name in names}
        # A column without any text (an empty source_id) says nothing; the record names those that were read.
        told = tuple(name for name, values in texts.items() if not len(rows) or any(map(str.strip, strings(values))))
        if not told:
            raise ColumnError(f"{self!r} reads text, but {list(names)} hold none; name other columns.")
        return told

    def _computed(
        self, rows: Rows, texts: tuple[str, ...], labels: NDArray[np.int64], classes: int, draw: Draw
    ) -> NDArray[np.float64]:
        """Return probabilities computed from the text, shape (rows, classes)."""
        columns = [strings(rows.text(name)) for name in texts]
        joined: Bits = hash_uids(pa.array(["\x1f".join(one) for one in zip(*columns, strict=True)]))
        distinct = len(np.unique(joined))
        if distinct < self.folds or len(np.unique(labels)) < 2:
            raise LabelError(
                f"{self!r} needs {self.folds} different texts and 2 classes or more, but the data have {distinct} and "
                f"{len(np.unique(labels))}; give more rows."
            )
        return out_of_sample(columns, labels, classes, joined, draw, self.folds)

    def _given(self, rows: Rows, classes: int) -> NDArray[np.float64]:
        """Return the probabilities of the given column, shape (rows, classes)."""
        values = rows.column(self.probabilities or "").to_pylist()
        try:
            predicted = np.asarray(values, np.float64)
        except (TypeError, ValueError):
            predicted = np.empty(0)
        fits = predicted.shape == (len(rows), classes)
        if (
            not fits
            or not np.isfinite(predicted).all()
            or (predicted < 0).any()
            or np.abs(predicted.sum(axis=1) - 1).max() > 1e-3
        ):
            raise ColumnError(
                f"{self!r} needs {classes} probabilities that sum to 1 on every row of {self.probabilities!r}; "
                "compute them anew."
            )
        return predicted

    def _find(
        self, labels: NDArray[np.int64], predicted: NDArray[np.float64], uids: Bits
    ) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Return which rows are issues and the label quality of all, each of shape (rows,)."""
        from cleanlab.filter import find_label_issues
        from cleanlab.rank import get_label_quality_scores

        order = np.argsort(uids, kind="stable")  # cleanlab breaks ties by row order: give it one that never changes
        issues, quality = np.zeros(len(labels), np.bool_), np.empty(len(labels))
        with warnings.catch_warnings():
            # In a class of a single row nothing is ever flagged; the class documents it, once.
            warnings.filterwarnings("ignore", message="May not flag all label issues", category=UserWarning)
            issues[order] = find_label_issues(labels[order], predicted[order], filter_by=self.filter_by, n_jobs=1)
        quality[order] = get_label_quality_scores(labels[order], predicted[order])
        allowed = round(self.max_fraction * len(labels))
        if issues.sum() > allowed:
            worst = np.lexsort((uids, quality, ~issues))[:allowed]
            issues = np.zeros(len(labels), np.bool_)
            issues[worst] = True
        return issues, quality

    def _act(
        self,
        rows: Rows,
        issues: NDArray[np.bool_],
        quality: NDArray[np.float64],
        labels: NDArray[np.int64],
        predicted: NDArray[np.float64],
        details: dict[str, Any],
    ) -> Change:
        """Return the rows after the action."""
        acted = int(issues.sum())
        if self.action == "drop":
            return Change(rows.table.filter(pa.array(~issues)), acted=acted, details=details)
        table, changed = rows.table, 0
        features: dict[str, Any] = {}
        if self.action == "relabel":
            best = np.where(issues, predicted.argmax(axis=1), labels)
            given = self._kept(rows, f"{self.column}_given", pa.array(labels, mask=~issues), rows.features[self.column])
            moved = best != labels
            table, features = rows.replaced(self.column, pa.array(best), moved)
            table = replace(table, f"{self.column}_given", given)
            features[f"{self.column}_given"] = rows.features[self.column]
            changed = int(moved.sum())
        table = replace(table, "label_issue", self._kept(rows, "label_issue", pa.array(issues), Value("bool")))
        features["label_issue"] = Value("bool")
        if self.action == "weight":
            if "weight" in rows.features:
                raise ColumnError(f"{self!r} adds a column 'weight', but there is one; remove or rename it first.")
            table = replace(table, "weight", pa.array(np.where(issues, quality, 1.0)))
            features["weight"] = Value("float64")
        return Change(table, features, changed=changed, acted=acted, details=details)

    def _kept(self, rows: Rows, name: str, values: pa.Array, feature: Any) -> pa.Array:
        """Return the values, and first of all what an earlier filter left in the column."""
        if name not in rows.features:
            return values
        if rows.features[name] != feature:
            raise ColumnError(f"{self!r} writes {name!r}, which holds something else; rename that column first.")
        earlier = rows.column(name).combine_chunks()
        return pc.or_(earlier, values) if pa.types.is_boolean(earlier.type) else pc.coalesce(earlier, values)
