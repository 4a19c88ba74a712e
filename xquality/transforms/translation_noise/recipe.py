"""Recipe: what translation noise does to the columns that some data have.

May import: errors, rows, transforms.translation_noise.segmentation, transforms.translation_noise.vocabulary |
datasets, pyarrow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self, final

import pyarrow as pa
from datasets import ClassLabel

from xquality.errors import ColumnError, SettingError
from xquality.rows import Rows
from xquality.transforms.translation_noise.segmentation import is_text, is_token_list
from xquality.transforms.translation_noise.vocabulary import Vocabulary


@final
@dataclass(frozen=True)
class Recipe:
    """What to do to a batch: the settings of the noise, met with the columns that the data have.

    Attributes:
        owner: who asks, for messages.
        severity: the probability that a unit or a row is struck.
        errors: the kinds of error.
        columns: the columns of text or tokens.
        vocabulary: where wrong words come from.
        parallel: the source text of each column, where it is needed.
        answers: the column of answers that follows, and the column it points into; None where there is none.
        lost: what becomes of a row whose answer is lost.
        tags: the columns of tags that follow, with the names of their classes; the names of others are empty.
    """

    owner: str
    severity: float
    errors: tuple[str, ...]
    columns: tuple[str, ...]
    vocabulary: Vocabulary | None
    parallel: Mapping[str, str]
    answers: tuple[str, str] | None
    lost: str
    tags: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(
        cls,
        rows: Rows,
        *,
        owner: str,
        severity: float,
        errors: tuple[str, ...],
        columns: tuple[str, ...],
        vocabulary: Vocabulary | None,
        parallel: tuple[str, ...] | None,
        answers: tuple[str, str],
        lost: str,
        tags: tuple[str, ...] | None,
    ) -> Self:
        """Return what to do to the columns that the data have.

        Raises:
            ColumnError: for a column that is missing or holds something else.
            SettingError: for tags that could follow several columns of tokens.
        """
        for name in (*columns, *(parallel or ())):
            kind = rows.column(name).type
            if not is_text(kind) and not is_token_list(kind):
                raise ColumnError(f"{owner} changes text or lists of tokens, but {name!r} holds {kind}; name others.")
        follows = answers[0] in rows.features and answers[1] in columns
        if follows and not _are_answers(rows.column(answers[0]).type):
            raise ColumnError(
                f"{owner} moves text and answer_start in {answers[0]!r}, but it holds {rows.column(answers[0]).type}; "
                "name the column of answers in answers=."
            )
        return cls(
            owner=owner,
            severity=severity,
            errors=errors,
            columns=columns,
            vocabulary=vocabulary,
            parallel=dict(zip(columns, parallel or (), strict=False)),
            answers=answers if follows else None,
            lost=lost,
            tags=_followers(rows, owner, [one for one in columns if is_token_list(rows.column(one).type)], tags),
        )

    @property
    def written(self) -> tuple[str, ...]:
        """The columns that get new values."""
        return (*self.columns, *self.tags, *(self.answers[:1] if self.answers else ()))


def _are_answers(kind: pa.DataType) -> bool:
    """Say whether an Arrow type holds answers."""
    return pa.types.is_struct(kind) and {"text", "answer_start"} <= {one.name for one in kind}


def _followers(
    rows: Rows, owner: str, tokens: Sequence[str], asked: tuple[str, ...] | None
) -> dict[str, tuple[str, ...]]:
    """Return the columns of tags that follow a column of tokens, with the names of their classes."""
    if not tokens:
        return {}
    inner = {one: getattr(feature, "feature", None) for one, feature in rows.features.items()}
    names = {one: tuple(feature.names) for one, feature in inner.items() if isinstance(feature, ClassLabel)}
    first_values = {f"{one}_before" for one in rows.features}
    chosen = tuple(one for one in names if one not in first_values) if asked is None else asked
    if chosen and len(tokens) > 1:
        raise SettingError(f"{owner} cannot tell which of {list(tokens)} the tags {list(chosen)} follow; name one.")
    for one in chosen:
        if not hasattr(rows.column(one).type, "value_type"):
            raise ColumnError(f"{owner} moves lists of tags along, but {one!r} holds {rows.column(one).type}.")
    return {one: names.get(one, ()) for one in chosen}
